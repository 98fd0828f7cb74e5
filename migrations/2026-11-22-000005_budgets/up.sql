create table budgets (
    id uuid primary key,
    goal_id uuid not null,
    fiscal_year integer not null,
    kind text not null,
    status text not null,
    amount_yen bigint,
    precision_yen bigint,
    text text,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint budgets_goal_exists foreign key (goal_id) references goals (id) on delete cascade,
    constraint budgets_figure_unique unique (goal_id, fiscal_year, kind),
    constraint budgets_year_range check (fiscal_year between 1950 and 2100),
    constraint budgets_kind_known check (kind in ('actual', 'initial', 'revised')),
    constraint budgets_status_known check (status in ('stated', 'none', 'blank')),
    -- 0, － and blank are three different things: only a stated figure has an amount.
    constraint budgets_amount_when_stated check ((status = 'stated') = (amount_yen is not null) and (amount_yen is null) = (precision_yen is null)),
    constraint budgets_amount_range check (abs(amount_yen) <= 999999999999999),
    constraint budgets_precision_positive check (precision_yen > 0),
    constraint budgets_amount_rounded check (amount_yen % precision_yen = 0)
);
create index budgets_fiscal_year_idx on budgets (fiscal_year, id);
select keep_touched('budgets');
