-- What an organization is called is its own: forms find it by its name, addresses by its slug or its municipality code. No two that
-- are there share a name as forms are read, and what one was called is never another's.

-- A name as it is read in forms, where 西区 may be 大阪市西区役所.
create function organization_name(name text) returns text immutable strict parallel safe language sql as $$
    select regexp_replace(regexp_replace(
        regexp_replace(public.search_text(name), '\s', '', 'g'), '^(大阪市)+(?=.)', ''), '(?<=.)役所$', '')
$$;
create index organizations_name_idx on organizations (public.organization_name(name));

-- Whether a slug or municipality code was another organization's, which is still there or has published something, and is nobody's
-- now. The history knows.
create function is_reserved(called text, organization uuid) returns boolean stable language sql as $$
    select exists (
        select from public.change_log c
        where c.type = 'organization' and c.row_id <> organization and called in (c.after ->> 'slug', c.after ->> 'municipality_code')
            and (exists (select from public.organizations o where o.id = c.row_id)
                or exists (select from public.change_log r where r.type = 'revision' and r.organization_id = c.row_id)))
        and not exists (select from public.organizations o where called in (o.slug, o.municipality_code))
$$;

-- Looks at new names and changed ones. Two that were alike before stay as they are until one of them is changed.
create function check_names() returns trigger language plpgsql as $$
begin
    -- One writes at a time.
    perform public.write_time();
    if (tg_op = 'INSERT' or public.organization_name(new.name) <> public.organization_name(old.name)) and exists (
        select from public.organizations o
        where o.id <> new.id and public.organization_name(o.name) = public.organization_name(new.name)
    ) then
        raise exception using errcode = 'unique_violation', constraint = 'organizations_name_unique',
            message = 'another organization has this name';
    end if;
    if (tg_op = 'INSERT' or new.slug <> old.slug) and public.is_reserved(new.slug, new.id) then
        raise exception using errcode = 'unique_violation', constraint = 'organizations_slug_reserved',
            message = 'another organization had this slug';
    end if;
    if (tg_op = 'INSERT' or new.municipality_code is distinct from old.municipality_code)
        and public.is_reserved(new.municipality_code, new.id) then
        raise exception using errcode = 'unique_violation', constraint = 'organizations_municipality_code_reserved',
            message = 'another organization had this municipality code';
    end if;
    return new;
end
$$;
create trigger organizations_names before insert or update on organizations for each row execute function check_names();

-- A policy that was published stays in its year, as it stays with its organization: its revisions are found by both.
create function keep_year() returns trigger language plpgsql as $$
begin
    if exists (select from public.revisions r where r.policy_id = new.id) then
        raise exception using errcode = 'check_violation', constraint = 'policies_year_fixed',
            message = 'a policy that was published stays in its fiscal year';
    end if;
    return new;
end
$$;
create trigger policies_year_fixed before update on policies for each row when (new.fiscal_year <> old.fiscal_year)
    execute function keep_year();
