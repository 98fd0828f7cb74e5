select o.name, o.slug, p.fiscal_year as policy_year, g.code, g.title, i.name, i.unit, i.target_text, r.fiscal_year, previous.value as previous,
    r.value, r.cumulative_value, r.value_status, r.text, r.declared_rating, r.comment, r.numerator, r.denominator, r.sample_size,
    r.observation_status, r.stated_previous_value, r.stated_previous_text, r.measured_on, i.decimals, o.name_en, o.name as organization,
    'CC BY 4.0' as licence, r.indicator_id, r.version
from results r
join indicators i on i.id = r.indicator_id
join goals g on g.id = i.goal_id
join policies p on p.id = r.policy_id
join organizations o on o.id = p.organization_id
left join (
    select i.series_id, p.organization_id, r.fiscal_year + 1 as year, case when count(r.value) = 1 then max(r.value) end as value
    from results r
    join indicators i on i.id = r.indicator_id
    join policies p on p.id = r.policy_id
    where r.public
    group by i.series_id, p.organization_id, r.fiscal_year
) as previous on previous.series_id = i.series_id and previous.organization_id = p.organization_id and previous.year = r.fiscal_year
where r.public
order by r.id
