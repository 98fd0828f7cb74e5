-- The versions of a table's rows, as the past is read, that are not the states of the history. A column that is younger than a state
-- is null in it.
select coalesce(c.row_id, v.id) as id, coalesce(c.seq, v.from_seq) as seq
from (
    select *
    from (
        select seq, lead(seq, 1, derived.never()) over (partition by row_id order by seq) as until_seq, row_id, after
        from public.change_log
        where type = $1
    ) as every
    where after is not null
) as c
full join derived.{table}_versions as v on v.id = c.row_id and v.from_seq = c.seq
where v.until_seq is distinct from c.until_seq
    or to_jsonb(jsonb_populate_record(null::public.{table}, c.after))
        is distinct from to_jsonb(jsonb_populate_record(null::public.{table}, to_jsonb(v)))
order by 2
limit $2
