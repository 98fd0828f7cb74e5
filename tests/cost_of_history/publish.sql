-- The sample's results become public, as a publication would make them; and somebody may write.
begin;
select begin_write('measurement', '', '', 'measured');
insert into tokens (id, name, handle, hash, scopes) values (gen_random_uuid(), 'measurement', '000000000000', sha256('secret'), '{admin}');
update policies set stage = 'results', results_published_on = '2025-06-10' where stage = 'plan';
update self_evaluations set public = true;
commit;
