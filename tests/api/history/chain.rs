//! The history: nothing is written past it, nothing is taken from it unseen, and no table is forgotten.

use std::collections::BTreeSet;

use diesel::{PgConnection, connection::SimpleConnection};
use diesel_migrations::MigrationHarness;
use ward_policy::{
    cli::{
        sample,
        verify::{self, Head, verify},
    },
    db::{self, MIGRATIONS},
};

use crate::support::{Api, TestDb, factories::Nishi};

/// Tables whose rows are nobody's history: the history itself, and books that are kept for a day.
const NO_HISTORY: [&str; 5] = [
    "change_epoch",
    "change_log",
    "idempotency_keys",
    "stream_tickets",
    "token_uses",
];
/// Tables with a history whose rows are never changed.
const UNCHANGING: [&str; 1] = ["revisions"];
/// Tables that readers see as they are: every row is public, or none is shown.
const NO_DRAFTS: [&str; 3] = ["organizations", "revisions", "tokens"];
/// Tables that are not read as they were.
const NO_PAST: [&str; 1] = ["tokens"];

/// A database with the sample, a result and a self-evaluation: a row in every table that has a history.
fn sampled() -> TestDb {
    let db = TestDb::new();
    let mut conn = db.connect();
    sample::fill(&mut conn).unwrap();
    by_sql(
        &mut conn,
        "insert into results (id, indicator_id, fiscal_year, value, observation_status) \
         select gen_random_uuid(), id, 2024, 57, 'final' from indicators order by name limit 1",
    )
    .unwrap();
    db
}

/// Writes as everybody must who writes by SQL.
fn by_sql(conn: &mut PgConnection, sql: &str) -> diesel::QueryResult<()> {
    conn.batch_execute(&format!(
        "begin; select begin_write('sql', '', '', '試験'); {sql}; commit"
    ))
    .inspect_err(|_| {
        // The transaction that failed is still open.
        let _ = conn.batch_execute("rollback");
    })
}

fn tables_with_history(db: &TestDb) -> Vec<String> {
    db.values(
        "select distinct tgrelid::regclass::text as value from pg_trigger where tgname ~ '_history$' and not tgisinternal order by 1",
    )
}

#[test]
fn nothing_is_wrong_with_what_the_service_writes() {
    let db = sampled();
    let report = verify(&mut db.connect(), None).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.revisions, 1);
    let last = db.values("select max(seq) || ':' || (select encode(hash, 'hex') from change_log order by seq desc limit 1) as value from change_log");
    assert_eq!(report.head, Some(last[0].parse().unwrap()));
    assert_eq!(
        db.values("select count(*)::text as value from change_log"),
        [report.changes.to_string()]
    );
}

#[test]
fn the_history_and_the_revisions_refuse_to_be_changed() {
    let db = sampled();
    let mut conn = db.connect();
    for sql in [
        "update change_log set actor = 'nobody' where seq = 1",
        "delete from change_log where seq = 1",
        "truncate change_log",
        "update revisions set reason = 'no'",
        "delete from revisions",
        "truncate revisions",
    ] {
        let refusal = by_sql(&mut conn, sql).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{sql}: {refusal}");
    }
}

