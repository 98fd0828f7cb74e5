-- An amount or a target that cannot be read whole is kept as its text: nothing is added up or judged by it. What accounts are expected
-- to say (決算見込額) is another kind of figure than what they say.
alter table budgets
    drop constraint budgets_kind_known,
    add constraint budgets_kind_known check (kind in ('actual', 'expected', 'initial', 'revised')),
    drop constraint budgets_status_known,
    add constraint budgets_status_known check (status in ('stated', 'none', 'blank', 'unread')),
    add constraint budgets_text_when_unread check (status <> 'unread' or text is not null);
alter table indicators
    drop constraint indicators_comparator_known,
    add constraint indicators_comparator_known check (target_comparator in (
        'gte', 'gt', 'lte', 'lt', 'eq', 'between', 'increase', 'decrease', 'maintain',
        'increase_by', 'decrease_by', 'qualitative', 'undecided', 'unread'));
