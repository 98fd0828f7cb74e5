//! What the schema itself must keep.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    PgConnection, QueryDsl, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};
use diesel_migrations::MigrationHarness;
use ward_policy::{
    cli::sample,
    db::{self, MIGRATIONS, known_constraints},
    http::query::SearchText,
    resources::indicators::{IndicatorFilter, matching},
};

use crate::support::TestDb;

const TABLES: &str = "select relname::text as value from pg_class where relnamespace = 'public'::regnamespace \
                      and relkind = 'r' and relname !~ 'diesel' order by 1";

/// Views that are read as tables are.
const VIEWS: [&str; 5] = ["changes", "derived.counted", "public_changes", "published", "removals"];
/// Tables of what is counted of others: no history, and made anew when it is lost.
const DERIVED: [&str; 3] = ["derived.kept_answers", "derived.tallied", "derived.tallies"];
/// Tables that are no rows of policies: what is kept of them is never changed, or is nobody's history.
const BOOKS: [&str; 6] = [
    "change_epoch",
    "change_log",
    "idempotency_keys",
    "revisions",
    "stream_tickets",
    "token_uses",
];

#[test]
fn every_constraint_has_a_sentence() {
    let db = TestDb::new();
    let stored = db.values(
        "select conname::text as value from pg_constraint where connamespace = 'public'::regnamespace \
         and contype in ('u', 'f', 'c') and conrelid::regclass::text !~ 'diesel'",
    );
    let raised = db.values(
        "select t || '_policy_fixed' as value from unnest(array['goals', 'budgets', 'indicators', 'results', 'self_evaluations']) t \
         union all select 'policies_organization_fixed' union all select 'policies_year_fixed' \
         union all select 'organizations_' || t from unnest(array['name_unique', 'slug_reserved', 'municipality_code_reserved']) t",
    );
    let known: BTreeSet<_> = known_constraints().map(str::to_owned).collect();
    assert_eq!(stored.into_iter().chain(raised).collect::<BTreeSet<_>>(), known);
}

#[test]
fn every_foreign_key_is_indexed() {
    let bare = TestDb::new().values(
        "select c.conname::text as value from pg_constraint c where c.contype = 'f' \
         and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])",
    );
    assert!(bare.is_empty(), "without an index: {bare:?}");
}

#[test]
fn migrations_go_up_down_and_up_again() {
    const EVERYTHING: &str = "select relname::text as value from pg_class where relnamespace::regnamespace::text in ('public', 'derived') and relname !~ 'diesel' \
         union all select proname::text from pg_proc where pronamespace::regnamespace::text in ('public', 'derived') and proname !~ 'diesel' \
         union all select typname::text from pg_type where typnamespace::regnamespace::text in ('public', 'derived') and typname !~ 'diesel' order by 1";
    let db = TestDb::new();
    let before = db.values(EVERYTHING);
    let mut conn = db.connect();
    conn.revert_all_migrations(MIGRATIONS).unwrap();
    let left = db.values(EVERYTHING);
    assert!(left.is_empty(), "left behind: {left:?}");
    db::migrate(&mut conn).unwrap();
    assert_eq!(db.values(EVERYTHING), before);
}

/// What `diesel::table!` says, by table and column, in the words of the database.
fn declared() -> BTreeMap<String, Vec<String>> {
    let source = include_str!("../../../src/db/schema.rs");
    let mut tables = BTreeMap::new();
    for part in source.split("diesel::table! {").skip(1) {
        let (head, rest) = part.split_once(" {").unwrap();
        let words = head
            .lines()
            .find(|line| !line.trim().is_empty() && !line.trim().starts_with("///"));
        let Some(table) = words.and_then(|line| line.split_whitespace().next()) else {
            continue;
        };
        let columns = rest.split_once('}').unwrap().0.lines().filter_map(|line| {
            let (column, kind) = line.trim().trim_end_matches(',').split_once(" -> ")?;
            // `type` is a word of Rust.
            Some(format!(
                "{} {}",
                column.trim_end_matches('_'),
                in_words_of_the_database(kind)
            ))
        });
        tables.insert(table.to_owned(), columns.collect());
    }
    tables
}

