-- The past is read by key, in the orders of the present, so that a page costs what it holds and not what the history does. Every
-- state that a row had stands in a table with the row's own columns, and the changes by which it came and went. Derived from the
-- history: every change of it is entered here by a trigger.

-- The number of a change that there is not yet: until then holds what still is.
create function derived.never() returns bigint immutable parallel safe language sql as $$
    select 9223372036854775807
$$;

-- Keeps the versions of a table's rows, with all columns that the table has by now: those that there are, and those to come.
create function derived.keep_versions(target text, type text) returns void language plpgsql as $make$
declare
    is_new boolean := to_regclass(format('derived.%I', target || '_versions')) is null;
    missing text;
    columns text;
    of_state text;
begin
    -- Room on every page, so that it is noted in place when a version ends.
    if is_new then
        execute format($$
            create table derived.%1$s_versions (
                from_seq bigint not null,
                until_seq bigint not null default derived.never(),
                id uuid not null,
                organization_id uuid,
                constraint %1$s_versions_pkey primary key (id, from_seq)
            ) with (fillfactor = 80)$$, target);
        -- How many came before a moment is not to be guessed: see `show`.
        execute format('alter table derived.%s_versions alter column from_seq set statistics 0', target);
    end if;
    for missing in
        select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
        from pg_attribute a
        where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped
            and not exists (
                select from pg_attribute v
                where v.attrelid = format('derived.%I', target || '_versions')::regclass and v.attname = a.attname and not v.attisdropped)
        order by a.attnum
    loop
        execute format('alter table derived.%s_versions add column %s', target, missing);
    end loop;
    select string_agg(format('%I', a.attname), ', ' order by a.attnum), string_agg(format('state.%I', a.attname), ', ' order by a.attnum)
    into columns, of_state
    from pg_attribute a
    where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped
        and a.attname not in ('id', 'organization_id');
    -- Plans are made when the table is still empty, and kept.
    execute format($f$
        create or replace function derived.%1$s_version() returns trigger language plpgsql set enable_seqscan = off as $t$
        begin
            if new.before is not null then
                update derived.%1$s_versions set until_seq = new.seq where id = new.row_id and until_seq = derived.never();
            end if;
            if new.after is not null then
                insert into derived.%1$s_versions (from_seq, id, organization_id, %2$s)
                select new.seq, new.row_id, new.organization_id, %3$s from jsonb_populate_record(null::public.%1$s, new.after) as state;
            end if;
            return null;
        end
        $t$
        $f$, target, columns, of_state);
    if is_new then
        execute format($$
            create trigger change_log_keep_%1$s after insert on public.change_log for each row when (new.type = %2$L)
            execute function derived.%1$s_version()$$, target, type);
        execute format($$
            insert into derived.%1$s_versions (from_seq, until_seq, id, organization_id, %3$s)
            select c.seq, c.until_seq, c.row_id, c.organization_id, %4$s
            from (
                select seq, lead(seq, 1, derived.never()) over (partition by row_id order by seq) as until_seq, row_id, organization_id, after
                from public.change_log
                where type = %2$L
            ) as c
            cross join lateral jsonb_populate_record(null::public.%1$s, c.after) as state
            where c.after is not null
            order by c.row_id, c.seq$$, target, type, columns, of_state);
    end if;
end
$make$;

create or replace function show(target text, type text) returns void language plpgsql as $$
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
begin
    perform derived.keep_versions(target, type);
    -- Organizations are public, and in no schema but that of the past.
    if target <> 'organizations' then
        execute format('create view everybody.%1$I as select t.* from public.%1$I t where t.public', target);
        execute format('create view visible.%1$I as select t.* from public.%1$I t where t.public or %2$s', target, drafts);
    end if;
    execute format($v$
        create view past.%1$I as
        select %2$s
        from derived.%1$s_versions v
        where %3$s %4$s %5$s
        $v$, target, columns, held,
        -- Lists that begin with the latest year pass over what came after the moment within the index.
        case when target in ('budgets', 'results') then 'and v.from_seq <= public.as_of()' end,
        case when target <> 'organizations' then 'and (v.public or public.sees_drafts(v.organization_id))' end);
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
        execute format('drop view past.%I', of.target);
        if of.target <> 'organizations' then
            execute format('drop view everybody.%1$I, visible.%1$I', of.target);
        end if;
        perform public.show(of.target, of.type);
    end loop;
end
$$;
drop function past_columns(text);

-- As the tables have them, but for uniqueness, which holds at each place of the history and not over all of it; and results come
-- with the latest year first.
create index organizations_versions_slug_idx on derived.organizations_versions (slug);
create index policies_versions_organization_id_idx on derived.policies_versions (organization_id, fiscal_year);
create index policies_versions_fiscal_year_idx on derived.policies_versions (fiscal_year, id);
create index self_evaluations_versions_policy_id_idx on derived.self_evaluations_versions (policy_id);
create index goals_versions_policy_id_idx on derived.goals_versions (policy_id, code);
create index goals_versions_code_order_idx on derived.goals_versions (public.goal_code_order(code), id);
create index budgets_versions_goal_id_idx on derived.budgets_versions (goal_id, fiscal_year);
create index budgets_versions_policy_id_idx on derived.budgets_versions (policy_id);
create index budgets_versions_fiscal_year_idx on derived.budgets_versions (fiscal_year, id, from_seq);
create index indicators_versions_goal_id_idx on derived.indicators_versions (goal_id);
create index indicators_versions_policy_id_idx on derived.indicators_versions (policy_id);
create index indicators_versions_series_id_idx on derived.indicators_versions (series_id);
create index indicators_versions_name_idx on derived.indicators_versions (name, id);
create index indicators_versions_search_idx on derived.indicators_versions using gin (public.search_grams(name));
create index results_versions_indicator_id_idx on derived.results_versions (indicator_id, fiscal_year);
create index results_versions_policy_id_idx on derived.results_versions (policy_id);
create index results_versions_fiscal_year_idx on derived.results_versions (fiscal_year desc, id, from_seq);

-- The last change at a moment, by key: its number is the greatest of that moment.
create index change_log_moment_idx on change_log (at, seq);
drop index change_log_at_idx;
-- The revisions of a year's policies, by the names these had.
create index change_log_revision_idx on change_log ((key ->> 'fiscal_year'), (key ->> 'organization')) where type = 'revision';
-- Nobody reads a policy's changes by the row any more.
drop index change_log_policy_idx;
