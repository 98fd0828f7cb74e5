//! Functions and views: defined once for each text and each set of migrations.

use diesel::connection::SimpleConnection;
use ward_policy::db;

use crate::support::TestDb;

/// What a newer program may have made of a function.
const NEWER: &str =
    "create or replace function settled() returns timestamptz language sql as 'select clock_timestamp()'";

#[test]
fn definitions_that_a_database_has_had_are_not_put_back() {
    let db = TestDb::new();
    let mut conn = db.connect();
    let before = db.definitions();
    conn.batch_execute(NEWER).unwrap();
    let newer = db.definitions();
    assert_ne!(newer, before);
    db::migrate(&mut conn).unwrap();
    assert_eq!(db.definitions(), newer, "an older program took them back");

    conn.batch_execute("delete from derived.definitions").unwrap();
    db::migrate(&mut conn).unwrap();
    assert_eq!(db.definitions(), before, "definitions that are new here were not made");
    let noted = db.values("select count(*)::text as value from derived.definitions");
    assert_eq!(noted, ["1"]);
}

#[test]
fn a_migration_that_adds_a_column_has_it_shown() {
    let db = TestDb::new();
    let mut conn = db.connect();
    conn.batch_execute(
        "alter table goals add column hint text; insert into __diesel_schema_migrations (version) values ('29990101000001')",
    )
    .unwrap();
    db::migrate(&mut conn).unwrap();
    let shown = db.values(
        "select table_schema::text as value from information_schema.columns where table_name in ('goals', 'goals_versions') \
         and column_name = 'hint' order by 1",
    );
    assert_eq!(
        shown,
        [
            "as_of",
            "derived",
            "everybody",
            "past",
            "public",
            "published_view",
            "visible"
        ]
    );
}

/// An instance of the version before reads through the former names as long as it runs.
#[test]
fn views_have_their_former_names_too() {
    let db = TestDb::new();
    for (name, former) in [("published_view", "everybody"), ("as_of", "past")] {
        let views = |schema: &str| {
            db.values(&format!(
                "select viewname || definition as value from pg_views where schemaname = '{schema}' order by 1"
            ))
        };
        assert!(views(name).len() >= 6);
        assert_eq!(views(name), views(former));
    }
}
