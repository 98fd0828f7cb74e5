drop schema published_view cascade;
drop schema as_of cascade;
drop table derived.definitions;
