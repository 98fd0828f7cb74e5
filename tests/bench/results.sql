select r.indicator_id, r.fiscal_year, o.slug, p.fiscal_year as policy_year, g.code, i.name, i.unit, i.target_text, r.value,
    r.cumulative_value, r.numerator, r.denominator, r.sample_size, r.value_status, r.observation_status, r.text, r.declared_rating,
    r.stated_previous_value, r.stated_previous_text, r.measured_on, r.comment, o.name as organization, 'CC BY 4.0' as licence
from results r
join indicators i on i.id = r.indicator_id
join goals g on g.id = i.goal_id
join policies p on p.id = r.policy_id
join organizations o on o.id = p.organization_id
where r.public
