create table results (
    id uuid primary key,
    indicator_id uuid not null,
    fiscal_year integer not null,
    value numeric,
    cumulative_value numeric,
    numerator numeric,
    denominator numeric,
    sample_size bigint,
    -- Null where nothing was said: the status then follows from the value and the date.
    value_status text,
    observation_status text not null,
    text text,
    comment text,
    measured_on date,
    declared_rating text,
    stated_previous_value numeric,
    stated_previous_text text,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint results_indicator_exists foreign key (indicator_id) references indicators (id) on delete cascade,
    constraint results_year_unique unique (indicator_id, fiscal_year),
    constraint results_year_range check (fiscal_year between 1950 and 2100),
    constraint results_denominator_positive check (denominator > 0),
    constraint results_sample_size_not_negative check (sample_size >= 0),
    constraint results_value_status_known check (value_status in (
        'being_compiled', 'not_measured', 'not_applicable', 'withheld', 'text_only', 'discontinued')),
    -- "Not known" and a number exclude each other.
    constraint results_value_or_status check (value_status is null or (value is null and cumulative_value is null)),
    constraint results_text_when_text_only check (value_status is distinct from 'text_only' or text is not null),
    constraint results_observation_status_known check (observation_status in ('provisional', 'final', 'revised')),
    constraint results_declared_rating_known check (declared_rating in ('A', 'B')),
    constraint results_numbers_exact check (
        coalesce(abs(value) < 1e15 and scale(value) <= 9, true)
        and coalesce(abs(cumulative_value) < 1e15 and scale(cumulative_value) <= 9, true)
        and coalesce(abs(numerator) < 1e15 and scale(numerator) <= 9, true)
        and coalesce(abs(denominator) < 1e15 and scale(denominator) <= 9, true)
        and coalesce(abs(stated_previous_value) < 1e15 and scale(stated_previous_value) <= 9, true))
);
create index results_fiscal_year_idx on results (fiscal_year, id);
select keep_touched('results');
