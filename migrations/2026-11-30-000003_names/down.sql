drop trigger policies_year_fixed on policies;
drop function keep_year();
drop trigger organizations_names on organizations;
drop function check_names();
drop index change_log_slug_idx, change_log_code_idx;
drop function is_reserved(text, uuid);
drop index organizations_name_idx;
drop function organization_name(text);
