drop table revisions;
drop function revisions_history();
