-- The views stand on the column; they and the versions are made again without it.
drop view published_view.indicators, everybody.indicators, visible.indicators, as_of.indicators, past.indicators;
alter table derived.indicators_versions drop column target_reference_name;
alter table indicators
    drop constraint indicators_comparator_known,
    add constraint indicators_comparator_known check (target_comparator in (
        'gte', 'gt', 'lte', 'lt', 'eq', 'between', 'increase', 'decrease', 'maintain',
        'increase_by', 'decrease_by', 'qualitative', 'undecided', 'unread')),
    drop constraint indicators_reference_known,
    add constraint indicators_reference_known check (target_reference in ('none', 'previous_year', 'fiscal_year', 'constant')),
    drop constraint indicators_target_value_coherent,
    add constraint indicators_target_value_coherent check (
        case
            when target_comparator in ('gte', 'gt', 'lte', 'lt', 'eq') then (target_value is not null) = (target_reference = 'none')
            when target_comparator = 'between' then target_value is not null and target_upper is not null and target_value <= target_upper and target_reference = 'none'
            when target_comparator in ('increase', 'decrease', 'maintain') then target_value is null and target_reference <> 'none'
            when target_comparator in ('increase_by', 'decrease_by') then target_value is not null and target_value >= 0 and target_reference <> 'none'
            else target_value is null and target_reference = 'none'
        end),
    drop constraint indicators_target_reference_coherent,
    add constraint indicators_target_reference_coherent check (
        (target_reference_year is not null) = (target_reference = 'fiscal_year')
        and case target_reference
            when 'constant' then target_reference_value is not null
            when 'fiscal_year' then true
            else target_reference_value is null
        end),
    drop column target_reference_name;
select public.show('indicators', 'indicator');
