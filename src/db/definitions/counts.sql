-- What is counted beforehand: evaluations for summaries, and what answers to repeatable requests take.

-- Marks the counts of organizations of which something public has changed.
create or replace function derived.mark() returns trigger language plpgsql as $$
begin
    insert into derived.tallied (organization_id, rules)
    select distinct organization_id, 0 from new_rows where (was_public or is_public) and organization_id is not null
    on conflict (organization_id) do update set rules = 0;
    return null;
end
$$;

-- Adds what an organization's counts have gained or lost to those of all organizations together.
create or replace function derived.add_up() returns trigger language plpgsql as $$
begin
    insert into derived.totals as t
    select policy_year, fiscal_year, kind, due_on, late, outcome, reason, rating, inconsistent,
        sum(case tg_op when 'DELETE' then -count else count end)
    from rows
    group by policy_year, fiscal_year, kind, due_on, late, outcome, reason, rating, inconsistent
    on conflict on constraint totals_unique do update set count = t.count + excluded.count;
    return null;
end
$$;

-- The counts of each organization, and as those of no organization the counts of all together.
create or replace view derived.counted as
select * from derived.tallies
union all
select null::uuid, t.* from derived.totals t;

-- Counts what a token's answers to repeatable requests take.
create or replace function derived.count_kept_answers() returns trigger language plpgsql as $$
declare
    step integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
    insert into derived.kept_answers as k (token_id, keys, bytes)
    select token_id, step * count(*), step * sum(octet_length(body)) from rows group by token_id
    on conflict (token_id) do update set keys = k.keys + excluded.keys, bytes = k.bytes + excluded.bytes;
    return null;
end
$$;
