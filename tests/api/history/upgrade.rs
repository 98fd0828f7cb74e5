//! A filled database of an earlier version stays what it was: every row, every hash, every index.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use diesel::{PgConnection, connection::SimpleConnection};
use flate2::read::GzDecoder;
use ward_policy::{
    cli::{sample, verify},
    db,
    domain::evaluation::RULES,
    resources::HOOKS,
};

use crate::support::TestDb;

/// What commit 88fadf3 left on PostgreSQL 15, as `pg_dump` wrote it: the sample, imported forms, a policy with results, one that was
/// withdrawn, corrections, removals, tokens. Lines that only `psql` understands are left out.
const FILLED: &[u8] = include_bytes!("upgrade/88fadf3.sql.gz");

impl TestDb {
    /// One with what a dump holds.
    fn filled(dump: &[u8]) -> io::Result<Self> {
        let mut sql = String::new();
        GzDecoder::new(dump).read_to_string(&mut sql)?;
        let db = Self::empty();
        db.connect().batch_execute(&sql).unwrap();
        Ok(db)
    }

    /// The columns of every table but of those that are made anew, by its name.
    fn tables(&self) -> BTreeMap<String, String> {
        let tables = self.values(
            "select format('%I.%I %s', n.nspname, c.relname, (select string_agg(format('t.%I', attname), ', ' order by attnum) \
             from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)) as value \
             from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind = 'r' and n.nspname = 'public' and c.relname !~ 'diesel'",
        );
        let tables = tables.iter().filter_map(|table| table.split_once(' '));
        tables
            .map(|(name, columns)| (name.to_owned(), columns.to_owned()))
            .collect()
    }

    /// Every row of these tables, with these columns, as text.
    fn rows(&self, tables: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
        let rows = |table: &str, columns: &str| {
            self.values(&format!(
                "select row({columns})::text as value from {table} t order by 1"
            ))
        };
        let rows = tables
            .iter()
            .map(|(table, columns)| (table.clone(), rows(table, columns)));
        rows.collect()
    }

    /// The definitions of its indexes, constraints, functions, views and triggers.
    pub(crate) fn definitions(&self) -> Vec<String> {
        self.values(
            "select indexdef as value from pg_indexes where schemaname in ('public', 'derived') \
             union all select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint \
             where connamespace::regnamespace::text in ('public', 'derived') and contype <> 'n' \
             union all select pg_get_functiondef(oid) from pg_proc \
             where pronamespace::regnamespace::text in ('public', 'derived', 'trial') and prokind = 'f' \
             union all select format('%s.%s %s', schemaname, viewname, definition) from pg_views where schemaname !~ '^pg_|^information' \
             union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1",
        )
    }
}

fn set_up(db: &TestDb) {
    db::set_up(&db.url(), sample::fill).unwrap();
    db::count_anew(&db.url(), HOOKS);
}

#[test]
fn a_filled_database_of_an_earlier_version_stays_what_it_was() {
    let db = TestDb::filled(FILLED).unwrap();
    let tables = db.tables();
    let before = db.rows(&tables);
    let filled = before.iter().filter(|(_, rows)| !rows.is_empty());
    assert_eq!(
        filled.count(),
        before.len() - 1,
        "all but the answers that may be asked for again"
    );
    assert!(before["public.change_log"].len() > 180);
    set_up(&db);
    // A column that has come since is no part of what was there.
    for (table, rows) in db.rows(&tables) {
        assert_eq!(before.get(&table), Some(&rows), "{table}");
    }
    let otherwise = format!("select organization_id::text as value from derived.tallied where rules <> {RULES}");
    assert!(db.values(&otherwise).is_empty());
    assert_eq!(db.definitions(), TestDb::new().definitions());
    let report = verify::verify(&mut db.connect(), None).unwrap();
    assert!(report.findings.is_empty(), "{}", report.lines().join("\n"));
}

/// What indexes, views and triggers call is found whatever the search path is: since PostgreSQL 17 indexes are built and looked
/// after with one of their own, and what is restored from a copy has none at all.
#[test]
fn what_the_database_calls_by_itself_needs_no_search_path() {
    for db in [TestDb::new(), TestDb::filled(FILLED).unwrap()] {
        set_up(&db);
        let mut conn = db.connect();
        conn.batch_execute("set search_path = pg_catalog, pg_temp").unwrap();
        let mut must = |sql: &str| conn.batch_execute(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        for index in db.values("select format('%I.%I', schemaname, indexname) as value from pg_indexes where schemaname in ('public', 'derived')") {
            must(&format!("reindex index {index}"));
        }
        must("analyze");
        must("begin; set local ward_policy.as_of = '100'; set local ward_policy.drafts = '*'");
        let views = "select format('%I.%I', schemaname, viewname) as value from pg_views \
                     where schemaname in ('public', 'derived', 'published_view', 'everybody', 'visible', 'as_of', 'past')";
        for view in db.values(views) {
            must(&format!("select count(*) from {view}"));
        }
        must("rollback");
    }
    // Of a new database the triggers too.
    let db = TestDb::new();
    set_up(&db);
    let mut conn: PgConnection = db.connect();
    conn.batch_execute(
        "set search_path = pg_catalog, pg_temp; begin; select public.begin_write('test', '', '', 'test'); \
         update public.organizations set name = name || '2'; update public.policies set source = 'x'; \
         update public.goals set title = title || '2'; update public.budgets set text = 'x'; \
         update public.indicators set name = name || '2'; update public.self_evaluations set self_evaluation = '{x}'; \
         insert into public.results (id, indicator_id, policy_id, fiscal_year, observation_status) \
         select gen_random_uuid(), id, policy_id, 2024, 'final' from public.indicators; \
         update public.results set comment = 'x'; delete from public.results; \
         update public.tokens set name = name || '2'; commit",
    )
    .unwrap();
}
