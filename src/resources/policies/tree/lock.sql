-- Keeps everything below a policy from other writers until the transaction ends, parents before children.
-- Every count is asked for, in this order: an expression that nobody reads to its end locks nothing.
with g as (select id from goals where policy_id = $1 order by id for update),
     b as (select id from budgets where goal_id in (select id from g) order by id for update),
     i as (select id from indicators where goal_id in (select id from g) order by id for update),
     r as (select id from results where indicator_id in (select id from i) order by id for update)
select (select count(*) from g) + (select count(*) from b) + (select count(*) from i) + (select count(*) from r)
