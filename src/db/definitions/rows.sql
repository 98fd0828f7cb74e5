-- What a row has from its policy, and which names it may take.

-- Derives what a row has from its policy, whoever writes it: which policy that is, and whether the row is public.
-- A policy stays with its organization, and what is below it stays with the policy: history is kept by them.
create or replace function public.belong() returns trigger language plpgsql as $$
declare
    published text;
begin
    if tg_table_name = 'policies' then
        if tg_op = 'UPDATE' and new.organization_id <> old.organization_id then
            raise exception using errcode = 'check_violation', constraint = 'policies_organization_fixed',
                message = 'a policy stays with its organization';
        end if;
        new.public := new.stage in ('plan', 'results');
        return new;
    end if;
    if tg_table_name in ('budgets', 'indicators') then
        new.policy_id := (select policy_id from public.goals where id = new.goal_id);
    elsif tg_table_name = 'results' then
        new.policy_id := (select policy_id from public.indicators where id = new.indicator_id);
    end if;
    published := (select stage from public.policies where id = new.policy_id);
    if published is null then
        raise exception using errcode = 'foreign_key_violation', constraint = tg_argv[0],
            message = 'names nothing to belong to';
    end if;
    if tg_op = 'UPDATE' and new.policy_id <> old.policy_id then
        raise exception using errcode = 'check_violation', constraint = tg_table_name || '_policy_fixed',
            message = 'stays with its policy';
    end if;
    new.public := case
        when tg_table_name in ('results', 'self_evaluations') then published = 'results'
        else published in ('plan', 'results')
    end;
    return new;
end
$$;

-- Whether a slug or municipality code was another organization's, which is still there or has published something, and is nobody's
-- now. The history knows.
create or replace function public.is_reserved(called text, organization uuid) returns boolean stable language sql as $$
    select exists (
        select from public.change_log c
        where c.type = 'organization' and c.row_id <> organization and called in (c.after ->> 'slug', c.after ->> 'municipality_code')
            and (exists (select from public.organizations o where o.id = c.row_id)
                or exists (select from public.change_log r where r.type = 'revision' and r.organization_id = c.row_id)))
        and not exists (select from public.organizations o where called in (o.slug, o.municipality_code))
$$;

-- Looks at new names and changed ones. Two that were alike before stay as they are until one of them is changed.
create or replace function public.check_names() returns trigger language plpgsql as $$
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

-- A policy that was published stays in its year, as it stays with its organization: its revisions are found by both.
create or replace function public.keep_year() returns trigger language plpgsql as $$
begin
    if exists (select from public.revisions r where r.policy_id = new.id) then
        raise exception using errcode = 'check_violation', constraint = 'policies_year_fixed',
            message = 'a policy that was published stays in its fiscal year';
    end if;
    return new;
end
$$;
