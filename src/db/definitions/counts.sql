-- What is counted beforehand: evaluations for summaries, and what answers to repeatable requests take.

-- Marks the counts of organizations of which something public has changed. Of counts that held until then it notes by which rules, and
-- which transaction it is that marks them.
create or replace function derived.mark() returns trigger language plpgsql as $$
begin
    insert into derived.tallied as t (organization_id, rules)
    select distinct organization_id, 0 from new_rows where (was_public or is_public) and organization_id is not null
    on conflict (organization_id) do update set
        held_rules = case t.rules when 0 then t.held_rules else t.rules end,
        marked_in = case t.rules when 0 then t.marked_in else txid_current() end,
        rules = 0;
    return null;
end
$$;

-- Adds to the counts of organizations what they have gained or lost, after which they hold by these rules. Says whether the counts were such
-- that they could lose it; if not, some are wrong.
create or replace function derived.change_tallies(organizations uuid[], deltas jsonb, by_rules integer) returns boolean language plpgsql as $$
declare
    least integer;
begin
    with delta as (
        select * from jsonb_populate_recordset(null::derived.tallies, deltas)
    ), former as (
        delete from derived.tallies t using delta d
        where t.organization_id = d.organization_id and t.policy_year = d.policy_year and t.fiscal_year = d.fiscal_year and t.kind = d.kind
            and t.due_on = d.due_on and t.late is not distinct from d.late and t.outcome = d.outcome
            and t.reason is not distinct from d.reason and t.rating is not distinct from d.rating and t.inconsistent = d.inconsistent
        returning t.*
    ), sums as (
        select organization_id, policy_year, fiscal_year, kind, due_on, late, outcome, reason, rating, inconsistent, sum(count)::integer as count
        from (table former union all table delta) as all_of_them
        group by organization_id, policy_year, fiscal_year, kind, due_on, late, outcome, reason, rating, inconsistent
    ), added as (
        insert into derived.tallies select * from sums where count > 0
    )
    select min(count) into least from sums;
    update derived.tallied set rules = by_rules where organization_id = any (organizations);
    return coalesce(least, 0) >= 0;
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
