do $$
declare
    target text;
begin
    foreach target in array array['organizations', 'policies', 'self_evaluations', 'goals', 'budgets', 'indicators', 'results', 'tokens'] loop
        execute format('drop trigger %1$s_create_history on %1$s', target);
        execute format('drop trigger %1$s_update_history on %1$s', target);
        execute format('drop trigger %1$s_delete_history on %1$s', target);
        execute format('drop function %1$s_history()', target);
        execute format('drop trigger %1$s_touch on %1$s', target);
    end loop;
end
$$;
drop function keep_history(text, text, text, text, text, text, text, text, text[]);
drop function append_changes(change_draft[]);
drop aggregate chain(bytea, text);
drop function chain_step(bytea, bytea, text);
drop function change_text(change_log);
drop function changed_fields(jsonb, jsonb);
drop type change_draft;
drop function begin_write(text, text, text, text);
create or replace function touch() returns trigger language plpgsql as $$
begin
    if new is not distinct from old then
        return null;
    end if;
    new.id := old.id;
    new.version := old.version + 1;
    new.created_at := old.created_at;
    new.updated_at := now();
    return new;
end
$$;
create or replace function keep_touched(target regclass) returns void language plpgsql as $$
begin
    execute format('create trigger %I before update on %s for each row execute function public.touch()', target || '_touch', target);
end
$$;
select keep_touched(t) from unnest(array['organizations', 'policies', 'self_evaluations', 'goals', 'budgets', 'indicators', 'results', 'tokens']) as t;
drop function write_time();
drop table change_epoch;
drop table change_log;
drop function refuse_change();
