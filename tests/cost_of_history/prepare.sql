-- A draft with 100 indicators, and a table for what is measured.
begin;
select begin_write('measurement', '', '', '');
insert into organizations (id, slug, kind, name, display_order) values (gen_random_uuid(), 'measured', 'bureau', '局', 1);
insert into policies (id, organization_id, fiscal_year, results_due_on)
select gen_random_uuid(), id, 2024, '2025-06-30' from organizations where slug = 'measured';
insert into goals (id, policy_id, code, title)
select gen_random_uuid(), p.id, '1', '課題' from policies p join organizations o on o.id = p.organization_id where o.slug = 'measured';
insert into indicators (id, goal_id, position, kind, name, decimals, direction, series_id, target_comparator, target_reference, target_period)
select gen_random_uuid(), g.id, n, 'outcome', '指標' || n, 1, 'unknown', gen_random_uuid(), 'undecided', 'none', 'single_year'
from goals g, generate_series(1, 100) as n
where g.title = '課題';
commit;
create table measured (what text, ms double precision, unit text);
create view measured_indicators as select id, position from indicators where name ~ '^指標';
vacuum analyze;
