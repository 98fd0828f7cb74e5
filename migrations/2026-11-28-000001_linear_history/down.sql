-- The functions as they were.
create or replace function write_history(
    target text, type text, joins text, organization text, policy text, key text,
    version text default 't.version', public text default 't.public', dropped text[] default '{}'
) returns void language plpgsql as $make$
declare
    state text := format('to_jsonb(t) - %L::text[]', dropped);
    of_one text := format('t.id, %s, %s, %s', organization, policy, key);
    created text := format($$array(
        select ('create', %L, %s, null, %s, null, %s, false, %s)::public.change_draft from %%s t %s order by t.id)$$,
        type, of_one, version, state, public, joins);
begin
    execute format($f$
        create or replace function %1$s_history() returns trigger language plpgsql set timezone = 'Asia/Tokyo' as $t$
        begin
            if tg_op = 'INSERT' then
                perform public.append_changes(%2$s);
            elsif tg_op = 'DELETE' then
                perform public.append_changes(array(
                    select ('delete', %3$L, %4$s, null, %5$s, %6$s, null, %7$s, false)::public.change_draft
                    from old_rows t %8$s order by t.id));
            else
                perform public.append_changes(array(
                    select (
                        case when b.was = %7$s then 'update' when b.was then 'withdraw' else 'publish' end,
                        %3$L, %4$s, nullif(b.key, %9$s), %5$s, b.state, %6$s, b.was, %7$s)::public.change_draft
                    from new_rows t %8$s
                    join (select t.id, %9$s as key, %6$s as state, %7$s as was from old_rows t %8$s) b on b.id = t.id
                    order by t.id));
            end if;
            return null;
        end
        $t$
        $f$, target, format(created, 'new_rows'), type, of_one, version, state, public, joins, key);
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
drop function write_history;

create or replace function keep_history(
    target text, type text, joins text, organization text, policy text, key text,
    version text default 't.version', public text default 't.public', dropped text[] default '{}'
) returns void language plpgsql as $make$
declare
    state text := format('to_jsonb(t) - %L::text[]', dropped);
    of_one text := format('t.id, %s, %s, %s', organization, policy, key);
    created text := format($$array(
        select ('create', %L, %s, null, %s, null, %s, false, %s)::public.change_draft from %%s t %s order by t.id)$$,
        type, of_one, version, state, public, joins);
begin
    execute format($f$
        create function %1$s_history() returns trigger language plpgsql set timezone = 'Asia/Tokyo' as $t$
        begin
            if tg_op = 'INSERT' then
                perform public.append_changes(%2$s);
            elsif tg_op = 'DELETE' then
                perform public.append_changes(array(
                    select ('delete', %3$L, %4$s, null, %5$s, %6$s, null, %7$s, false)::public.change_draft
                    from old_rows t %8$s order by t.id));
            else
                perform public.append_changes(array(
                    select (
                        case when b.was = %7$s then 'update' when b.was then 'withdraw' else 'publish' end,
                        %3$L, %4$s, nullif(b.key, %9$s), %5$s, b.state, %6$s, b.was, %7$s)::public.change_draft
                    from new_rows t %8$s
                    join (select t.id, %9$s as key, %6$s as state, %7$s as was from old_rows t %8$s) b on b.id = t.id
                    order by t.id));
            end if;
            return null;
        end
        $t$
        $f$, target, format(created, 'new_rows'), type, of_one, version, state, public, joins, key);
    execute format('create trigger %1$s_create_history after insert on %1$s referencing new table as new_rows
        for each statement execute function %1$s_history()', target);
    execute format('create trigger %1$s_update_history after update on %1$s referencing old table as old_rows new table as new_rows
        for each statement execute function %1$s_history()', target);
    execute format('create trigger %1$s_delete_history after delete on %1$s referencing old table as old_rows
        for each statement execute function %1$s_history()', target);
    execute format('select append_changes(%s)', format(created, target));
end
$make$;
