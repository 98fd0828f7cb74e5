-- The history: what each change of a row leaves in it.

-- The columns that two states differ in, but for those that always do.
create or replace function public.changed_fields(before jsonb, after jsonb) returns text[] immutable language sql as $$
    select coalesce(array_agg(a.key order by a.key), '{}')
    from jsonb_each(after) as a
    join jsonb_each(before) as b on b.key = a.key
    where a.value <> b.value and a.key not in ('version', 'updated_at')
$$;

-- What the hash of a change is taken of, after the hash of the one before.
create or replace function public.change_text(c public.change_log) returns text stable language sql as $$
    select row(
        c.seq, extract(epoch from c.at), c.actor, c.token_id, c.request_id, c.op, c.type, c.row_id, c.organization_id,
        c.policy_id, c.key, c.previous_key, c.version, c.fields, c.reason, c.before, c.after, c.was_public, c.is_public)::text
$$;

-- A step of the aggregate `chain`: the hash of a change that follows the one with this hash.
create or replace function public.chain_step(hash bytea, first bytea, body text) returns bytea immutable language plpgsql as $$
begin
    return sha256(coalesce(hash, first) || convert_to(body, 'UTF8'));
end
$$;

-- Gives changes their places in the history, or in the log of a trial. Refuses what nobody did, and what changes the public's view
-- without a reason.
create or replace function public.append_changes(drafts public.change_draft[]) returns void language plpgsql as $$
declare
    actor text := current_setting('ward_policy.actor', true);
    reason text := nullif(current_setting('ward_policy.reason', true), '');
    moment timestamptz;
    last_seq bigint;
    last_hash bytea;
begin
    if cardinality(drafts) = 0 then
        return;
    end if;
    if coalesce(actor, '') = '' then
        raise exception using errcode = 'check_violation', constraint = 'change_log_actor_stated',
            message = 'nobody is said to make this change: see begin_write()';
    end if;
    if reason is null and exists (
        select from unnest(drafts) as d
        where (d.was_public or d.is_public and d.op = 'create') and d.type <> 'revision'
            and not (d.type = 'organization' and d.op = 'create')
            and not (d.type = 'policy' and d.before ->> 'stage' <> d.after ->> 'stage')
    ) then
        raise exception using errcode = 'check_violation', constraint = 'change_log_reason_stated',
            message = 'what is public changes only for a reason';
    end if;
    if current_setting('ward_policy.trial', true) = 'on' then
        insert into trial.change_log (
            at, actor, op, type, row_id, organization_id, policy_id, key, previous_key, version, fields, reason, before, after,
            was_public, is_public, previous_hash, hash)
        select public.write_time(), actor, d.op, d.type, d.row_id, d.organization_id, d.policy_id, d.key, d.previous_key, d.version,
            case when d.before is null or d.after is null then '{}' else public.changed_fields(d.before, d.after) end, reason,
            d.before, d.after, d.was_public, d.is_public, '\x', '\x'
        from unnest(drafts) with ordinality as d (
            op, type, row_id, organization_id, policy_id, key, previous_key, version, before, after, was_public, is_public, n)
        order by d.n;
        return;
    end if;
    moment := public.write_time();
    select l.seq, l.hash into last_seq, last_hash from public.change_log as l order by l.seq desc limit 1;
    with placed as materialized (
        select row(
            coalesce(last_seq, 0) + d.n, moment, actor, nullif(current_setting('ward_policy.token', true), '')::uuid,
            nullif(current_setting('ward_policy.request', true), ''), d.op, d.type, d.row_id, d.organization_id, d.policy_id,
            d.key, d.previous_key, d.version,
            case when d.before is null or d.after is null then '{}' else public.changed_fields(d.before, d.after) end, reason, d.before, d.after, d.was_public,
            d.is_public, null, null)::public.change_log as c
        from unnest(drafts) with ordinality as d (
            op, type, row_id, organization_id, policy_id, key, previous_key, version, before, after, was_public, is_public, n)
    ), chained as (
        select c, public.chain(coalesce(last_hash, '\x'), public.change_text(c)) over (order by (c).seq rows unbounded preceding) as hash
        from placed
    )
    insert into public.change_log
    select (c).seq, (c).at, (c).actor, (c).token_id, (c).request_id, (c).op, (c).type, (c).row_id, (c).organization_id,
        (c).policy_id, (c).key, (c).previous_key, (c).version, (c).fields, (c).reason, (c).before, (c).after, (c).was_public,
        (c).is_public, coalesce(lag(hash) over (order by (c).seq), last_hash, '\x'), hash
    from chained
    order by (c).seq;
    -- Wakes who waits: the last number, whether the public may see it, and whose it is.
    perform pg_notify('ward_policy_changes',
        format('%s %s %s', coalesce(last_seq, 0) + cardinality(drafts), d.public, coalesce(d.organization_id::text, '-')))
    from (select distinct was_public or is_public as public, organization_id from unnest(drafts)) as d;
