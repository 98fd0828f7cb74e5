-- What went from the sight of everybody, found without passing over what went from drafts.
create index change_log_public_removal_idx on public.change_log (organization_id, at) where public.is_removal(type, op, fields) and was_public;
