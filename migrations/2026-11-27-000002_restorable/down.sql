create or replace function search_grams(value text) returns text[] immutable strict parallel safe language sql as $$
    select array(
        select distinct gram collate "C"
        from (select public.search_text(value) as t) as s,
             generate_series(1, length(t)) as i,
             lateral (values (substr(t, i, 1)), (substr(t, i, 2))) as g (gram)
    )
$$;
