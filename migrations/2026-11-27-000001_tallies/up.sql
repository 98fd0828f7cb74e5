-- What evaluations come to, as everybody sees them, counted: for summaries that would evaluate everything otherwise.
-- Derived, and never history: the service counts an organization anew whenever something public of it has changed. Every
-- change marks the count it may turn, so that who does not count, an older service or a person with SQL, is found out.

create schema derived;

-- By which number of the rules an organization was counted; 0 for a count that no longer holds.
create table derived.tallied (
    organization_id uuid primary key,
    rules integer not null
);
create index tallied_rules_idx on derived.tallied (rules);
insert into derived.tallied (organization_id, rules) select id, 0 from organizations;

create function derived.mark() returns trigger language plpgsql as $$
begin
    insert into derived.tallied (organization_id, rules)
    select distinct organization_id, 0 from new_rows where (was_public or is_public) and organization_id is not null
    on conflict (organization_id) do update set rules = 0;
    return null;
end
$$;
create trigger change_log_mark_tallies after insert on change_log referencing new table as new_rows
    for each statement execute function derived.mark();

-- How many evaluations come to the same. Which that is may turn once, after the day on which results are due: those rows say
-- whether they count before it or after it.
create table derived.tallies (
    organization_id uuid not null,
    policy_year integer not null,
    fiscal_year integer not null,
    kind text not null,
    due_on date not null,
    late boolean,
    outcome text not null,
    reason text,
    rating text,
    inconsistent boolean not null,
    count integer not null
);
create index tallies_organization_idx on derived.tallies (organization_id);

-- The same of all organizations together.
create table derived.totals (
    policy_year integer not null,
    fiscal_year integer not null,
    kind text not null,
    due_on date not null,
    late boolean,
    outcome text not null,
    reason text,
    rating text,
    inconsistent boolean not null,
    count integer not null,
    constraint totals_unique unique nulls not distinct
        (policy_year, fiscal_year, kind, due_on, late, outcome, reason, rating, inconsistent)
);

create function derived.add_up() returns trigger language plpgsql as $$
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
create trigger tallies_add after insert on derived.tallies referencing new table as rows
    for each statement execute function derived.add_up();
create trigger tallies_take_away after delete on derived.tallies referencing old table as rows
    for each statement execute function derived.add_up();

-- Both, to be read alike: the rows of no organization are those of all together.
create view derived.counted as
select * from derived.tallies
union all
select null::uuid, t.* from derived.totals t;