fn in_words_of_the_database(kind: &str) -> String {
    if let Some(inner) = kind.strip_prefix("Nullable<") {
        return format!("{} null", in_words_of_the_database(inner.strip_suffix('>').unwrap()));
    }
    if let Some(inner) = kind.strip_prefix("Array<") {
        return format!("_{}", in_words_of_the_database(inner.strip_suffix('>').unwrap()));
    }
    kind.to_lowercase()
}

#[test]
fn the_tables_are_those_diesel_knows() {
    let db = TestDb::new();
    let tables = db.values(TABLES);
    let declared = declared();
    let tables = [
        tables,
        VIEWS.map(str::to_owned).to_vec(),
        DERIVED.map(str::to_owned).to_vec(),
    ]
    .concat();
    let tables: BTreeSet<_> = tables.into_iter().collect();
    assert_eq!(declared.keys().cloned().collect::<BTreeSet<_>>(), tables);
    for (table, mut columns) in declared {
        // Of a view nobody says what may be null.
        let null = if VIEWS.contains(&table.as_str()) { "" } else { " null" };
        for column in &mut columns {
            *column = column.replace(" null", null);
        }
        let (schema, name) = table.split_once('.').unwrap_or(("public", &table));
        let stored = db.values(&format!(
            "select column_name || ' ' || udt_name || case is_nullable when 'YES' then '{null}' else '' end as value \
             from information_schema.columns where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
        ));
        assert_eq!(columns, stored, "{table}");
    }
}

#[test]
fn every_table_counts_its_versions() {
    let db = TestDb::new();
    for table in db
        .values(TABLES)
        .into_iter()
        .filter(|table| !BOOKS.contains(&table.as_str()))
    {
        let columns = db.values(&format!(
            "select column_name || ' ' || coalesce(column_default, '') as value from information_schema.columns \
             where table_schema = 'public' and table_name = '{table}' and column_name in ('version', 'created_at', 'updated_at') order by 1"
        ));
        assert_eq!(
            columns,
            ["created_at now()", "updated_at now()", "version 1"],
            "{table}"
        );
        // A row trigger, before inserts and updates: 1 + 2 + 4 + 16.
        let trigger = db.values(&format!(
            "select tgname || ' ' || tgtype as value from pg_trigger where tgrelid = '{table}'::regclass and tgname ~ '_touch$'"
        ));
        assert_eq!(trigger, [format!("{table}_touch 23")], "{table}");
    }
}

const BEGIN: &str = "begin; select begin_write('test', '', '', 'test')";
const WARD: &str = "insert into organizations (id, slug, kind, municipality_code, name, display_order) \
                    values ('018e9a2c-5b00-7000-8000-000000000001', 'nishi', 'ward', '271063', '西区', 6)";

#[test]
fn an_update_cannot_change_what_identifies_a_row() {
    let db = TestDb::new();
    let mut conn = db.connect();
    conn.batch_execute(&format!("{BEGIN}; {WARD}; commit")).unwrap();
    let row = || db.values("select concat(id, ' ', created_at, ' ', version) as value from organizations");
    let before = row();
    conn.batch_execute(&format!(
        "{BEGIN}; update organizations set id = gen_random_uuid(), created_at = '2000-01-01', version = 99, name = '西 区'; commit"
    ))
    .unwrap();
    let expected = before[0].trim_end_matches('1').to_owned() + "2";
    assert_eq!(row(), [expected]);
}

#[test]
fn an_update_that_changes_nothing_does_not_happen() {
    let db = TestDb::new();
    let mut conn = db.connect();
    conn.batch_execute(&format!("{BEGIN}; {WARD}; commit")).unwrap();
    conn.batch_execute("update organizations set name = name").unwrap();
    let versions = db.values("select concat(version, ' ', updated_at = created_at) as value from organizations");
    assert_eq!(versions, ["1 t"]);
}

