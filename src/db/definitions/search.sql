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

-- The texts of a row in which `q` is searched, beside one another: no word reaches from one to the next.
create or replace function public.organization_text(slug text, name text, kana text, english text)
returns text immutable parallel safe language sql as $$
    select concat_ws(E'\n', slug, name, kana, english)
$$;
create or replace function public.goal_text(title text, issues text[], strategies text[])
returns text immutable parallel safe language sql as $$
    select concat_ws(E'\n', title, array_to_string(issues, E'\n'), array_to_string(strategies, E'\n'))
$$;
create or replace function public.policy_text(organization text, head text, vision text[], mission text[], approach text[], evaluation text[], future text[])
returns text immutable parallel safe language sql as $$
    select concat_ws(E'\n', organization, head, array_to_string(vision, E'\n'), array_to_string(mission, E'\n'),
        array_to_string(approach, E'\n'), array_to_string(evaluation, E'\n'), array_to_string(future, E'\n'))
$$;
