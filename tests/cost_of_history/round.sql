-- One round: new results one by one, each in a transaction of its own, on disk and on its way there; changes; 1,000 at once.
select set_config('measured.round', :'round', false), set_config('measured.kept', (:'database' = 'kept')::text, false);
set synchronous_commit = on;
do $$
declare
    round integer := current_setting('measured.round')::integer;
    kept boolean := current_setting('measured.kept')::boolean;
    indicator uuid;
    begun timestamptz;
    took double precision[] := '{}';
begin
    for indicator in select id from measured_indicators order by position loop
        begun := clock_timestamp();
        if kept then
            perform begin_write('measurement', '', 'request', '');
        end if;
        insert into results (id, indicator_id, fiscal_year, value, observation_status, text, comment)
        values (gen_random_uuid(), indicator, 1950 + round, 57, 'final', '57%', '区民アンケートによる');
        commit;
        took := took || 1000 * extract(epoch from clock_timestamp() - begun)::double precision;
    end loop;
    insert into measured select 'a', percentile_cont(0.5) within group (order by t), 'insert_of_one_result,_durable' from unnest(took) as t;
    commit;
    took := '{}';
    for indicator in select id from measured_indicators order by position loop
        begun := clock_timestamp();
        perform set_config('synchronous_commit', 'off', true);
        if kept then
            perform begin_write('measurement', '', 'request', '');
        end if;
        insert into results (id, indicator_id, fiscal_year, value, observation_status, text, comment)
        values (gen_random_uuid(), indicator, 2080 + round, 57, 'final', '57%', '区民アンケートによる');
        commit;
        took := took || 1000 * extract(epoch from clock_timestamp() - begun)::double precision;
    end loop;
    insert into measured select 'b', percentile_cont(0.5) within group (order by t), 'the_same,_not_waiting_for_the_disk' from unnest(took) as t;
    commit;
    took := '{}';
    for indicator in select id from measured_indicators order by position loop
        begun := clock_timestamp();
        if kept then
            perform begin_write('measurement', '', 'request', '');
        end if;
        update results set value = 58 where indicator_id = indicator and fiscal_year = 1950 + round;
        commit;
        took := took || 1000 * extract(epoch from clock_timestamp() - begun)::double precision;
    end loop;
    insert into measured select 'c', percentile_cont(0.5) within group (order by t), 'update_of_one_result,_durable' from unnest(took) as t;
    commit;
    begun := clock_timestamp();
    if kept then
        perform begin_write('measurement', '', 'request', '');
    end if;
    insert into results (id, indicator_id, fiscal_year, value, observation_status, text, comment)
    select gen_random_uuid(), id, 1970 + 10 * round + n, 57, 'final', '57%', '区民アンケートによる'
    from measured_indicators, generate_series(0, 9) as n;
    commit;
    insert into measured values ('d', 1000 * extract(epoch from clock_timestamp() - begun), 'insert_of_1,000_results_at_once');
    commit;
end
$$;
