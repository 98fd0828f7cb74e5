-- What answers to repeatable requests take, by token, so that nobody keeps more than a share; and answers of which only the
-- digest is kept: SHA-256 of status, location and body. Their body is empty then.
alter table idempotency_keys add column digest bytea;

create table derived.kept_answers (
    token_id uuid primary key,
    keys bigint not null,
    bytes bigint not null
);
insert into derived.kept_answers
select token_id, count(*), sum(octet_length(body)) from idempotency_keys group by token_id;

create function derived.count_kept_answers() returns trigger language plpgsql as $$
declare
    step integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
    insert into derived.kept_answers as k (token_id, keys, bytes)
    select token_id, step * count(*), step * sum(octet_length(body)) from rows group by token_id
    on conflict (token_id) do update set keys = k.keys + excluded.keys, bytes = k.bytes + excluded.bytes;
    return null;
end
$$;
create trigger idempotency_keys_add after insert on idempotency_keys referencing new table as rows
    for each statement execute function derived.count_kept_answers();
create trigger idempotency_keys_take_away after delete on idempotency_keys referencing old table as rows
    for each statement execute function derived.count_kept_answers();
