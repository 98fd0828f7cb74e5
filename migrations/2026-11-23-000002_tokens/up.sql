create table tokens (
    id uuid primary key,
    name text not null,
    -- The part of the token that may be seen; the secret part is kept as its SHA-256 only.
    handle text not null,
    hash bytea not null,
    -- `admin`, or what may be done and where: `edit:*`, `edit:` with the id of an organization.
    scopes text[] not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- For ever: the history names writers by it.
    constraint tokens_name_unique unique (name),
    constraint tokens_name_not_blank check (btrim(name) <> ''),
    constraint tokens_handle_unique unique (handle),
    constraint tokens_hash_length check (length(hash) = 32),
    constraint tokens_scopes_known check (
        array_position(scopes, null) is null
        and array_to_string(scopes, ' ') ~ '^((admin|(edit|publish|read_drafts):(\*|[0-9a-f-]{36}))( |$))*$')
);
select keep_touched('tokens');

-- When a token was last used; not history, and written at most once a minute.
create table token_uses (
    token_id uuid primary key,
    last_used_at timestamptz not null,
    constraint token_uses_token_exists foreign key (token_id) references tokens (id) on delete cascade
);
