-- An answer of which only the digest is kept cannot be given by those who know of none.
drop trigger idempotency_keys_add on idempotency_keys;
drop trigger idempotency_keys_take_away on idempotency_keys;
drop function derived.count_kept_answers();
drop table derived.kept_answers;
alter table idempotency_keys drop column digest;
