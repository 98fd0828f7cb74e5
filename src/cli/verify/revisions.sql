-- With the event that the making of each left in the history, and whether that shows it as it is.
select r.id, r.policy_id, r.number, r.sha256, r.document, o.slug || '/' || p.fiscal_year as policy,
    c.seq is not null as known,
    coalesce(c.after ->> 'sha256' = r.sha256, false) as recorded
from revisions r
join policies p on p.id = r.policy_id
join organizations o on o.id = p.organization_id
left join change_log c on c.type = 'revision' and c.op = 'create' and c.row_id = r.id
where (r.policy_id, r.number) > ($1, $2)
order by r.policy_id, r.number
limit 20
