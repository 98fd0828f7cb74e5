drop trigger policies_belong on policies;
drop trigger goals_belong on goals;
drop trigger budgets_belong on budgets;
drop trigger indicators_belong on indicators;
drop trigger results_belong on results;
drop trigger self_evaluations_belong on self_evaluations;
drop function belong();
alter table results
    drop column policy_id,
    drop column public,
    drop constraint results_indicator_exists,
    add constraint results_indicator_exists foreign key (indicator_id) references indicators (id) on delete cascade;
alter table indicators
    drop column policy_id,
    drop column public,
    drop constraint indicators_goal_exists,
    add constraint indicators_goal_exists foreign key (goal_id) references goals (id) on delete cascade;
alter table budgets
    drop column policy_id,
    drop column public,
    drop constraint budgets_goal_exists,
    add constraint budgets_goal_exists foreign key (goal_id) references goals (id) on delete cascade;
alter table goals
    drop column public,
    drop constraint goals_policy_exists,
    add constraint goals_policy_exists foreign key (policy_id) references policies (id) on delete cascade;
alter table policies
    add column self_evaluation text[],
    add column future_policy text[];
alter table policies disable trigger policies_touch;
update policies set self_evaluation = s.self_evaluation, future_policy = s.future_policy
from self_evaluations s
where s.policy_id = policies.id;
set constraints all immediate;
alter table policies
    enable trigger policies_touch,
    drop constraint policies_texts_whole,
    drop constraint policies_published_dates_coherent,
    drop column stage,
    drop column plan_published_on,
    drop column results_published_on,
    drop column public,
    add constraint policies_texts_whole check (
        array_position(vision, null) is null and array_position(mission, null) is null
        and array_position(basic_approach, null) is null and array_position(self_evaluation, null) is null
        and array_position(future_policy, null) is null
    );
drop table self_evaluations;
drop function whole_version(bigint, bigint);
drop function latest(timestamptz, timestamptz);
