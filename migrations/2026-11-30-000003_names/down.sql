drop trigger policies_year_fixed on policies;
drop function keep_year();
drop trigger organizations_names on organizations;
drop function check_names();
drop function is_reserved(text, uuid);
drop index organizations_name_idx;
drop function organization_name(text);
