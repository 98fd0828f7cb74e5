-- How a write begins, in which order writes come, and what each row notes of it.

-- The time of this transaction's writes. Writers take one lock, so times and numbers are in commit order; and the time
-- is the same throughout the transaction, so that no moment of the past shows half of one. It is shown to readers, while the
-- transaction is open, as a lock with the moment for its key, negative.
create or replace function public.write_time() returns timestamptz language plpgsql as $$
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
    perform pg_advisory_xact_lock_shared(-(extract(epoch from moment) * 1000000)::bigint);
    return moment;
end
$$;

-- The last moment that is settled: the present where no write is open, else the moment before that of the open write, and never before
-- that of the last change. A reader must begin after asking. The clock is read first, so that a write that begins later has a later moment.
create or replace function public.settled() returns timestamptz language plpgsql as $$
declare
    moment timestamptz := clock_timestamp() - interval '1 microsecond';
begin
    if not pg_try_advisory_xact_lock_shared(8617420240402) then
        select to_timestamp(0) + (min(-((classid::bigint << 32) | objid::bigint)) - 1) * interval '1 microsecond'
        into moment
        from pg_locks
        where locktype = 'advisory' and objsubid = 1 and classid::bigint >= 2147483648
            and database = (select oid from pg_database where datname = current_database());
    end if;
    return greatest(moment, (select at from public.change_log order by seq desc limit 1));
end
$$;

-- How a write begins: it waits for its turn and says who writes, from which request, and why.
-- Gives the last number of the history so far.
create or replace function public.begin_write(actor text, token text, request text, reason text) returns bigint language plpgsql as $$
declare
    last bigint;
begin
    perform set_config('ward_policy.at', '', true);
    perform public.write_time();
    last := coalesce((select max(seq) from public.change_log), 0);
    perform set_config('ward_policy.actor', actor, true), set_config('ward_policy.token', token, true),
            set_config('ward_policy.request', request, true), set_config('ward_policy.reason', reason, true),
            set_config('ward_policy.begun_after', last::text, true);
    return last;
end
$$;

-- How a trial begins: it says who tries, from which request, and why.
create or replace function public.begin_trial(actor text, token text, request text, reason text) returns void language plpgsql as $$
begin
    perform set_config('ward_policy.trial', 'on', true), set_config('ward_policy.at', clock_timestamp()::text, true),
            set_config('ward_policy.actor', actor, true), set_config('ward_policy.token', token, true),
            set_config('ward_policy.request', request, true), set_config('ward_policy.reason', reason, true),
            set_config('search_path', 'trial, ' || current_setting('search_path'), true),
            set_config('application_name', 'ward-policy trial', true);
end
$$;

-- What this write or trial has changed so far. However long the history, few rows are expected of a function: PostgreSQL plans a statement
-- about them once.
create or replace function public.find_open_changes() returns setof public.change_log stable rows 10 language plpgsql as $$
begin
    if current_setting('ward_policy.trial', true) = 'on' then
        return query select * from trial.change_log;
    else
        return query select * from public.change_log where seq > nullif(current_setting('ward_policy.begun_after', true), '')::bigint;
    end if;
end
$$;

-- Of this, what everybody sees or saw; revisions only follow such changes.
create or replace view public.public_changes as
select seq, type, row_id, organization_id, policy_id, key, before, after, was_public
from public.find_open_changes() where (was_public or is_public) and type <> 'revision';

-- Whether anybody waits for a lock that this process holds, but for other trials.
create or replace function public.is_in_the_way(process integer) returns boolean language sql as $$
    select exists (
        select from pg_catalog.pg_locks w join pg_catalog.pg_stat_activity a using (pid)
        where not w.granted and a.application_name <> 'ward-policy trial' and process = any (pg_catalog.pg_blocking_pids(w.pid)))
$$;

-- Refuses to commit a trial.
create or replace function trial.refuse_commit() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'restrict_violation', message = 'a trial is never committed';
end
$$;

-- Refuses to change or remove a row of a table that is only added to.
create or replace function public.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'restrict_violation', message = tg_table_name || ' is append-only';
end
$$;

-- Counts the version of a row up and sets its times. An update that changes nothing does not happen.
create or replace function public.touch() returns trigger language plpgsql as $$
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

-- Gives a table the trigger that keeps the versions and times of its rows.
create or replace function public.keep_touched(target regclass) returns void language plpgsql as $$
begin
    execute format('drop trigger if exists %I on %s', target || '_touch', target);
    execute format('create trigger %I before insert or update on %s for each row execute function public.touch()', target || '_touch', target);
end
$$;
