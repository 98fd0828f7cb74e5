-- What everybody sees, in a schema of its own: almost all readers ask for no more, and PostgreSQL plans for a column that is true
-- what it cannot plan for a question asked of every row. It then settles on a plan, instead of making one each time.
create schema everybody;

create or replace function show(target text, type text) returns void language plpgsql as $$
declare
    drafts text := case target
        when 'policies' then 'public.sees_drafts(t.organization_id)'
        else '(select public.sees_drafts(p.organization_id) from public.policies p where p.id = t.policy_id)'
    end;
begin
    execute format('create view everybody.%1$I as select t.* from public.%1$I t where t.public', target);
    execute format('create view visible.%1$I as select t.* from public.%1$I t where t.public or %2$s', target, drafts);
    execute format($v$
        create view past.%1$I as
        select %3$s
        from (
            select distinct on (c.policy_id, c.row_id) c.policy_id, c.row_id, c.organization_id, c.after, c.is_public
            from public.change_log c
            where c.type = %2$L and c.seq <= public.as_of()
            order by c.policy_id, c.row_id, c.seq desc
        ) as last
        where last.after is not null and (last.is_public or public.sees_drafts(last.organization_id))
        $v$, target, type, public.past_columns(target));
end
$$;

do $$
declare
    target text;
begin
    for target in select viewname from pg_views where schemaname = 'visible' loop
        execute format('create view everybody.%1$I as select t.* from public.%1$I t where t.public', target);
    end loop;
end
$$;
