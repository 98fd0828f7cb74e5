drop view if exists as_of.removals, past.removals, visible.removals, published_view.removals, everybody.removals, public.removals;
drop index public.change_log_removal_idx;
drop function public.is_removal(text, text, text[]);
-- Definitions made these.
drop function if exists public.organization_text(text, text, text, text);
drop function if exists public.goal_text(text, text[], text[]);
drop function if exists public.policy_text(text, text, text[], text[], text[], text[], text[]);
