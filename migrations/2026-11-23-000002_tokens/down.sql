drop table token_uses;
drop table tokens;
