//! Every operation of the contract is exercised: a new one is missed here until it has its step below.

use std::collections::BTreeSet;

use serde_json::json;

use super::openapi::CONTRACT;
use crate::support::{
    Api, Call,
    factories::{self, Nishi},
};

#[actix_web::test]
async fn every_operation_is_exercised() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let (policy, goal, indicator) = (nishi.policy.id(), nishi.goal.id(), nishi.indicator.id());

    for path in ["/healthz", "/readyz"] {
        api.get(path).await.must_be(200);
    }

    // Publishing, and what it leaves.
    api.bureau("keikaku").await;
    let other = api.policy("keikaku", 2024).await;
    let other = api.goal(&other.id(), "1-1").await;
    api.indicator(&other.id(), "指標").await;
    api.publish("keikaku/2024", "plan").await.must_be(201);
    for path in [
        "/v1/policies/keikaku/2024/revisions",
        "/v1/policies/keikaku/2024/revisions/1",
        "/v1/policies/keikaku/2024/revisions/1/diff?from=1",
    ] {
        api.get(path).await.must_be(200);
    }

    // Reading.
    for path in [
        "/v1/organizations",
        "/v1/policies",
        "/v1/goals",
        "/v1/budgets",
        "/v1/budgets/summary",
        "/v1/indicators",
        "/v1/results",
        "/v1/policies/nishi/2024/tree",
        "/v1/policies/nishi/2024/form",
        "/v1/policies/nishi/2024/evaluation",
        "/v1/evaluations",
        "/v1/evaluations/summary",
        "/v1/series",
        &format!("/v1/series/{}", nishi.indicator.text("series_id")),
        "/v1/coverage",
        "/v1/findings",
        "/v1/transitions?from=B&to=A",
        "/v1/budgets/vintages?organization=nishi",
        &format!("/v1/indicators/{indicator}/predecessors"),
        "/v1/codelists",
        "/v1/scenarios",
        "/v1/me",
        "/v1/tokens",
        "/v1/audit",
        "/v1/changes",
        "/v1/changes/head",
        "/v1/snapshot",
        "/v1/catalog",
        "/v1/exports/indicators",
        "/v1/exports/results",
        "/v1/exports/budgets",
        "/v1/exports/evaluations",
        &format!("/v1/goals/{goal}/evaluation"),
        &format!("/v1/indicators/{indicator}/evaluation"),
        &format!("/v1/indicators/{indicator}/results"),
    ] {
        api.get(path).await.must_be(200);
    }

    // Writing nothing, many at once, and everything.
    let preview = json!({
        "decimals": 1, "direction": "higher_is_better", "target": factories::at_least(&json!(48)), "result": factories::result(2024)
    });
    api.post("/v1/evaluations/preview", &preview).await.must_be(200);
    api.send(Call::new("POST", "/v1/changes/tickets")).await.must_be(201);
    let tree = api.get("/v1/policies/nishi/2024/tree").await;
    api.put("/v1/policies/nishi/2024/tree", &tree.etag(), &tree.body)
        .await
        .must_be(200);
    let printed = json!({ "text": "48%以上", "fiscal_year": 2024 });
    api.post("/v1/targets/parse", &printed).await.must_be(200);
    for path in ["/v1/imports?dry_run=true", "/v1/imports/policies?dry_run=true"] {
        api.post(path, &tree.body).await.must_be(200);
    }
    api.form("?dry_run=true", "").await.must_be(200);
    api.sheet("?dry_run=true", "text/csv", "").await.must_be(200);
    let entries = json!({ "items": [{ "indicator_id": indicator, "result": factories::result(2023) }] });
    api.post("/v1/results", &entries).await.must_be(200);

    // Tokens.
    let token = json!({ "name": "試験", "scopes": ["edit:nishi"] });
    let token = api
        .post("/v1/tokens", &token)
        .await
        .must_be(201)
        .header("location")
        .to_owned();
    api.get(&token).await.must_be(200);
    api.send(Call::new("DELETE", &token)).await.must_be(204);

    // Items, from the leaves to the root: read, replaced, changed, removed. The maker has created them.
    for (path, body) in [
        (nishi.result_path.clone(), factories::result(2024)),
        (
            format!("/v1/indicators/{indicator}"),
            factories::indicator(&goal, "指標"),
        ),
        (
            format!("/v1/budgets/{}", nishi.budget.id()),
            factories::budget(&goal, 2024, "actual"),
        ),
        (format!("/v1/goals/{goal}"), factories::goal(&policy, "2")),
        ("/v1/policies/nishi/2024".to_owned(), factories::policy("nishi", 2024)),
        ("/v1/organizations/nishi".to_owned(), factories::ward()),
    ] {
        let read = api.get(&path).await.must_be(200);
        let replaced = api.put(&path, &read.etag(), &body).await.must_be(200);
        let changed = api.patch(&path, &replaced.etag(), &json!({})).await.must_be(200);
        api.delete(&path, &changed.etag()).await.must_be(204);
    }

    // What would go on ends with the service.
    api.state.database.stop_waiting();
    api.get("/v1/changes/stream").await.must_be(200);

    let exercised = api.exercised.take();
    let missed: BTreeSet<_> = CONTRACT
        .operations()
        .map(|operation| operation.name())
        .filter(|name| !exercised.contains(name))
        .collect();
    assert!(missed.is_empty(), "no step for {missed:?}");
}
