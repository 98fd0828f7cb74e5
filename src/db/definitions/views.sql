-- What readers see: views with the names of the tables, in a schema for each kind of reader.

-- Whether the caller may see the drafts of an organization. `ward_policy.drafts` holds the ids of those whose drafts may
-- be seen, or `*` for all; unset, there are none.
create or replace function public.sees_drafts(organization uuid) returns boolean stable parallel safe language sql as $$
    select coalesce(
        case current_setting('ward_policy.drafts', true)
            when '*' then true
            when '' then false
            else strpos(current_setting('ward_policy.drafts', true), organization::text) > 0
        end, false)
$$;

-- The last change that a reader of the past sees.
create or replace function public.as_of() returns bigint stable parallel safe language sql as $$
    select current_setting('ward_policy.as_of')::bigint
$$;

-- The version of a policy together with its self-evaluation, where that is seen.
create or replace function public.whole_version(policy bigint, self_evaluation bigint) returns bigint immutable parallel safe language sql as $$
    select policy + coalesce(self_evaluation, 1) - 1
$$;

-- The time of the last change of a policy or its self-evaluation, where that is seen.
create or replace function public.latest(policy timestamptz, self_evaluation timestamptz) returns timestamptz immutable parallel safe language sql as $$
    select greatest(policy, self_evaluation)
$$;

-- Shows a table to readers: `published_view` has its public rows, `visible` also the drafts that the caller may see, `as_of` the rows
-- that there were at an earlier place in the history. `everybody` and `past` are the former names of `published_view` and `as_of`:
-- instances of the version before read through them. Without these views the search path of such an instance would lead to the tables
-- themselves, drafts and all: so they go only when no such instance can still run.
create or replace function public.show(target text, type text) returns void language plpgsql as $$
declare
    drafts text := case target
        when 'policies' then 'public.sees_drafts(t.organization_id)'
        else '(select public.sees_drafts(p.organization_id) from public.policies p where p.id = t.policy_id)'
    end;
    columns text := (
        select string_agg(format('v.%I', a.attname), ', ' order by a.attnum)
        from pg_attribute a
        where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped);
    -- What there was at a moment of the goals is about as much as of their policies: PostgreSQL would take it for chance, expect
    -- next to nothing of a join, and read all of it. It does not see through this, and expects all there ever was.
    held text := '(case when v.from_seq <= public.as_of() and v.until_seq > public.as_of() then true end) is not null';
    schema text;
begin
    perform derived.keep_versions(target, type);
    -- Organizations are public: only their past takes a view.
    if target <> 'organizations' then
        foreach schema in array array['published_view', 'everybody'] loop
            execute format('create or replace view %2$I.%1$I as select t.* from public.%1$I t where t.public', target, schema);
        end loop;
        execute format('create or replace view visible.%1$I as select t.* from public.%1$I t where t.public or %2$s', target, drafts);
    end if;
    foreach schema in array array['as_of', 'past'] loop
        execute format($v$
            create or replace view %6$I.%1$I as
            select %2$s
            from derived.%1$s_versions v
            where %3$s %4$s %5$s
            $v$, target, columns, held,
            -- Lists that begin with the latest year pass over what came after the moment within the index.
            case when target in ('budgets', 'results') then 'and v.from_seq <= public.as_of()' end,
            case when target <> 'organizations' then 'and (v.public or public.sees_drafts(v.organization_id))' end,
            schema);
    end loop;
end
$$;

select public.show('organizations', 'organization');
select public.show('policies', 'policy');
select public.show('self_evaluations', 'self_evaluation');
select public.show('goals', 'goal');
select public.show('budgets', 'budget');
select public.show('indicators', 'indicator');
select public.show('results', 'result');

-- Every revision is public.
create or replace view as_of.revisions as select t.* from public.revisions t where t.seq <= public.as_of();
create or replace view past.revisions as select t.* from public.revisions t where t.seq <= public.as_of();

-- The history as a caller may see it: a change is there if it changed what the caller sees, with the state before and
-- after as far as the caller sees it, and with who made it for those who see drafts.
create or replace view public.changes as
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

-- When results and indicators of organizations went, or indicators left their series, as far as the reader saw them: what is left shows
-- nothing of it. Of these views the reader's search path finds one, as of the tables.
do $$
declare
    schema text;
    seen text;
begin
    for schema, seen in values
        ('public', 'true'),
        ('published_view', 'c.was_public'),
        ('everybody', 'c.was_public'),
        ('visible', '(c.was_public or public.sees_drafts(c.organization_id))'),
        ('as_of', '(c.was_public or public.sees_drafts(c.organization_id)) and c.seq <= public.as_of()'),
        ('past', '(c.was_public or public.sees_drafts(c.organization_id)) and c.seq <= public.as_of()')
    loop
        execute format($v$
            create or replace view %I.removals as
            select c.seq, c.organization_id, c.at
            from public.change_log c
            where public.is_removal(c.type, c.op, c.fields) and %s
            $v$, schema, seen);
    end loop;
end
$$;

-- Policies that were ever published, withdrawn ones too: what was published stays readable.
create or replace view public.published as
select p.id as policy_id, p.fiscal_year, o.slug, o.municipality_code
from public.policies p
join public.organizations o on o.id = p.organization_id
where exists (select from public.revisions r where r.policy_id = p.id);