#[test]
fn the_database_too_checks_the_digit_of_a_municipality_code() {
    let db = TestDb::new();
    let mut conn = db.connect();
    for wrong in ["271064", "27106", "2710633", "27106x", "２７１０６３"] {
        let refused = conn.batch_execute(&WARD.replace("271063", wrong)).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("organizations_municipality_code_check_digit"),
            "{wrong}: {refused}"
        );
    }
    conn.batch_execute(&format!("{BEGIN}; {WARD}; commit")).unwrap();
}

#[test]
fn the_database_too_refuses_targets_that_do_not_hold_together() {
    let db = TestDb::new();
    let mut conn = db.connect();
    sample::fill(&mut conn).unwrap();
    for (columns, values, refused) in [
        (
            "comparator, reference, value",
            "'increase_by_percent', 'previous_year', 0",
            None,
        ),
        (
            "comparator, reference, value",
            "'decrease_by_percent', 'previous_year', 2.500000000",
            None,
        ),
        (
            "comparator, reference, value",
            "'decrease_by_percent', 'previous_year', null",
            Some("value_coherent"),
        ),
        (
            "comparator, reference, value",
            "'decrease_by_percent', 'none', 5",
            Some("value_coherent"),
        ),
        (
            "comparator, reference, value",
            "'decrease_by_percent', 'previous_year', -1",
            Some("value_coherent"),
        ),
        (
            "comparator, reference, value",
            "'increase_by_percent', 'previous_year', 1000000.1",
            Some("value_coherent"),
        ),
        (
            "comparator, reference, value",
            "'increase_by_percent', 'previous_year', 0.0000001",
            Some("value_coherent"),
        ),
        ("reference, value, reference_name", "'external', null, '市平均'", None),
        (
            "reference, value, reference_name, reference_value",
            "'external', null, '市平均', 58.3",
            None,
        ),
        (
            "reference, value, reference_name",
            "'external', null, null",
            Some("reference_coherent"),
        ),
        (
            "reference, value, reference_name",
            "'external', null, ' '",
            Some("reference_coherent"),
        ),
        (
            "reference, value, reference_name",
            "'previous_year', null, '市平均'",
            Some("reference_coherent"),
        ),
    ] {
        let columns = columns.replace(", ", ", target_");
        let changed = conn.batch_execute(&format!(
            "{BEGIN}; update indicators set (target_{columns}) = row({values}); rollback"
        ));
        let said = changed.as_ref().map_err(ToString::to_string).err().unwrap_or_default();
        let constraint = refused.map(|what| format!("indicators_target_{what}"));
        assert_eq!(changed.is_err(), refused.is_some(), "{values}: {said}");
        assert!(said.contains(&constraint.unwrap_or_default()), "{values}: {said}");
        conn.batch_execute("rollback").unwrap();
    }
}

#[test]
fn the_database_orders_goal_codes_as_numbers() {
    let codes = TestDb::new().values(
        "select code as value from (values ('10'), ('1-10'), ('2'), ('1'), ('1-2'), ('1-2-10'), ('1-2-9'), ('1-1')) as g (code) \
         order by goal_code_order(code)",
    );
    assert_eq!(codes, ["1", "1-1", "1-2", "1-2-9", "1-2-10", "1-10", "2", "10"]);
}

/// `explain` of a query as the service makes it.
struct Explain<Q>(Q);

impl<Q> QueryId for Explain<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q> Query for Explain<Q> {
    type SqlType = Text;
}
impl<Q> RunQueryDsl<PgConnection> for Explain<Q> {}
impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("explain ");
        self.0.walk_ast(out.reborrow())
    }
}

#[test]
fn a_search_for_part_of_a_name_goes_through_its_index() {
    let db = TestDb::new();
    let mut conn = db.connect();
    conn.batch_execute("set enable_seqscan = off").unwrap();
    for text in ["区", "割合", "地域活動協議会"] {
        let filter = IndicatorFilter {
            q: Some(SearchText(text.to_owned())),
            ..IndicatorFilter::default()
        };
        let plan: Vec<String> = Explain(matching(&filter).count()).load(&mut conn).unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("indicators_search_idx"), "{plan}");
    }
}
