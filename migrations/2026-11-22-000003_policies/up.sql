create table policies (
    id uuid primary key,
    organization_id uuid not null,
    fiscal_year integer not null,
    head_name text,
    head_title text,
    vision text[],
    mission text[],
    basic_approach text[],
    self_evaluation text[],
    future_policy text[],
    results_due_on date not null,
    source text,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint policies_organization_exists foreign key (organization_id) references organizations (id),
    constraint policies_year_unique unique (organization_id, fiscal_year),
    constraint policies_year_range check (fiscal_year between 1950 and 2100),
    constraint policies_due_after_start check (results_due_on >= make_date(fiscal_year, 4, 1)),
    constraint policies_texts_whole check (
        array_position(vision, null) is null and array_position(mission, null) is null
        and array_position(basic_approach, null) is null and array_position(self_evaluation, null) is null
        and array_position(future_policy, null) is null
    )
);
create index policies_fiscal_year_idx on policies (fiscal_year, id);
select keep_touched('policies');
