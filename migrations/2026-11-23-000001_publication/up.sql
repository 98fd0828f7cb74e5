-- What the public may see: every row says whether it is public, and that follows from its policy.
-- Not additive: a service older than this cannot write to it, nor to anything that has a history.

alter table policies
    add column stage text not null default 'draft',
    add column plan_published_on date,
    add column results_published_on date,
    add column public boolean not null default false,
    add constraint policies_stage_known check (stage in ('draft', 'plan', 'results', 'withdrawn')),
    add constraint policies_published_dates_coherent check (
        (stage = 'draft' or plan_published_on is not null) and (stage <> 'results' or results_published_on is not null));

-- How an organization judges its year is published with the results, a year after the plan: a row of its own.
create table self_evaluations (
    id uuid primary key,
    policy_id uuid not null,
    self_evaluation text[],
    future_policy text[],
    public boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint self_evaluations_policy_exists foreign key (policy_id) references policies (id),
    constraint self_evaluations_policy_unique unique (policy_id),
    constraint self_evaluations_texts_whole check (
        array_position(self_evaluation, null) is null and array_position(future_policy, null) is null)
);
insert into self_evaluations (id, policy_id, self_evaluation, future_policy, created_at, updated_at)
select gen_random_uuid(), id, self_evaluation, future_policy, created_at, updated_at
from policies;
alter table policies
    drop constraint policies_texts_whole,
    drop column self_evaluation,
    drop column future_policy,
    add constraint policies_texts_whole check (
        array_position(vision, null) is null and array_position(mission, null) is null
        and array_position(basic_approach, null) is null);

-- The version and the time of change of a policy together with its self-evaluation, where that is seen.
create function whole_version(policy bigint, self_evaluation bigint) returns bigint immutable parallel safe language sql as $$
    select policy + coalesce(self_evaluation, 1) - 1
$$;
create function latest(policy timestamptz, self_evaluation timestamptz) returns timestamptz immutable parallel safe language sql as $$
    select greatest(policy, self_evaluation)
$$;

-- A policy, its goals and all below them are removed row by row, leaves first: each removal has its own place in history.
alter table goals
    add column public boolean not null default false,
    drop constraint goals_policy_exists,
    add constraint goals_policy_exists foreign key (policy_id) references policies (id);
alter table budgets
    add column policy_id uuid,
    add column public boolean not null default false,
    drop constraint budgets_goal_exists,
    add constraint budgets_goal_exists foreign key (goal_id) references goals (id);
alter table indicators
    add column policy_id uuid,
    add column public boolean not null default false,
    drop constraint indicators_goal_exists,
    add constraint indicators_goal_exists foreign key (goal_id) references goals (id);
alter table results
    add column policy_id uuid,
    add column public boolean not null default false,
    drop constraint results_indicator_exists,
    add constraint results_indicator_exists foreign key (indicator_id) references indicators (id);

alter table budgets disable trigger budgets_touch;
alter table indicators disable trigger indicators_touch;
alter table results disable trigger results_touch;
update budgets set policy_id = g.policy_id from goals g where g.id = goal_id;
update indicators set policy_id = g.policy_id from goals g where g.id = goal_id;
update results set policy_id = i.policy_id from indicators i where i.id = indicator_id;
-- The checks that wait for the end of the transaction would keep the tables from being changed.
set constraints all immediate;
alter table budgets enable trigger budgets_touch, alter column policy_id set not null;
alter table indicators enable trigger indicators_touch, alter column policy_id set not null;
alter table results enable trigger results_touch, alter column policy_id set not null;
create index budgets_policy_id_idx on budgets (policy_id);
create index indicators_policy_id_idx on indicators (policy_id);
create index results_policy_id_idx on results (policy_id);

-- Derives what a row has from its policy, whoever writes it: which policy that is, and whether the row is public.
-- A policy stays with its organization, and what is below it stays with the policy: history is kept by them.
create function belong() returns trigger language plpgsql as $$
declare
    published text;
begin
    if tg_table_name = 'policies' then
        if tg_op = 'UPDATE' and new.organization_id <> old.organization_id then
            raise exception using errcode = 'check_violation', constraint = 'policies_organization_fixed',
                message = 'a policy stays with its organization';
        end if;
        new.public := new.stage in ('plan', 'results');
        return new;
    end if;
    if tg_table_name in ('budgets', 'indicators') then
        new.policy_id := (select policy_id from public.goals where id = new.goal_id);
    elsif tg_table_name = 'results' then
        new.policy_id := (select policy_id from public.indicators where id = new.indicator_id);
    end if;
    published := (select stage from public.policies where id = new.policy_id);
    if published is null then
        raise exception using errcode = 'foreign_key_violation', constraint = tg_argv[0],
            message = 'names nothing to belong to';
    end if;
    if tg_op = 'UPDATE' and new.policy_id <> old.policy_id then
        raise exception using errcode = 'check_violation', constraint = tg_table_name || '_policy_fixed',
            message = 'stays with its policy';
    end if;
    new.public := case
        when tg_table_name in ('results', 'self_evaluations') then published = 'results'
        else published in ('plan', 'results')
    end;
    return new;
end
$$;

create trigger policies_belong before insert or update on policies for each row execute function belong();
create trigger self_evaluations_belong before insert or update on self_evaluations
    for each row execute function belong('self_evaluations_policy_exists');
create trigger goals_belong before insert or update on goals for each row execute function belong('goals_policy_exists');
create trigger budgets_belong before insert or update on budgets for each row execute function belong('budgets_goal_exists');
create trigger indicators_belong before insert or update on indicators
    for each row execute function belong('indicators_goal_exists');
create trigger results_belong before insert or update on results for each row execute function belong('results_indicator_exists');
select keep_touched('self_evaluations');
