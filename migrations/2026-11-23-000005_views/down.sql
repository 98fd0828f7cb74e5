drop view published;
drop view changes;
drop schema past cascade;
drop schema visible cascade;
drop function show(text, text);
drop function past_columns(text);
drop function as_of();
drop function sees_drafts(uuid);
