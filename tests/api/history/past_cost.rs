//! What a page of the past costs: what it holds, and not what the history does. Work is counted, as PostgreSQL counts it.

use diesel::{PgConnection, connection::SimpleConnection, prelude::*};

use crate::support::{Api, TestDb, factories::Nishi};

/// The lists in their usual orders, as the service asks for them, and under one organization.
const PAGES: [(&str, &str); 8] = [
    (
        "indicators",
        "select t.*, g.code, p.fiscal_year, o.slug from indicators t join goals g on g.id = t.goal_id \
        join policies p on p.id = g.policy_id join organizations o on o.id = p.organization_id order by t.id limit 11",
    ),
    (
        "names",
        "select t.*, g.code from indicators t join goals g on g.id = t.goal_id \
        join policies p on p.id = g.policy_id join organizations o on o.id = p.organization_id order by t.name, t.id limit 11",
    ),
    (
        "results",
        "select t.*, i.name, g.code from results t join indicators i on i.id = t.indicator_id join goals g on g.id = i.goal_id \
        join policies p on p.id = g.policy_id join organizations o on o.id = p.organization_id order by t.fiscal_year desc, t.id limit 11",
    ),
    (
        "budgets",
        "select t.*, g.code from budgets t join goals g on g.id = t.goal_id join policies p on p.id = g.policy_id \
        join organizations o on o.id = p.organization_id order by t.fiscal_year, t.id limit 11",
    ),
    (
        "goals",
        "select t.*, o.slug from goals t join policies p on p.id = t.policy_id join organizations o on o.id = p.organization_id \
        order by public.goal_code_order(t.code), t.id limit 11",
    ),
    (
        "one organization",
        "select t.*, g.code from indicators t join goals g on g.id = t.goal_id join policies p on p.id = g.policy_id \
        join organizations o on o.id = p.organization_id where o.slug = 'nishi' or o.municipality_code = 'nishi' order by t.id limit 11",
    ),
    (
        "one",
        "select t.* from indicators t join goals g on g.id = t.goal_id where t.id = (select id from public.indicators order by id limit 1)",
    ),
    (
        "one policy",
        "select t.* from results t where t.policy_id = (select id from public.policies where fiscal_year = 2024)",
    ),
];

/// The pages of data that PostgreSQL looks at for a query at a place in the history.
fn looked_at(conn: &mut PgConnection, seq: i64, query: &str) -> u64 {
    #[derive(QueryableByName)]
    struct Plan {
        #[diesel(sql_type = diesel::sql_types::Json, column_name = "QUERY PLAN")]
        plan: serde_json::Value,
    }
    conn.batch_execute(&format!(
        "begin; set local ward_policy.as_of = '{seq}'; set local search_path = as_of, public"
    ))
    .unwrap();
    let plan: Plan = diesel::sql_query(format!("explain (analyze, buffers, format json) {query}"))
        .get_result(conn)
        .unwrap();
    conn.batch_execute("rollback").unwrap();
    let of = |what: &str| plan.plan[0]["Plan"][what].as_u64().unwrap();
    of("Shared Hit Blocks") + of("Shared Read Blocks")
}

/// Writes by SQL, and lets PostgreSQL look at the tables.
fn write(db: &TestDb, sql: &str) {
    let mut conn = db.connect();
    conn.batch_execute(&format!(
        "begin; select begin_write('test', '', '', 'test'); {sql}; commit; analyze"
    ))
    .unwrap();
}

#[actix_web::test]
async fn a_page_of_the_past_costs_no_more_when_the_history_has_grown() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.publish("nishi/2024", "results").await;
    let year = |year: i32| {
        format!(
            "insert into policies (id, organization_id, fiscal_year, results_due_on, stage, plan_published_on, results_published_on) \
             select gen_random_uuid(), id, {year}, '{due}-06-30', 'results', '{year}-04-01', '{due}-06-10' from organizations; \
             insert into goals (id, policy_id, code, title) \
             select gen_random_uuid(), p.id, n::text, '課題' || n from policies p, generate_series(11, 60) as n where p.fiscal_year = {year}; \
             insert into budgets (id, goal_id, fiscal_year, kind, status) \
             select gen_random_uuid(), g.id, {year}, 'initial', 'blank' from goals g join policies p on p.id = g.policy_id where p.fiscal_year = {year}; \
             insert into indicators (id, goal_id, position, kind, name, decimals, direction, series_id, target_comparator, target_reference, target_period) \
             select gen_random_uuid(), g.id, n, 'outcome', g.code || '指標' || n || '-{year}', 0, 'unknown', gen_random_uuid(), 'undecided', 'none', 'single_year' \
             from goals g join policies p on p.id = g.policy_id, generate_series(1, 10) as n where p.fiscal_year = {year}; \
             insert into results (id, indicator_id, fiscal_year, observation_status, value) \
             select gen_random_uuid(), i.id, {year}, 'final', 1 from indicators i join policies p on p.id = i.policy_id where p.fiscal_year = {year}",
            due = year + 1
        )
    };
    for y in 2014..2018 {
        write(&api.db, &year(y));
    }
    let then: i64 = api.db.values("select max(seq)::text as value from change_log")[0]
        .parse()
        .unwrap();
    let costs = || {
        let mut conn = api.db.connect();
        PAGES.map(|(name, query)| (name, looked_at(&mut conn, then, query)))
    };
    let before = costs();
    // Four times the history: other years before and after, and most of what there was is changed.
    for y in (2018..2022).chain(2006..2014) {
        write(&api.db, &year(y));
    }
    write(
        &api.db,
        "update results set comment = '訂正' where fiscal_year > 2014; update indicators set population = '区民' where position > 1; \
         update budgets set text = '－' where fiscal_year > 2014",
    );
    for ((name, before), (_, after)) in before.into_iter().zip(costs()) {
        assert!(after <= 3 * before + 40, "{name}: {before} pages before, {after} after");
        assert!(after < 700, "{name}: {after}");
    }
}
