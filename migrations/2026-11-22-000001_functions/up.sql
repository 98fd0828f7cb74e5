-- What several tables share: versions kept by one trigger, codes in their order, Japanese text search.

-- Every change counts the version up; an update that changes nothing does not happen.
create function touch() returns trigger language plpgsql as $$
begin
    if new is not distinct from old then
        return null;
    end if;
    new.id := old.id;
    new.version := old.version + 1;
    new.created_at := old.created_at;
    new.updated_at := now();
    return new;
end
$$;

create function keep_touched(target regclass) returns void language plpgsql as $$
begin
    execute format('create trigger %I before update on %s for each row execute function public.touch()', target || '_touch', target);
end
$$;

-- Goal codes in the order of their numbers: 1-2 before 1-10.
create function goal_code_order(code text) returns text immutable strict parallel safe language sql as $$
    select regexp_replace(regexp_replace(code, '([0-9]+)', '0\1', 'g'), '0*([0-9]{2})', '\1', 'g') collate "C"
$$;

-- Text as searched: full and half width are one, and so are capitals and small letters.
create function search_text(value text) returns text immutable strict parallel safe language sql as $$
    select lower(normalize(value, NFKC) collate "C")
$$;

-- Its characters and pairs of characters: Japanese has no blanks between words, and many words have two characters.
create function search_grams(value text) returns text[] immutable strict parallel safe language sql as $$
    select array(
        select distinct gram collate "C"
        from (select public.search_text(value) as t) as s,
             generate_series(1, length(t)) as i,
             lateral (values (substr(t, i, 1)), (substr(t, i, 2))) as g (gram)
    )
$$;
