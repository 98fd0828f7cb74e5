-- The first answer to a request that its caller may repeat, for a day.
create table idempotency_keys (
    token_id uuid not null,
    key text not null,
    -- SHA-256 of the request.
    request bytea not null,
    status integer not null,
    location text,
    body bytea not null,
    created_at timestamptz not null default now(),
    primary key (token_id, key),
    constraint idempotency_keys_token_exists foreign key (token_id) references tokens (id) on delete cascade
);
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
