-- Targets that ask for a change in percent of a number, and targets that refer to a figure from outside the policy (市平均), which has a
-- name, and no number until somebody gives it.
alter table indicators
    add column target_reference_name text,
    drop constraint indicators_comparator_known,
    add constraint indicators_comparator_known check (target_comparator in (
        'gte', 'gt', 'lte', 'lt', 'eq', 'between', 'increase', 'decrease', 'maintain',
        'increase_by', 'decrease_by', 'increase_by_percent', 'decrease_by_percent', 'qualitative', 'undecided', 'unread')),
    drop constraint indicators_reference_known,
    add constraint indicators_reference_known check (target_reference in ('none', 'previous_year', 'fiscal_year', 'constant', 'external')),
    drop constraint indicators_target_value_coherent,
    add constraint indicators_target_value_coherent check (
        case
            when target_comparator in ('gte', 'gt', 'lte', 'lt', 'eq') then (target_value is not null) = (target_reference = 'none')
            when target_comparator = 'between' then target_value is not null and target_upper is not null and target_value <= target_upper and target_reference = 'none'
            when target_comparator in ('increase', 'decrease', 'maintain') then target_value is null and target_reference <> 'none'
            when target_comparator in ('increase_by', 'decrease_by') then target_value is not null and target_value >= 0 and target_reference <> 'none'
            -- So few digits that the percentage of any number is exact.
            when target_comparator in ('increase_by_percent', 'decrease_by_percent') then target_value is not null
                and target_value between 0 and 1000000 and min_scale(target_value) <= 6 and target_reference <> 'none'
            else target_value is null and target_reference = 'none'
        end),
    drop constraint indicators_target_reference_coherent,
    add constraint indicators_target_reference_coherent check (
        (target_reference_year is not null) = (target_reference = 'fiscal_year')
        and (target_reference_name is not null) = (target_reference = 'external')
        and coalesce(btrim(target_reference_name) <> '', true)
        and case target_reference
            when 'constant' then target_reference_value is not null
            when 'fiscal_year' then true
            when 'external' then true
            else target_reference_value is null
        end);
