-- The history: every change of every row, in commit order, each chained to the one before by its hash.

create table change_log (
    seq bigint primary key,
    at timestamptz not null,
    actor text not null,
    token_id uuid,
    request_id text,
    op text not null,
    type text not null,
    row_id uuid not null,
    organization_id uuid,
    policy_id uuid,
    key jsonb not null,
    previous_key jsonb,
    version bigint not null,
    fields text[] not null,
    reason text,
    before jsonb,
    after jsonb,
    was_public boolean not null,
    is_public boolean not null,
    previous_hash bytea not null,
    hash bytea not null,
    constraint change_log_seq_positive check (seq > 0),
    constraint change_log_op_known check (op in ('create', 'update', 'delete', 'publish', 'withdraw')),
    constraint change_log_type_known check (type in (
        'organization', 'policy', 'self_evaluation', 'goal', 'budget', 'indicator', 'result', 'revision', 'token'))
);
create index change_log_row_idx on change_log (type, row_id, seq desc);
create index change_log_policy_idx on change_log (type, policy_id, row_id, seq desc);
create index change_log_at_idx on change_log (at);
create index change_log_public_idx on change_log (seq) where was_public or is_public;

-- Which history this is. Whoever restores a database from a copy gives it another epoch, and places in the old one hold no
-- more; most restores tell themselves, since places carry a hash too.
create table change_epoch (
    single boolean primary key default true,
    epoch text not null default substr(replace(gen_random_uuid()::text, '-', ''), 1, 12),
    constraint change_epoch_single check (single)
);
insert into change_epoch default values;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'restrict_violation', message = tg_table_name || ' is append-only';
end
$$;
create trigger change_log_append_only before update or delete on change_log for each row execute function refuse_change();
create trigger change_log_not_emptied before truncate on change_log for each statement execute function refuse_change();

-- The time of this transaction's writes. Writers take one lock, so times and numbers are in commit order; and the time
-- is the same throughout the transaction, so that no moment of the past shows half of one.
create function write_time() returns timestamptz language plpgsql as $$
declare
    stated text := current_setting('ward_policy.at', true);
    moment timestamptz;
begin
    if stated <> '' then
        return stated::timestamptz;
    end if;
    perform pg_advisory_xact_lock(8617420240402);
    select greatest(clock_timestamp(), max(at) + interval '1 microsecond')
    into moment
    from (select at from public.change_log order by seq desc limit 1) as last;
    perform set_config('ward_policy.at', moment::text, true);
    return moment;
end
$$;

-- How a write begins: it waits for its turn and says who writes, from which request, and why.
-- Gives the last number of the history so far.
create function begin_write(actor text, token text, request text, reason text) returns bigint language plpgsql as $$
begin
    perform set_config('ward_policy.at', '', true);
    perform public.write_time();
    perform set_config('ward_policy.actor', actor, true), set_config('ward_policy.token', token, true),
            set_config('ward_policy.request', request, true), set_config('ward_policy.reason', reason, true);
    return coalesce((select max(seq) from public.change_log), 0);
end
$$;

create or replace function touch() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        new.version := 1;
        new.created_at := public.write_time();
        new.updated_at := new.created_at;
        return new;
    end if;
    if new is not distinct from old then
        return null;
    end if;
    new.id := old.id;
    new.version := old.version + 1;
    new.created_at := old.created_at;
    new.updated_at := public.write_time();
    return new;
end
$$;

create or replace function keep_touched(target regclass) returns void language plpgsql as $$
begin
    execute format('drop trigger if exists %I on %s', target || '_touch', target);
    execute format('create trigger %I before insert or update on %s for each row execute function public.touch()', target || '_touch', target);
end
$$;

-- A change, before it has its place.
create type change_draft as (
    op text, type text, row_id uuid, organization_id uuid, policy_id uuid, key jsonb, previous_key jsonb, version bigint,
    before jsonb, after jsonb, was_public boolean, is_public boolean
);

-- The columns that two states differ in, but for those that always do.
create function changed_fields(before jsonb, after jsonb) returns text[] immutable language sql as $$
    select coalesce(array_agg(a.key order by a.key), '{}')
    from jsonb_each(after) as a
    join jsonb_each(before) as b on b.key = a.key
    where a.value <> b.value and a.key not in ('version', 'updated_at')
$$;

-- What the hash of a change is taken of, after the hash of the one before.
create function change_text(c change_log) returns text stable language sql as $$
    select row(
        c.seq, extract(epoch from c.at), c.actor, c.token_id, c.request_id, c.op, c.type, c.row_id, c.organization_id,
        c.policy_id, c.key, c.previous_key, c.version, c.fields, c.reason, c.before, c.after, c.was_public, c.is_public)::text
$$;

create function chain_step(hash bytea, first bytea, body text) returns bytea immutable language plpgsql as $$
begin
    return sha256(coalesce(hash, first) || convert_to(body, 'UTF8'));
end
$$;
-- The hash of each change in a row of changes, the first of which follows the hash `first`.
create aggregate chain(first bytea, body text) (sfunc = chain_step, stype = bytea);

-- Gives changes their places in the history. Refuses what nobody did, and what changes the public's view without a reason.
create function append_changes(drafts change_draft[]) returns void language plpgsql as $$
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
    moment := public.write_time();
    select l.seq, l.hash into last_seq, last_hash from public.change_log as l order by l.seq desc limit 1;
    with placed as (
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

-- Makes a table's changes history: from now on, and what it holds already. The arguments are SQL about a row `t` and the
-- tables that `joins` adds: whose it is, which policy's, its natural key, its version, whether it is public, and columns
-- that history does not keep.
create function keep_history(
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

select keep_touched(t) from unnest(array['organizations', 'policies', 'self_evaluations', 'goals', 'budgets', 'indicators', 'results', 'tokens']) as t;

-- What is there already becomes the beginning of its history.
set local timezone = 'Asia/Tokyo';
select begin_write('ward-policy', '', '', '履歴の開始 (beginning of the history)');
select keep_history('organizations', 'organization', '', 't.id', 'null::uuid',
    $$jsonb_build_object('organization', t.slug)$$, public => 'true');
select keep_history('policies', 'policy', 'join public.organizations o on o.id = t.organization_id', 't.organization_id', 't.id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', t.fiscal_year)$$);
select keep_history('self_evaluations', 'self_evaluation',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year)$$);
select keep_history('goals', 'goal',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', t.code)$$);
select keep_history('budgets', 'budget',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'budget_year', t.fiscal_year, 'kind', t.kind)$$);
select keep_history('indicators', 'indicator',
    'join public.goals g on g.id = t.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', t.name)$$);
select keep_history('results', 'result',
    'join public.indicators i on i.id = t.indicator_id join public.goals g on g.id = i.goal_id join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id',
    'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'goal', g.code, 'indicator', i.name, 'result_year', t.fiscal_year)$$);
-- Who may write is history too, but never public; nobody reads a token's hash there.
select keep_history('tokens', 'token', '', 'null::uuid', 'null::uuid', $$jsonb_build_object('token', t.name)$$,
    public => 'false', dropped => '{hash}');