#[test]
fn what_is_done_behind_the_triggers_is_named() {
    const FORGED: &str = "update change_log set actor = 'somebody' where seq = 5; \
        update change_log c set hash = sha256(previous_hash || convert_to(change_text(c), 'UTF8')) where seq = 5";
    const INVENTED: &str = "insert into change_log select seq + 1, at, actor, token_id, request_id, 'delete', 'goal', \
        (select row_id from change_log where type = 'goal' order by seq limit 1), organization_id, policy_id, key, null, version, '{}', \
        reason, before, null, true, false, hash, '\\x' from change_log order by seq desc limit 1; \
        update change_log c set hash = sha256(previous_hash || convert_to(change_text(c), 'UTF8')) \
        where seq = (select max(seq) from change_log)";
    const REWRITTEN: &str = "update revisions set document = replace(document, '三村', '四村'), \
        sha256 = encode(sha256(convert_to(replace(document, '三村', '四村'), 'UTF8')), 'hex')";
    let table = [
        (
            "update change_log set actor = 'nobody' where seq = 5",
            "change 5: is not what its hash was taken of",
        ),
        ("delete from change_log where seq = 5", "change 5: missing"),
        (
            "delete from change_log where seq between 5 and 7",
            "change 5 to 7: missing",
        ),
        ("delete from change_log where seq = 1", "change 1: missing"),
        (
            "delete from change_log where seq = (select max(seq) from change_log)",
            "result %: is in the table, not in the history",
        ),
        (
            "delete from change_log where type = 'revision'",
            "nishi/2024 revision 1: the history does not know it",
        ),
        (FORGED, "change 6: does not follow the change before it"),
        (INVENTED, "goal %: is in the table, not in the history"),
        (
            REWRITTEN,
            "nishi/2024 revision 1: has another SHA-256 than in the history",
        ),
        (
            "alter table revisions drop constraint revisions_sha256_of_document; \
             update revisions set document = replace(document, '三村', '四村')",
            "nishi/2024 revision 1: is not what its SHA-256 was taken of",
        ),
        ("update revisions set number = 2", "nishi/2024 revision 1: missing"),
        (
            "update revisions set reason = '別'",
            "revision %: is not as the history left it",
        ),
        (
            "delete from revisions",
            "revision %: is in the history, not in the table",
        ),
        (
            "delete from revisions",
            "nishi/2024: what is public is not what its last revision says",
        ),
        (
            "update goals set title = '別' where code = '1-1'",
            "goal %: is not as the history left it",
        ),
        (
            "update goals set title = '別' where code = '1-1'",
            "nishi/2024: what is public is not what its last revision says",
        ),
        (
            "update tokens set scopes = '{admin,edit:*}'",
            "token %: is not as the history left it",
        ),
        ("delete from budgets", "budget %: is in the history, not in the table"),
        (
            "insert into organizations (id, slug, kind, name, display_order) \
             values (gen_random_uuid(), 'x', 'bureau', '局', 1)",
            "organization %: is in the table, not in the history",
        ),
        (
            "update derived.goals_versions set title = '別' where code = '1-1'",
            "goal % than the history has it",
        ),
        (
            "update derived.indicators_versions set until_seq = from_seq + 1",
            "indicator % than the history has it",
        ),
        (
            "delete from derived.budgets_versions",
            "budget % than the history has it",
        ),
    ];
    let db = sampled();
    let mut conn = db.connect();
    for (sql, expected) in table {
        // Undone each time, so that one database serves for all.
        conn.batch_execute(&format!("begin; set local session_replication_role = replica; {sql}"))
            .unwrap();
        // In the transaction of the tampering itself, which only a savepoint can be within.
        let report = verify_within(&mut conn);
        conn.batch_execute("rollback").unwrap();
        let (head, tail) = expected.split_once('%').unwrap_or((expected, ""));
        let named = report
            .iter()
            .any(|finding| finding.starts_with(head) && finding.ends_with(tail));
        assert!(named, "{sql}: {report:#?}");
    }
    assert_eq!(verify(&mut conn, None).unwrap().findings, Vec::<String>::new());
}

fn verify_within(conn: &mut PgConnection) -> Vec<String> {
    verify::within(conn, None).unwrap().findings
}

#[test]
fn a_history_cut_off_with_its_derived_data_is_told_by_a_noted_head() {
    let db = sampled();
    let mut conn = db.connect();
    let head = verify(&mut conn, None).unwrap().head.unwrap();
    conn.batch_execute(
        "set session_replication_role = replica; delete from results; \
         delete from derived.results_versions; delete from change_log where seq = (select max(seq) from change_log); set session_replication_role = origin",
    )
    .unwrap();
    assert_eq!(verify(&mut conn, None).unwrap().findings, Vec::<String>::new());
    let found = verify(&mut conn, Some(&head)).unwrap().findings;
    assert_eq!(found, [format!("change {}: was noted, and is missing", head.seq)]);

    by_sql(
        &mut conn,
        "update organizations set name_en = 'Nishi' where slug = 'nishi'",
    )
    .unwrap();
    let found = verify(&mut conn, Some(&head)).unwrap().findings;
    assert!(
        found.contains(&format!("change {}: has another hash than was noted", head.seq)),
        "{found:?}"
    );
    assert!("1:abc".parse::<Head>().is_err());
}

#[test]
fn only_the_first_hundred_findings_are_named() {
    let db = sampled();
    let mut conn = db.connect();
    conn.batch_execute(
        "set session_replication_role = replica; update change_log set actor = 'nobody' where seq <= 40; \
        delete from budgets; delete from indicators; delete from organizations where slug <> 'nishi'; \
        update change_log set request_id = 'x' where seq > 40; set session_replication_role = origin",
    )
    .unwrap();
    let report = verify(&mut conn, None).unwrap();
    let found = u64::try_from(report.findings.len()).unwrap() + report.more;
    assert!(
        report.findings.len() <= 100 && found >= report.changes,
        "{}",
        report.findings.len()
    );
}

