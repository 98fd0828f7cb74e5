drop function if exists search_candidates(text);
drop function if exists search_folded(text);
drop schema published_view cascade;
drop schema as_of cascade;
drop table derived.definitions;
