create table goals (
    id uuid primary key,
    policy_id uuid not null,
    code text not null,
    title text not null,
    issue_recognition text[],
    strategies text[],
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint goals_policy_exists foreign key (policy_id) references policies (id) on delete cascade,
    constraint goals_code_unique unique (policy_id, code),
    constraint goals_code_format check (code ~ '^[1-9][0-9]?(-[1-9][0-9]?){0,2}$'),
    constraint goals_title_not_blank check (btrim(title) <> ''),
    constraint goals_texts_whole check (array_position(issue_recognition, null) is null and array_position(strategies, null) is null)
);
create index goals_code_order_idx on goals (goal_code_order(code), id);
select keep_touched('goals');