#[test]
fn nobody_writes_without_a_name_and_whoever_has_one_is_in_the_history() {
    let db = sampled();
    let mut conn = db.connect();
    let tables = tables_with_history(&db);
    assert_eq!(
        tables.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        verify::tables().collect()
    );
    for table in tables {
        let change = if UNCHANGING.contains(&table.as_str()) {
            format!(
                "insert into {table} (id, policy_id, number, kind, reason, published_on, assumed, seq, shown_on, document, sha256) \
                 select gen_random_uuid(), policy_id, number + 1, 'correction', '試験', published_on, false, seq, shown_on, document, sha256 from {table}"
            )
        } else {
            // Of this the trigger makes the next version, whatever else there is.
            format!("update {table} set version = version + 1")
        };
        let refusal = conn.batch_execute(&change).unwrap_err().to_string();
        assert!(refusal.contains("begin_write"), "{table}: {refusal}");
        let rows = db.values(&format!("select count(*)::text as value from {table}"));
        let written = "select count(*)::text as value from change_log where actor = 'sql'";
        let before: usize = db.values(written)[0].parse().unwrap();
        by_sql(&mut conn, &change).unwrap();
        let after: usize = db.values(written)[0].parse().unwrap();
        assert_eq!(after - before, rows[0].parse::<usize>().unwrap(), "{table}");
    }
    // What it is no way around: whoever changes by SQL what is public makes no revision of it, and that is told.
    assert_eq!(
        verify(&mut conn, None).unwrap().findings,
        ["nishi/2024: what is public is not what its last revision says"]
    );
}

/// What a table lacks that history and publication need of it.
fn forgotten(db: &TestDb) -> Vec<String> {
    let tables = db.values(
        "select relname::text as value from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' \
         and relname !~ 'diesel' order by 1",
    );
    let columns = |schema: &str, table: &str| {
        db.values(&format!(
            "select column_name || ' ' || udt_name as value from information_schema.columns \
             where table_schema = '{schema}' and table_name = '{table}' order by ordinal_position"
        ))
    };
    let mut forgotten = Vec::new();
    for table in tables
        .iter()
        .map(String::as_str)
        .filter(|table| !NO_HISTORY.contains(table))
    {
        let triggers: BTreeSet<_> = db
            .values(&format!(
                "select concat(tgname, ' ', tgtype, ' ', tgenabled) as value from pg_trigger \
                 where tgrelid = 'public.{table}'::regclass and not tgisinternal"
            ))
            .into_iter()
            .collect();
        let mut needed = vec![
            // After each statement: 4 insert, 16 update, 8 delete.
            format!("{table}_create_history 4 O"),
            format!("{table}_update_history 16 O"),
            format!("{table}_delete_history 8 O"),
        ];
        if !UNCHANGING.contains(&table) {
            // Before each row: 1 + 2, 4 insert, 16 update.
            needed.push(format!("{table}_touch 23 O"));
        }
        if !NO_DRAFTS.contains(&table) {
            needed.push(format!("{table}_belong 23 O"));
        }
        forgotten.extend(needed.into_iter().filter(|trigger| !triggers.contains(trigger)));
        let own = columns("public", table);
        for schema in ["published_view", "visible"] {
            if !NO_DRAFTS.contains(&table) && columns(schema, table) != own {
                forgotten.push(format!("{schema}.{table} does not show its columns"));
            }
        }
        if !NO_PAST.contains(&table) && columns("as_of", table) != own {
            forgotten.push(format!("as_of.{table} does not show its columns"));
        }
    }
    forgotten
}

#[test]
fn every_table_has_a_history_and_is_shown_as_it_is() {
    assert_eq!(forgotten(&TestDb::new()), Vec::<String>::new());
}

#[test]
fn a_table_or_a_column_that_was_forgotten_is_found() {
    let db = TestDb::new();
    let mut conn = db.connect();
    conn.batch_execute("alter table goals add column hint text").unwrap();
    assert_eq!(
        forgotten(&db),
        [
            "published_view.goals does not show its columns",
            "visible.goals does not show its columns",
            "as_of.goals does not show its columns"
        ]
    );
    // Views that are defined anew show it.
    conn.batch_execute("select show('goals', 'goal'); create table steps (id uuid primary key)")
        .unwrap();
    assert_eq!(
        forgotten(&db),
        [
            "steps_create_history 4 O",
            "steps_update_history 16 O",
            "steps_delete_history 8 O",
            "steps_touch 23 O",
            "steps_belong 23 O",
            "published_view.steps does not show its columns",
            "visible.steps does not show its columns",
            "as_of.steps does not show its columns"
        ]
    );
}

