drop function search_grams(text);
drop function search_text(text);
drop function goal_code_order(text);
drop function keep_touched(regclass);
drop function touch();
