-- What an update of many rows leaves in the history takes time in proportion to them. Both states of a row came together in a
-- join, whose plan a session keeps: made for one row, it looked at every row once for each.

-- What a table's history is written by. The arguments are those of `keep_history`.
create function write_history(
    target text, type text, joins text, organization text, policy text, key text,
    version text default 't.version', public text default 't.public', dropped text[] default '{}'
) returns void language plpgsql as $make$
declare
    state text := format('to_jsonb(t) - %L::text[]', dropped);
    row_at text := format(
        't.id, %s as organization_id, %s as policy_id, %s as key, %s as version, %s as state, %s as public from %%s t %s',
        organization, policy, key, version, state, public, joins);
begin
    execute format($f$
        create or replace function %1$s_history() returns trigger language plpgsql set timezone = 'Asia/Tokyo' as $t$
        begin
            if tg_op = 'INSERT' then
                perform public.append_changes(array(
                    select ('create', %2$L, s.id, s.organization_id, s.policy_id, s.key, null, s.version, null, s.state, false,
                        s.public)::public.change_draft
                    from (select %3$s) as s
                    order by s.id));
            elsif tg_op = 'DELETE' then
                perform public.append_changes(array(
                    select ('delete', %2$L, s.id, s.organization_id, s.policy_id, s.key, null, s.version, s.state, null, s.public,
                        false)::public.change_draft
                    from (select %4$s) as s
                    order by s.id));
            else
                perform public.append_changes(array(
                    select (
                        case when s.was = s.public then 'update' when s.was then 'withdraw' else 'publish' end,
                        %2$L, s.id, s.organization_id, s.policy_id, s.key, nullif(s.former_key, s.key), s.version, s.former_state,
                        s.state, s.was, s.public)::public.change_draft
                    from (
                        select s.*, lag(s.key) over of_one as former_key, lag(s.state) over of_one as former_state,
                            lag(s.public) over of_one as was
                        from (select false as is_new, %4$s union all select true, %3$s) as s
                        window of_one as (partition by s.id order by s.is_new)
                    ) as s
                    where s.is_new
                    order by s.id));
            end if;
            return null;
        end
        $t$
        $f$, target, type, format(row_at, 'new_rows'), format(row_at, 'old_rows'));
end
$make$;

-- Makes a table's changes history: from now on, and what it holds already. The arguments are SQL about a row `t` and the
-- tables that `joins` adds: whose it is, which policy's, its natural key, its version, whether it is public, and columns
-- that history does not keep.
create or replace function keep_history(
    target text, type text, joins text, organization text, policy text, key text,
    version text default 't.version', public text default 't.public', dropped text[] default '{}'
) returns void language plpgsql as $make$
begin
    perform write_history(target, type, joins, organization, policy, key, version, public, dropped);
    execute format('create trigger %1$s_create_history after insert on %1$s referencing new table as new_rows
        for each statement execute function %1$s_history()', target);
    execute format('create trigger %1$s_update_history after update on %1$s referencing old table as old_rows new table as new_rows
        for each statement execute function %1$s_history()', target);
    execute format('create trigger %1$s_delete_history after delete on %1$s referencing old table as old_rows
        for each statement execute function %1$s_history()', target);
    execute format($$select append_changes(array(
        select ('create', %L, t.id, %s, %s, %s, null, %s, null, to_jsonb(t) - %L::text[], false, %s)::public.change_draft
        from %s t %s order by t.id))$$,
        type, organization, policy, key, version, dropped, public, target, joins);
end
$make$;

select write_history('organizations', 'organization', '', 't.id', 'null::uuid',
    $$jsonb_build_object('organization', t.slug)$$, public => 'true');
select write_history('policies', 'policy', 'join public.organizations o on o.id = t.organization_id', 't.organization_id', 't.id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', t.fiscal_year)$$);
select write_history('self_evaluations', 'self_evaluation',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year)$$);
select write_history('goals', 'goal',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', t.code)$$);
select write_history('budgets', 'budget',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'budget_year', t.fiscal_year, 'kind', t.kind)$$);
select write_history('indicators', 'indicator',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', t.name)$$);
select write_history('results', 'result',
    'join public.indicators i on i.id = t.indicator_id join public.goals g on g.id = i.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', i.name, 'result_year', t.fiscal_year)$$);
-- Who may write is history too, but never public; nobody reads a token's hash there.
select write_history('tokens', 'token', '', 'null::uuid', 'null::uuid', $$jsonb_build_object('token', t.name)$$,
    public => 'false', dropped => '{hash}');
select write_history('revisions', 'revision',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'revision', t.number)$$,
    version => 't.number', public => 'true', dropped => '{document}');