#[test]
fn what_was_there_before_there_was_a_history_begins_it() {
    const ROWS: &str = "
        insert into organizations (id, slug, kind, municipality_code, name, display_order, version, created_at, updated_at) values
            ('01900000-0000-7000-8000-000000000001', 'nishi', 'ward', '271063', '西区', 6, 3, '2026-01-01', '2026-02-01');
        insert into policies (id, organization_id, fiscal_year, head_name, vision, self_evaluation, results_due_on, version, created_at, updated_at)
            values ('01900000-0000-7000-8000-000000000002', '01900000-0000-7000-8000-000000000001', 2024, '三村 浩也',
                    '{誇り}', '{達成した}', '2025-06-30', 5, '2026-01-02', '2026-02-02');
        insert into goals (id, policy_id, code, title, version, created_at, updated_at) values
            ('01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000002', '1-1', '地域', 2, '2026-01-03', '2026-02-03');
        insert into budgets (id, goal_id, fiscal_year, kind, status, amount_yen, precision_yen, version, created_at, updated_at) values
            ('01900000-0000-7000-8000-000000000004', '01900000-0000-7000-8000-000000000003', 2024, 'initial', 'stated', 85000000, 1000000,
             4, '2026-01-04', '2026-02-04');
        insert into indicators (id, goal_id, position, kind, name, decimals, direction, series_id, target_comparator, target_reference,
                                target_period, version, created_at, updated_at)
            select ('01900000-0000-7000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, '01900000-0000-7000-8000-000000000003', n, 'outcome',
                   '指標' || n, 1, 'unknown', '01900000-0000-7000-8000-000000000005', 'undecided', 'none', 'single_year', 7, '2026-01-05', '2026-02-05'
            from generate_series(1, 20) as n;
        insert into results (id, indicator_id, fiscal_year, value, observation_status, version, created_at, updated_at)
            select gen_random_uuid(), id, 2024, 48.50, 'final', 6, '2026-01-06', '2026-02-06' from indicators;";
    const KEPT: &str = "
        select concat_ws(' ', 'organization', id, version, created_at, updated_at) as value from organizations
        union all select concat_ws(' ', 'policy', id, version, created_at, updated_at) from policies
        union all select concat_ws(' ', 'goal', id, version, created_at, updated_at) from goals
        union all select concat_ws(' ', 'budget', id, version, created_at, updated_at) from budgets
        union all select concat_ws(' ', 'indicator', id, version, created_at, updated_at) from indicators
        union all select concat_ws(' ', 'result', id, version, created_at, updated_at) from results order by 1";
    let db = TestDb::new();
    let mut conn = db.connect();
    while conn.applied_migrations().unwrap()[0].to_string().as_str() >= "20261123" {
        conn.revert_last_migration(MIGRATIONS).unwrap();
    }
    conn.batch_execute(ROWS).unwrap();
    let before = db.values(KEPT);
    db::migrate(&mut conn).unwrap();
    assert_eq!(db.values(KEPT), before);

    assert_eq!(verify(&mut conn, None).unwrap().findings, Vec::<String>::new());
    let logged = db.values(
        "select concat_ws(' ', type, row_id, version, (after ->> 'created_at')::timestamptz, (after ->> 'updated_at')::timestamptz) as value \
         from change_log where op = 'create' and type <> 'self_evaluation' and type <> 'token' order by 1",
    );
    assert_eq!(logged, before);
    assert_eq!(
        db.values("select self_evaluation[1] as value from self_evaluations"),
        ["達成した"]
    );
    // Nothing was published yet, so nobody without a token sees more than the organization.
    assert_eq!(
        db.values("select count(*)::text as value from published_view.policies"),
        ["0"]
    );
}

#[actix_web::test]
async fn many_rows_leave_their_history_in_time_whatever_was_changed_before() {
    const CHANGES: &str = "
        begin;
        select begin_write('test', '', '', 'why');
        update results set value = 1 where fiscal_year = 1950 and indicator_id = (select min(id::text)::uuid from indicators);
        set local statement_timeout = '8s';
        update results set value = 2;
        commit";
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    for n in 0..20 {
        api.indicator(&nishi.goal.id(), &format!("指標{n}")).await;
    }
    let mut conn = api.db.connect();
    let make = "begin; select begin_write('test', '', '', 'why');
        insert into results (id, indicator_id, fiscal_year, value, observation_status)
            select gen_random_uuid(), i.id, y, 0, 'final' from indicators i, generate_series(1950, 2100) as y
            on conflict do nothing;
        commit";
    conn.batch_execute(make).unwrap();
    // For one row it was planned to look at every row once for each.
    conn.batch_execute(CHANGES).unwrap();
    let logged = "select count(*)::text as value from change_log
        where type = 'result' and op = 'update' and fields = '{value}' and after ->> 'value' = '2'
            and (before ->> 'version')::int + 1 = (after ->> 'version')::int";
    assert_eq!(
        api.db.values(logged),
        api.db.values("select count(*)::text as value from results")
    );
    assert_eq!(verify(&mut conn, None).unwrap().findings, Vec::<String>::new());
}
