//! Plans of the hot statements, as PostgreSQL makes them over a filled database: by index, and once for all values.

use diesel::{
    PgConnection,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{BigInt, Integer, Json, Text},
};
use serde_json::{Value, json};
use ward_policy::{
    db::{
        Context, FindById, find_by_id,
        schema::{goals as g, indicators as i, organizations as o, policies as p},
        write,
    },
    http::{
        as_of::Since,
        query::{AnyOf, Years},
    },
    resources::{
        HOOKS,
        evaluations::{
            EvaluationFilter,
            case::{self, Subject, Walk},
        },
        policy_trees::store::Rows,
        results::bulk::{ResultEntry, store},
    },
    value::{FiscalYear, Id, OrganizationKey, today},
};

use crate::{load::load, support::TestDb};

/// Organizations of 200 indicators each.
const ORGANIZATIONS: u32 = 20;
/// PostgreSQL plans a statement five times for its values before it weighs a plan for all.
const ROUNDS: usize = 8;
/// What is not read from one end to the other. There are few revisions here.
const LARGE: [&str; 6] = ["policies", "goals", "budgets", "indicators", "results", "change_log"];

#[derive(Debug, QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = BigInt)]
    generic_plans: i64,
    #[diesel(sql_type = Integer)]
    parameters: i32,
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Json, column_name = "QUERY PLAN")]
    plan: Value,
}

/// A connection like those that write.
fn writer(db: &TestDb) -> PgConnection {
    let mut conn = db.connect();
    conn.batch_execute("set random_page_cost = 1.1; set jit = off; set max_parallel_workers_per_gather = 0")
        .unwrap();
    conn
}

/// A connection like those that read for the public.
fn reader(db: &TestDb) -> PgConnection {
    let mut conn = writer(db);
    conn.batch_execute("set search_path = published_view, public").unwrap();
    conn
}

/// The tables that a plan reads from one end to the other.
fn scanned(plan: &Value, found: &mut Vec<String>) {
    if plan["Node Type"] == "Seq Scan" {
        found.push(plan["Relation Name"].as_str().unwrap().to_owned());
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        scanned(child, found);
    }
}

/// Asserts that what was prepared on this connection is planned once, and reads no large table from one end to the other.
fn hold(conn: &mut PgConnection, what: &str) {
    let prepared: Vec<Prepared> = diesel::sql_query(
        "select name, statement, generic_plans, coalesce(array_length(parameter_types, 1), 0) as parameters \
         from pg_prepared_statements where from_sql is false and generic_plans + custom_plans >= 8",
    )
    .load(conn)
    .unwrap();
    assert!(!prepared.is_empty(), "{what}: nothing was prepared");
    conn.batch_execute("set plan_cache_mode = force_generic_plan").unwrap();
    for Prepared {
        name,
        statement,
        generic_plans,
        parameters,
    } in prepared
    {
        assert!(generic_plans > 0, "{what}: planned anew each time: {statement}");
        let nulls = vec!["null"; usize::try_from(parameters).unwrap()].join(", ");
        let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        let plan: Plan = diesel::sql_query(format!("explain (format json) execute \"{name}\"{values}"))
            .get_result(conn)
            .unwrap();
        let mut found = Vec::new();
        scanned(&plan.plan[0]["Plan"], &mut found);
        found.retain(|table| LARGE.contains(&table.as_str()));
        assert!(
            found.is_empty(),
            "{what}: {found:?} are read from one end to the other: {statement}\n{}",
            plan.plan
        );
    }
}

#[actix_web::test]
async fn hot_statements_are_planned_once_and_read_by_index() {
    let db = TestDb::new();
    for n in 0..ORGANIZATIONS {
        load(&mut db.connect(), n).unwrap();
    }
    db.connect().batch_execute("vacuum analyze").unwrap();
    let mut conn = reader(&db);
    let some: Vec<(Id, String, FiscalYear)> = i::table
        .inner_join(g::table.inner_join(p::table.inner_join(o::table)))
        .select((i::id, o::slug, p::fiscal_year))
        .order(i::id)
        .load(&mut conn)
        .unwrap();
    assert_eq!(some.len(), 200 * 20);
    let spread = || some.iter().step_by(some.len() / ROUNDS).take(ROUNDS);

    let mut conn = reader(&db);
    for (id, ..) in spread() {
        let one: Subject = find_by_id(&mut conn, *id).unwrap();
        assert_eq!(one.indicator.id, *id);
    }
    hold(&mut conn, "one evaluation");

    let mut conn = reader(&db);
    for some in some.chunks(7).take(ROUNDS) {
        let ids: Vec<Id> = some.iter().map(|(id, ..)| *id).collect();
        assert_eq!(Subject::all(&mut conn, &ids).unwrap().len(), ids.len());
    }
    hold(&mut conn, "evaluations that are asked for at one moment");

    let mut conn = reader(&db);
    for (_, organization, year) in spread() {
        let filter = EvaluationFilter {
            organization: AnyOf(vec![organization.parse().unwrap()]),
            policy_year: Years(vec![*year]),
            fiscal_year: Years(vec![*year]),
            ..EvaluationFilter::default()
        };
        let walk = Walk { after: None, batch: 52 };
        let mut rows = 0;
        case::each(&mut conn, &filter, &Since::default(), today(), walk, |_| {
            rows += 1;
            Ok(true)
        })
        .unwrap();
        assert_eq!(rows, 20);
    }
    hold(&mut conn, "the evaluations of a policy");

    let mut conn = reader(&db);
    for (id, _, year) in spread() {
        let walk = Walk {
            after: Some((*year, *id)),
            batch: 102,
        };
        let mut rows = 0;
        case::each(
            &mut conn,
            &EvaluationFilter::default(),
            &Since::default(),
            today(),
            walk,
            |_| {
                rows += 1;
                Ok(rows < 101)
            },
        )
        .unwrap();
        assert_eq!(rows, 101);
    }
    hold(&mut conn, "a page of evaluations");

    let mut conn = reader(&db);
    for (_, organization, year) in spread() {
        let key: (OrganizationKey, FiscalYear) = (organization.parse().unwrap(), *year);
        Rows::find(&mut conn, &key).unwrap();
    }
    hold(&mut conn, "a tree");

    let mut conn = writer(&db);
    let mut context = Context::service();
    context.reason = Some("correction".to_owned());
    for (indicator_id, _, year) in spread() {
        let result =
            json!({ "fiscal_year": year, "value": 1, "value_status": "reported", "observation_status": "final" });
        let entry = json!({ "indicator_id": indicator_id, "result": result });
        let entry: ResultEntry = serde_json::from_value(entry).unwrap();
        let stored = write(&mut conn, HOOKS, &context, |tx| store(tx, &[entry])).unwrap();
        assert_eq!(stored.created + stored.changed, 1);
    }
    hold(&mut conn, "a write of a public result");
}
