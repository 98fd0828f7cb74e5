alter table budgets
    drop constraint budgets_kind_known,
    add constraint budgets_kind_known check (kind in ('actual', 'initial', 'revised')),
    drop constraint budgets_status_known,
    add constraint budgets_status_known check (status in ('stated', 'none', 'blank')),
    drop constraint budgets_text_when_unread;
alter table indicators
    drop constraint indicators_comparator_known,
    add constraint indicators_comparator_known check (target_comparator in (
        'gte', 'gt', 'lte', 'lt', 'eq', 'between', 'increase', 'decrease', 'maintain',
        'increase_by', 'decrease_by', 'qualitative', 'undecided'));
