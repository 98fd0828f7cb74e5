create index change_log_policy_idx on change_log (type, policy_id, row_id, seq desc);
create index change_log_at_idx on change_log (at);
drop index change_log_moment_idx, change_log_revision_idx;

create function past_columns(target text) returns text stable language sql as $$
    select string_agg(
        case
            when a.attname = 'id' then 'last.row_id as id'
            when a.attname = 'policy_id' then 'last.policy_id'
            when a.atttypid = 'text[]'::regtype then format(
                'case when last.after ->> %1$L is not null then array(select jsonb_array_elements_text(last.after -> %1$L)) end as %1$I',
                a.attname)
            else format('(last.after ->> %1$L)::%2$s as %1$I', a.attname, format_type(a.atttypid, a.atttypmod))
        end, ', ' order by a.attnum)
    from pg_attribute a
    where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped
$$;
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
    of record;
begin
    for of in
        select * from (values
            ('organizations', 'organization'), ('policies', 'policy'), ('self_evaluations', 'self_evaluation'), ('goals', 'goal'),
            ('budgets', 'budget'), ('indicators', 'indicator'), ('results', 'result')) as t (target, type)
    loop
        execute format('drop view past.%1$I', of.target);
        execute format('drop trigger change_log_keep_%1$s on change_log', of.target);
        execute format('drop function derived.%1$s_version()', of.target);
        execute format('drop table derived.%1$s_versions', of.target);
        if of.target = 'organizations' then
            execute format($v$
                create view past.organizations as
                select %s
                from (
                    select distinct on (c.row_id) c.row_id, c.after
                    from public.change_log c
                    where c.type = 'organization' and c.seq <= public.as_of()
                    order by c.row_id, c.seq desc
                ) as last
                where last.after is not null
                $v$, public.past_columns('organizations'));
        else
            execute format('drop view everybody.%1$I, visible.%1$I', of.target);
            perform public.show(of.target, of.type);
        end if;
    end loop;
end
$$;
drop function derived.keep_versions(text, text);
drop function derived.never();
