-- The search in names: what people take for one sign is one, whatever the index of names knows of it.

-- Text as searched, its waves and dashes alike: 〜 is ～, and −, ―, — and － are -. ー is a letter, and stays.
create or replace function public.search_folded(value text) returns text immutable strict parallel safe language sql as $$
    select translate(public.search_text(value), '〜∼‐‒–—―−─━', '~~--------')
$$;

-- What the index of names holds wherever it holds this word: what stands between such signs, since it has the signs as they were written.
create or replace function public.search_candidates(word text) returns text[] immutable strict parallel safe language sql as $$
    select array(
        select distinct gram collate "C"
        from regexp_split_to_table(public.search_text(word), '[~〜∼‐‒–—―−─━-]') as part,
             lateral unnest(public.search_grams(part)) as gram
    )
$$;
