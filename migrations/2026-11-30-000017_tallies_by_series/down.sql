-- The definitions of the version before put another `mark` in its place.
drop function if exists derived.change_tallies(uuid[], jsonb, integer);
create or replace function derived.mark() returns trigger language plpgsql as $$
begin
    insert into derived.tallied (organization_id, rules)
    select distinct organization_id, 0 from new_rows where (was_public or is_public) and organization_id is not null
    on conflict (organization_id) do update set rules = 0;
    return null;
end
$$;
alter table derived.tallied drop column held_rules;
alter table derived.tallied drop column marked_in;
