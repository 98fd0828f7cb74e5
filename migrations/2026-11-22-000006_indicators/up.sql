create table indicators (
    id uuid primary key,
    goal_id uuid not null,
    position integer not null,
    kind text not null,
    name text not null,
    population text,
    unit text,
    decimals integer not null,
    direction text not null,
    series_id uuid not null,
    comparable_with_previous boolean,
    comparable_reason text,
    target_text text,
    target_comparator text not null,
    target_value numeric,
    target_upper numeric,
    target_reference text not null,
    target_reference_year integer,
    target_reference_value numeric,
    target_period text not null,
    target_period_from integer,
    target_period_to integer,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint indicators_goal_exists foreign key (goal_id) references goals (id) on delete cascade,
    -- Deferrable, so that two indicators may swap their names in one transaction.
    constraint indicators_name_unique unique (goal_id, name) deferrable initially immediate,
    constraint indicators_position_range check (position between 1 and 999),
    constraint indicators_kind_known check (kind in ('outcome', 'process', 'output')),
    constraint indicators_name_not_blank check (btrim(name) <> ''),
    constraint indicators_decimals_range check (decimals between 0 and 9),
    constraint indicators_direction_known check (direction in ('higher_is_better', 'lower_is_better', 'target_is_best', 'unknown')),
    constraint indicators_comparator_known check (target_comparator in (
        'gte', 'gt', 'lte', 'lt', 'eq', 'between', 'increase', 'decrease', 'maintain',
        'increase_by', 'decrease_by', 'qualitative', 'undecided')),
    constraint indicators_reference_known check (target_reference in ('none', 'previous_year', 'fiscal_year', 'constant')),
    constraint indicators_period_known check (target_period in ('single_year', 'cumulative', 'by_end_of')),
    -- A threshold is either stated or referred to; a relative target refers and may state by how much.
    constraint indicators_target_value_coherent check (
        case
            when target_comparator in ('gte', 'gt', 'lte', 'lt', 'eq') then (target_value is not null) = (target_reference = 'none')
            when target_comparator = 'between' then target_value is not null and target_upper is not null and target_value <= target_upper and target_reference = 'none'
            when target_comparator in ('increase', 'decrease', 'maintain') then target_value is null and target_reference <> 'none'
            when target_comparator in ('increase_by', 'decrease_by') then target_value is not null and target_value >= 0 and target_reference <> 'none'
            else target_value is null and target_reference = 'none'
        end),
    constraint indicators_target_upper_coherent check ((target_upper is not null) = (target_comparator = 'between')),
    constraint indicators_target_reference_coherent check (
        (target_reference_year is not null) = (target_reference = 'fiscal_year')
        and case target_reference
            when 'constant' then target_reference_value is not null
            when 'fiscal_year' then true
            else target_reference_value is null
        end),
    constraint indicators_target_period_coherent check (
        (target_period_from is not null) = (target_period = 'cumulative')
        and (target_period_to is not null) = (target_period in ('cumulative', 'by_end_of'))
        and coalesce(target_period_from <= target_period_to, true)),
    constraint indicators_target_years_range check (
        coalesce(target_reference_year between 1950 and 2100, true)
        and coalesce(target_period_from between 1950 and 2100, true)
        and coalesce(target_period_to between 1950 and 2100, true)),
    constraint indicators_target_numbers_exact check (
        coalesce(abs(target_value) < 1e15 and scale(target_value) <= 9, true)
        and coalesce(abs(target_upper) < 1e15 and scale(target_upper) <= 9, true)
        and coalesce(abs(target_reference_value) < 1e15 and scale(target_reference_value) <= 9, true))
);
create index indicators_series_id_idx on indicators (series_id);
create index indicators_name_idx on indicators (name, id);
create index indicators_search_idx on indicators using gin (search_grams(name));
select keep_touched('indicators');
