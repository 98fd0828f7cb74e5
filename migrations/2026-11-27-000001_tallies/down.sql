drop trigger change_log_mark_tallies on change_log;
drop schema derived cascade;
