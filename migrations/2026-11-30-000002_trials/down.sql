create or replace function public.append_changes(drafts public.change_draft[]) returns void language plpgsql as $$
declare
    actor text := current_setting('ward_policy.actor', true);
    reason text := nullif(current_setting('ward_policy.reason', true), '');
    moment timestamptz;
    last_seq bigint;
    last_hash bytea;
begin
    if cardinality(drafts) = 0 then
        return;
    end if;
    if coalesce(actor, '') = '' then
        raise exception using errcode = 'check_violation', constraint = 'change_log_actor_stated',
            message = 'nobody is said to make this change: see begin_write()';
    end if;
    if reason is null and exists (
        select from unnest(drafts) as d
        where (d.was_public or d.is_public and d.op = 'create') and d.type <> 'revision'
            and not (d.type = 'organization' and d.op = 'create')
            and not (d.type = 'policy' and d.before ->> 'stage' <> d.after ->> 'stage')
    ) then
        raise exception using errcode = 'check_violation', constraint = 'change_log_reason_stated',
            message = 'what is public changes only for a reason';
    end if;
    moment := public.write_time();
    select l.seq, l.hash into last_seq, last_hash from public.change_log as l order by l.seq desc limit 1;
    with placed as (
        select row(
            coalesce(last_seq, 0) + d.n, moment, actor, nullif(current_setting('ward_policy.token', true), '')::uuid,
            nullif(current_setting('ward_policy.request', true), ''), d.op, d.type, d.row_id, d.organization_id, d.policy_id,
            d.key, d.previous_key, d.version,
            case when d.before is null or d.after is null then '{}' else public.changed_fields(d.before, d.after) end, reason, d.before, d.after, d.was_public,
            d.is_public, null, null)::public.change_log as c
        from unnest(drafts) with ordinality as d (
            op, type, row_id, organization_id, policy_id, key, previous_key, version, before, after, was_public, is_public, n)
    ), chained as (
        select c, public.chain(coalesce(last_hash, '\x'), public.change_text(c)) over (order by (c).seq rows unbounded preceding) as hash
        from placed
    )
    insert into public.change_log
    select (c).seq, (c).at, (c).actor, (c).token_id, (c).request_id, (c).op, (c).type, (c).row_id, (c).organization_id,
        (c).policy_id, (c).key, (c).previous_key, (c).version, (c).fields, (c).reason, (c).before, (c).after, (c).was_public,
        (c).is_public, coalesce(lag(hash) over (order by (c).seq), last_hash, '\x'), hash
    from chained
    order by (c).seq;
    -- Wakes who waits: the last number, whether the public may see it, and whose it is.
    perform pg_notify('ward_policy_changes',
        format('%s %s %s', coalesce(last_seq, 0) + cardinality(drafts), d.public, coalesce(d.organization_id::text, '-')))
    from (select distinct was_public or is_public as public, organization_id from unnest(drafts)) as d;
end
$$;

drop function public.is_in_the_way(integer);
drop function public.begin_trial(text, text, text, text);
drop schema trial cascade;
