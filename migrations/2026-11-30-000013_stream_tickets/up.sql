-- Tickets that open a stream of changes once, until they are used or expire. Nobody's history: each is there for a minute.
create table stream_tickets (
    -- SHA-256 of the secret.
    hash bytea primary key,
    token_id uuid not null,
    expires_at timestamptz not null,
    constraint stream_tickets_hash_length check (length(hash) = 32),
    constraint stream_tickets_token_exists foreign key (token_id) references tokens (id) on delete cascade
);
create index stream_tickets_token_id_idx on stream_tickets (token_id);
create index stream_tickets_expires_at_idx on stream_tickets (expires_at);
