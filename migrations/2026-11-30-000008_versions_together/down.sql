drop trigger change_log_enter_versions on public.change_log;
drop function derived.enter_versions(), derived.write_enter_versions();

-- Keeps the versions of a table's rows, with all columns that the table has by now: those that there are, and those to come.
create or replace function derived.keep_versions(target text, type text) returns void language plpgsql as $make$
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

do $$
declare
    of record;
begin
    for of in select * from derived.versioned loop
        perform derived.keep_versions(of.target, of.type);
        execute format($t$
            create trigger change_log_keep_%1$s after insert on public.change_log for each row when (new.type = %2$L)
            execute function derived.%1$s_version()$t$, of.target, of.type);
    end loop;
end
$$;
drop table derived.versioned;

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