end
$$;

-- Writes the function by which a table's changes become history. The arguments are those of `keep_history`. Both states of an updated row
-- are brought together by a window, not by a join: the plan that a session keeps for a join was made for one row, and looked at every
-- row once for each.
create or replace function public.write_history(
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
        create or replace function public.%1$s_history() returns trigger language plpgsql set timezone = 'Asia/Tokyo' as $t$
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

-- Makes a table's changes history: from now on, and the rows that there are when it is called first. The arguments are SQL about a row
-- `t` and the tables that `joins` adds: whose it is, which policy's, its natural key, its version, whether it is public, and columns that
-- history does not keep.
create or replace function public.keep_history(
    target text, type text, joins text, organization text, policy text, key text,
    version text default 't.version', public text default 't.public', dropped text[] default '{}'
) returns void language plpgsql set timezone = 'Asia/Tokyo' as $make$
begin
    perform public.write_history(target, type, joins, organization, policy, key, version, public, dropped);
    if exists (
        select from pg_trigger where tgrelid = format('public.%I', target)::regclass and tgname = target || '_create_history'
    ) then
        return;
    end if;
    execute format('create trigger %1$s_create_history after insert on public.%1$s referencing new table as new_rows
        for each statement execute function public.%1$s_history()', target);
    execute format('create trigger %1$s_update_history after update on public.%1$s referencing old table as old_rows new table as new_rows
        for each statement execute function public.%1$s_history()', target);
    execute format('create trigger %1$s_delete_history after delete on public.%1$s referencing old table as old_rows
        for each statement execute function public.%1$s_history()', target);
    perform public.begin_write('ward-policy', '', '', '履歴の開始 (beginning of the history)');
    execute format($$select public.append_changes(array(
        select ('create', %L, t.id, %s, %s, %s, null, %s, null, to_jsonb(t) - %L::text[], false, %s)::public.change_draft
        from public.%s t %s order by t.id))$$,
        type, organization, policy, key, version, dropped, public, target, joins);
end
$make$;

select public.keep_history('organizations', 'organization', '', 't.id', 'null::uuid',
    $$jsonb_build_object('organization', t.slug)$$, public => 'true');
select public.keep_history('policies', 'policy', 'join public.organizations o on o.id = t.organization_id', 't.organization_id', 't.id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', t.fiscal_year)$$);
select public.keep_history('self_evaluations', 'self_evaluation',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year)$$);
select public.keep_history('goals', 'goal',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', t.code)$$);
select public.keep_history('budgets', 'budget',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'budget_year', t.fiscal_year, 'kind', t.kind)$$);
select public.keep_history('indicators', 'indicator',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', t.name)$$);
select public.keep_history('results', 'result',
    'join public.indicators i on i.id = t.indicator_id join public.goals g on g.id = i.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', i.name, 'result_year', t.fiscal_year)$$);
-- Tokens have a history that is never public, and in which nobody reads their hashes.
select public.keep_history('tokens', 'token', '', 'null::uuid', 'null::uuid', $$jsonb_build_object('token', t.name)$$,
    public => 'false', dropped => '{hash}');
select public.keep_history('revisions', 'revision',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'revision', t.number)$$,
    version => 't.number', public => 'true', dropped => '{document}');
