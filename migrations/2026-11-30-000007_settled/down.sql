drop function settled();
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
    return moment;
end
$$;
