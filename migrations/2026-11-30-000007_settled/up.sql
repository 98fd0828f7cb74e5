-- A moment of the past is settled once no write can still take its place there: what is read of it is the same for ever.

-- The time of this transaction's writes. Writers take one lock, so times and numbers are in commit order; and the time
-- is the same throughout the transaction, so that no moment of the past shows half of one. It is shown to readers, while the
-- transaction is open, as a lock with the moment for its key, negative.
create or replace function write_time() returns timestamptz language plpgsql as $$
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

-- The last moment that is settled: that of the last change, or where no write is open the present, or else the one before that of
-- the write which is. Whoever reads must begin after asking. The clock is read first: a write that begins later has a later moment.
create function settled() returns timestamptz language plpgsql as $$
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
