-- Evaluations tell when they last changed. Of what they rested on and is gone, only the history tells: here it is found by whose it was.

-- Whether a change took a result or an indicator away, or out of its series.
create function public.is_removal(type text, op text, fields text[]) returns boolean immutable parallel safe language sql as $$
    select type in ('result', 'indicator') and (op in ('delete', 'withdraw') or 'series_id' = any (fields))
$$;
create index change_log_removal_idx on public.change_log (organization_id, at) where public.is_removal(type, op, fields);
