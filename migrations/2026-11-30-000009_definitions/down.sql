drop function if exists search_candidates(text);
drop function if exists search_folded(text);
drop schema published_view cascade;
drop schema as_of cascade;
-- Of what was defined since: what would keep a table from being dropped.
drop view if exists public.public_changes;
drop function if exists public.find_open_changes();
drop table derived.definitions;
