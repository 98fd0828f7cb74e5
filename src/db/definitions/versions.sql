-- The states that rows had, from which the past is read.

-- Writes what enters the versions that a statement has made, of every table that has some. A transition table is seen by the function of
-- its trigger alone, so all of it is one function.
create or replace function derived.write_enter_versions() returns void language plpgsql as $make$
declare
    arms text;
begin
    select string_agg(format($f$
                when %2$L then
                    -- The last version of each row, found by its key whatever the table was like when the plan was made: a row may have had many.
                    update derived.%1$s_versions v set until_seq = n.seq
                    from (
                        select c.row_id, min(c.seq) as seq from new_rows c where c.type = %2$L and c.before is not null group by c.row_id
                    ) as n
                    cross join lateral (
                        select l.ctid from derived.%1$s_versions l where l.id = n.row_id order by l.from_seq desc limit 1
                    ) as last
                    where v.ctid = last.ctid;
                    insert into derived.%1$s_versions (from_seq, until_seq, id, organization_id, %3$s)
                    select n.seq, n.until_seq, n.row_id, n.organization_id, %4$s
                    from (
                        select c.*, lead(c.seq, 1, derived.never()) over (partition by c.row_id order by c.seq) as until_seq
                        from new_rows c
                        where c.type = %2$L
                    ) as n
                    cross join lateral jsonb_populate_record(null::public.%1$s, n.after) as state
                    where n.after is not null;
        $f$, v.target, v.type, c.columns, c.of_state), '' order by v.target)
    into arms
    from derived.versioned v
    cross join lateral (
        select
            string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns,
            string_agg(format('state.%I', a.attname), ', ' order by a.attnum) as of_state
        from pg_attribute a
        where a.attrelid = format('public.%I', v.target)::regclass and a.attnum > 0 and not a.attisdropped
            and a.attname not in ('id', 'organization_id')) as c;
    execute format($f$
        create or replace function derived.enter_versions() returns trigger language plpgsql
        set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $t$
        declare
            kind text;
        begin
            for kind in select distinct n.type from new_rows n loop
                case kind
                %s
                else
                    -- It has no versions.
                end case;
            end loop;
            return null;
        end
        $t$
        $f$, arms);
end
$make$;

-- Keeps the versions of a table's rows, with all columns that the table has by now: those that there are, and those to come.
create or replace function derived.keep_versions(target text, type text) returns void language plpgsql as $make$
declare
    is_new boolean := to_regclass(format('derived.%I', target || '_versions')) is null;
    missing text;
    columns text;
    of_state text;
begin
    -- Room on every page, so that it is noted in place when a version ends.
    if is_new then
        execute format($$
            create table derived.%1$s_versions (
                from_seq bigint not null,
                until_seq bigint not null default derived.never(),
                id uuid not null,
                organization_id uuid,
                constraint %1$s_versions_pkey primary key (id, from_seq)
            ) with (fillfactor = 80)$$, target);
        -- How many came before a moment is not to be guessed: see `show`.
        execute format('alter table derived.%s_versions alter column from_seq set statistics 0', target);
        insert into derived.versioned values (type, target);
    end if;
    for missing in
        select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
        from pg_attribute a
        where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped
            and not exists (
                select from pg_attribute v
                where v.attrelid = format('derived.%I', target || '_versions')::regclass and v.attname = a.attname and not v.attisdropped)
        order by a.attnum
    loop
        execute format('alter table derived.%s_versions add column %s', target, missing);
    end loop;
    perform derived.write_enter_versions();
    if is_new then
        select string_agg(format('%I', a.attname), ', ' order by a.attnum), string_agg(format('state.%I', a.attname), ', ' order by a.attnum)
        into columns, of_state
        from pg_attribute a
        where a.attrelid = format('public.%I', target)::regclass and a.attnum > 0 and not a.attisdropped
            and a.attname not in ('id', 'organization_id');
        execute format($$
            insert into derived.%1$s_versions (from_seq, until_seq, id, organization_id, %3$s)
            select c.seq, c.until_seq, c.row_id, c.organization_id, %4$s
            from (
                select seq, lead(seq, 1, derived.never()) over (partition by row_id order by seq) as until_seq, row_id, organization_id, after
                from public.change_log
                where type = %2$L
            ) as c
            cross join lateral jsonb_populate_record(null::public.%1$s, c.after) as state
            where c.after is not null
            order by c.row_id, c.seq$$, target, type, columns, of_state);
    end if;
end
$make$;
