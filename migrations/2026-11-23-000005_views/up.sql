-- How readers see the tables. They read through one of two schemas that stand before the tables in their search path:
-- `visible` shows what a caller may see now, `past` what the caller would have seen at an earlier place in the history.
-- Every query of every reader goes through them, so that none can forget to ask.

create schema visible;
create schema past;

-- Whether the caller may see the drafts of an organization. `ward_policy.drafts` holds the ids of those whose drafts may
-- be seen, or `*` for all; unset, there are none.
create function sees_drafts(organization uuid) returns boolean stable parallel safe language sql as $$
    select coalesce(
        case current_setting('ward_policy.drafts', true)
            when '*' then true
            when '' then false
            else strpos(current_setting('ward_policy.drafts', true), organization::text) > 0
        end, false)
$$;

-- The last change that a reader of the past sees.
create function as_of() returns bigint stable parallel safe language sql as $$
    select current_setting('ward_policy.as_of')::bigint
$$;

-- The columns of a table, read from the states that history keeps. Plain expressions, so that the planner sees through
-- them; and the keys that never change are those of the history itself: what asks for one of them reads its changes alone.
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

-- The one predicate: a row is public, or its organization's drafts are the caller's to see.
create function show(target text, type text) returns void language plpgsql as $$
declare
    drafts text := case target
        when 'policies' then 'public.sees_drafts(t.organization_id)'
        else '(select public.sees_drafts(p.organization_id) from public.policies p where p.id = t.policy_id)'
    end;
begin
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
select show('policies', 'policy');
select show('self_evaluations', 'self_evaluation');
select show('goals', 'goal');
select show('budgets', 'budget');
select show('indicators', 'indicator');
select show('results', 'result');

-- Organizations are public, and so is every revision.
do $$
begin
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
end
$$;
create view past.revisions as select t.* from public.revisions t where t.seq <= public.as_of();

-- The history as a caller may see it: a change is there if it changed what the caller sees, with the state before and
-- after as far as the caller sees it, and with who made it for those who see drafts.
create view changes as
select c.seq, c.at,
    case when s.sees then c.actor end as actor,
    case when s.sees then c.request_id end as request_id,
    c.op, c.type, c.row_id, c.organization_id, c.key, c.previous_key, c.version, c.fields, c.reason,
    case when c.was_public or s.sees then c.before end as before,
    case when c.is_public or s.sees then c.after end as after,
    c.was_public or c.is_public as public,
    c.hash
from public.change_log c
cross join lateral (select public.sees_drafts(c.organization_id) as sees) as s
where c.type <> 'token' and (c.was_public or c.is_public or s.sees);

-- Policies that were ever published, withdrawn ones too: what was published stays readable.
create view published as
select p.id as policy_id, p.fiscal_year, o.slug, o.municipality_code
from public.policies p
join public.organizations o on o.id = p.organization_id
where exists (select from public.revisions r where r.policy_id = p.id);
