drop view if exists as_of.removals, visible.removals, published_view.removals, public.removals;
drop index public.change_log_removal_idx;
drop function public.is_removal(text, text, text[]);
