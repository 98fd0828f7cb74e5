//! What is counted is told by the templates of paths, and whatever callers send, no more than that; the files for
//! Prometheus and Grafana ask for nothing that is not told.

use std::{collections::BTreeSet, fs, time::Duration};

use actix_web::rt::{spawn, time::sleep};
use chrono::{SecondsFormat, Utc};
use diesel::connection::SimpleConnection;
use futures_util::future::join;
use serde_json::{Value, json};
use ward_policy::{db::Bounds, server::metrics};

use crate::support::{Api, Call, TestDb, factories::Nishi, patient, secrets::Secrets};

impl Api {
    /// The lines of what is told, without those that explain.
    async fn told(&self) -> Vec<String> {
        let text = metrics::text(&self.state).await.unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    /// One number that is told; 0 where it is not.
    pub(crate) async fn count(&self, series: &str) -> f64 {
        let told = self.told().await;
        let value = told
            .iter()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

#[actix_web::test]
async fn requests_are_counted_by_the_template_of_their_path() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let before = api.count(r#"ward_policy_requests_total{route="/v1/policies/{organization}/{fiscal_year}",method="GET",status="200"}"#).await;
    let length = api.get("/v1/policies/nishi/2024").await.must_be(200).bytes.len();
    api.get("/v1/policies/271063/2024").await.must_be(200);
    api.get("/v1/policies/nishi/2025").await.must_be(404);
    let labels = r#"route="/v1/policies/{organization}/{fiscal_year}",method="GET""#;
    for (series, expected) in [
        (
            format!(r#"ward_policy_requests_total{{{labels},status="200"}}"#),
            before + 2.0,
        ),
        (format!(r#"ward_policy_requests_total{{{labels},status="404"}}"#), 1.0),
        (format!("ward_policy_request_seconds_count{{{labels}}}"), before + 3.0),
        (format!("ward_policy_response_bytes_count{{{labels}}}"), before + 3.0),
        ("ward_policy_requests_in_flight".to_owned(), 0.0),
    ] {
        assert!((api.count(&series).await - expected).abs() < 0.5, "{series}");
    }
    let sum = api.count(&format!("ward_policy_response_bytes_sum{{{labels}}}")).await;
    assert!(sum >= 2.0 * f64::from(u32::try_from(length).unwrap()), "{sum}");
    for line in api.told().await {
        assert!(!line.contains("nishi") && !line.contains("271063"), "{line}");
    }
}

#[actix_web::test]
async fn unknown_paths_and_methods_add_no_more_than_one_name() {
    let api = Api::new().await;
    let call = async |n: usize| {
        api.get(format!("/v1/none-{n}")).await.must_be(404);
        api.get(format!("/none/{n}/%00")).await.must_be(404);
        api.send(Call::new(&format!("METHOD{n}"), "/v1/goals"))
            .await
            .must_be(405);
        api.send(Call::new(&format!("METHOD{n}"), format!("/{n}")))
            .await
            .must_be(404);
    };
    call(0).await;
    let series = api.told().await.len();
    for n in 1..20 {
        call(n).await;
    }
    let told = api.told().await;
    assert_eq!(told.len(), series, "{}", told.join("\n"));
    assert!(
        (api.count(r#"ward_policy_requests_total{route="other",method="GET",status="404"}"#)
            .await
            - 40.0)
            .abs()
            < 0.5
    );
    assert!(
        (api.count(r#"ward_policy_requests_total{route="/v1/goals",method="other",status="405"}"#)
            .await
            - 20.0)
            .abs()
            < 0.5
    );
    assert!(!told.iter().any(|line| line.contains("none") || line.contains("METHOD")));
}

#[actix_web::test]
async fn what_the_database_refuses_is_counted_by_kind_and_so_is_its_absence() {
    // Of one that is gone nobody waits long to hear.
    let api = Api::with_bounds(Bounds {
        wait: Duration::from_millis(1500),
        ..patient()
    })
    .await;
    let bureau = json!({"slug": "port", "kind": "bureau", "name": "港湾局", "display_order": 1});
    api.post("/v1/organizations", &bureau).await.must_be(201);
    api.post("/v1/organizations", &bureau).await.must_be(409);
    let kind = |kind: &str| format!("ward_policy_database_errors_total{{kind=\"{kind}\"}}");
    assert!((api.count(&kind("unique_violation")).await - 1.0).abs() < 0.5);
    assert!((api.count("ward_policy_database_up").await - 1.0).abs() < 0.5);
    assert!(api.count(r#"ward_policy_migrations{state="known"}"#).await > 0.5);
    assert!(api.count(r#"ward_policy_migrations{state="missing"}"#).await < 0.5);
    assert!(api.count("ward_policy_feed_last_seq").await > 0.5);

    api.db.connect().batch_execute("delete from __diesel_schema_migrations where version = (select max(version) from __diesel_schema_migrations)").unwrap();
    while api.count(r#"ward_policy_migrations{state="missing"}"#).await < 0.5 {
        sleep(Duration::from_millis(20)).await;
    }

    let name = api.db.values("select current_database()::text as value").remove(0);
    TestDb::beside()
        .batch_execute(&format!("drop database {name} with (force)"))
        .unwrap();
    api.send(Call::new("GET", "/v1/organizations").anonymous())
        .await
        .must_be(503);
    assert!(api.count(&kind("connection_failed")).await > 0.5);
    assert!(api.count(&kind("no_connection")).await > 0.5);
    let told = api.told().await;
    assert!(
        told.iter().any(|line| line == "ward_policy_database_up 0"),
        "{}",
        told.join("\n")
    );
    assert!(!told.iter().any(|line| line.starts_with("ward_policy_migrations")));
}

#[actix_web::test]
async fn who_waits_for_a_connection_is_counted_and_the_pool_told() {
    let api = Api::new().await;
    let bureau =
        |n: usize| json!({"slug": format!("b{n}"), "kind": "bureau", "name": format!("{n}局"), "display_order": 1});
    // Two writers wait in the database, the third at the gate.
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; lock table organizations in access exclusive mode")
        .unwrap();
    let writes = futures_util::future::join_all((0..3).map(|n| {
        let body = bureau(n);
        let api = &api;
        async move { api.post("/v1/organizations", &body).await.must_be(201) }
    }));
    let look = async {
        while api.count(r#"ward_policy_pool_waiting{lane="writers"}"#).await < 0.5 {
            sleep(Duration::from_millis(5)).await;
        }
        assert!((api.count(r#"ward_policy_pool_in_use{lane="writers"}"#).await - 2.0).abs() < 0.5);
        assert!((api.count("ward_policy_requests_in_flight").await - 3.0).abs() < 0.5);
        holder.batch_execute("rollback").unwrap();
    };
    join(writes, look).await;
    assert!(api.count(r#"ward_policy_pool_waiting{lane="writers"}"#).await < 0.5);
    assert!(api.count(r#"ward_policy_pool_in_use{lane="writers"}"#).await < 0.5);
    assert!(
        (api.count(r#"ward_policy_pool_wait_seconds_count{lane="writers"}"#)
            .await
            - 1.0)
            .abs()
            < 0.5
    );
    assert!((api.count(r#"ward_policy_pool_turns_total{lane="writers"}"#).await - 3.0).abs() < 0.5);
    assert!((api.count(r#"ward_policy_pool_size{lane="writers"}"#).await - 3.0).abs() < 0.5);
}

#[actix_web::test]
async fn who_asks_for_much_has_a_lane_of_their_own() {
    let secrets = Secrets::new().await;
    let api = secrets.api.beside(0).await;
    let indicator = secrets.open["indicator"].clone();
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let turns = async |lane: &str| {
        api.count(&format!("ward_policy_pool_turns_total{{lane=\"{lane}\"}}"))
            .await
    };
    let asked = async |lane: &str, path: &str| {
        let before = turns(lane).await;
        api.send(Call::new("GET", path).anonymous()).await.must_be(200);
        turns(lane).await - before
    };
    for path in [
        "/v1/coverage",
        "/v1/findings",
        "/v1/transitions",
        "/v1/budgets/summary",
        "/v1/budgets/vintages",
        "/v1/evaluations?outcome=achieved",
        "/v1/evaluations?rating=B",
        "/v1/evaluations?include_total=true",
        "/v1/evaluations/summary?group_by=goal",
        "/v1/indicators?include_total=true",
        "/v1/results?sort=-updated_at",
        &format!("/v1/indicators/{indicator}?as_of={now}"),
    ] {
        assert!((asked("broad", path).await - 1.0).abs() < 0.5, "{path}");
    }
    for path in [
        "/v1/evaluations",
        "/v1/evaluations/summary",
        "/v1/evaluations/summary?group_by=organization",
        "/v1/indicators?limit=100",
        "/v1/results?sort=-fiscal_year",
        &format!("/v1/indicators/{indicator}"),
        "/v1/organizations?sort=display_order",
    ] {
        assert!(asked("readers", path).await > 0.5, "{path}");
        assert!(asked("broad", path).await < 0.5, "{path}");
    }
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ward_policy_") || word.starts_with("process_"))
        .collect()
}

#[actix_web::test]
async fn the_dashboard_and_the_alerts_ask_for_what_is_told() {
    let api = Api::new().await;
    let bureau = json!({"slug": "port", "kind": "bureau", "name": "港湾局", "display_order": 1});
    api.post("/v1/organizations", &bureau).await.must_be(201);
    api.post("/v1/organizations", &bureau).await.must_be(409);
    let head = api.get("/v1/changes/head").await.must_be(200).text("cursor");
    let database = api.state.database.clone();
    let stop = spawn(async move {
        while database.heard().silence.is_none() {
            sleep(Duration::from_millis(5)).await;
        }
        database.stop_waiting();
    });
    api.get(format!("/v1/changes?cursor={head}&wait=30")).await.must_be(200);
    stop.await.unwrap();

    let told = api.told().await;
    let told: BTreeSet<_> = told.iter().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let alerts = fs::read_to_string("monitoring/alerts.yml").unwrap();
    let alerts: Value = yaml_serde::from_str(&alerts).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    let dashboard: Value = serde_json::from_str(&fs::read_to_string("monitoring/grafana.json").unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut seen = BTreeSet::new();
    for asked in rules.iter().chain(targets) {
        let expression = asked["expr"].as_str().unwrap();
        for name in named(expression) {
            assert!(told.contains(name), "nothing is told of {name}: {expression}");
            seen.insert(name.trim_end_matches("_bucket").trim_end_matches("_sum").to_owned());
        }
    }
    // What is told and neither watched nor drawn might as well not be told.
    for name in told {
        let (name, beside) = (
            name.trim_end_matches("_bucket")
                .trim_end_matches("_sum")
                .trim_end_matches("_count"),
            [
                "ward_policy_build_info",
                "process_start_time_seconds",
                "ward_policy_pool_turns_total",
            ],
        );
        assert!(seen.contains(name) || beside.contains(&name), "nobody asks for {name}");
    }
}

#[actix_web::test]
async fn a_request_keeps_its_trace_as_a_span_of_its_own_or_begins_one() {
    let api = Api::new().await;
    let (id, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let traced = async |path: &str, headers: &[(&str, &str)]| {
        let call = headers
            .iter()
            .fold(Call::new("GET", path), |call, (name, value)| call.header(name, *value));
        let answer = api.send(call).await;
        let parts: Vec<_> = answer.header("traceparent").split('-').map(str::to_owned).collect();
        let [version, id, span, flags]: [String; 4] = parts.try_into().unwrap();
        assert_eq!((version.as_str(), id.len(), span.len(), flags.len()), ("00", 32, 16, 2));
        assert!(!id.bytes().all(|b| b == b'0') && !span.bytes().all(|b| b == b'0'));
        (id, span, flags, answer.header("tracestate").to_owned())
    };
    for path in ["/healthz", "/v1/goals", "/v1/none"] {
        for flags in ["00", "01"] {
            let given = format!("00-{id}-{span}-{flags}");
            let state = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";
            let kept = traced(path, &[("traceparent", &given), ("tracestate", state)]).await;
            assert_eq!(
                (kept.0.as_str(), kept.2.as_str(), kept.3.as_str()),
                (id, flags, state),
                "{path}"
            );
            assert_ne!(kept.1, span);
            let kept = traced(path, &[("traceparent", &given), ("tracestate", "not=a=state")]).await;
            assert_eq!((kept.0.as_str(), kept.3.as_str()), (id, ""));
        }
        let good = format!("00-{id}-{span}-01");
        let bad = [
            good.to_uppercase(),
            good.replace("00-", "ff-"),
            good.replace(id, &"0".repeat(32)),
            good.replace(span, &"0".repeat(16)),
            format!("{good}-00"),
            "nonsense".to_owned(),
        ];
        for bad in &bad {
            let fresh = traced(path, &[("traceparent", bad), ("tracestate", "a=1")]).await;
            assert!(
                !bad.to_lowercase().contains(&fresh.0) && fresh.3.is_empty(),
                "{bad}: {fresh:?}"
            );
        }
        let twice = traced(path, &[("traceparent", &good), ("traceparent", &good)]).await;
        assert_ne!(twice.0, id);
        assert_ne!(traced(path, &[]).await.0, traced(path, &[]).await.0);
    }
}
