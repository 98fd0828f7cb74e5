-- The rows of a table that are not as the history left them. A column that is younger than a state is null in it.
select coalesce(last.key::text, present.state ->> 'id') as name,
    case when present.id is null then 'missing' when last.row_id is null then 'extra' else 'different' end as what
from (
    select *
    from (
        select distinct on (c.row_id) c.row_id, c.key, c.after
        from change_log c
        where c.type = $1
        order by c.row_id, c.seq desc
    ) as l
    where l.after is not null
) as last
full join (select t.id, to_jsonb(t) - $2 as state from {table} t) as present on present.id = last.row_id
where to_jsonb(jsonb_populate_record(null::{table}, last.after)) - $2 is distinct from present.state
order by 1
limit $3
