//! `/v1/audit`: who did what, when, from which request.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::{
    Api, Call,
    factories::{Nishi, new_id},
};

#[actix_web::test]
async fn a_change_is_there_with_who_made_it_from_which_request_and_what_was_there() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let editor = api.token("西区", &["edit:nishi"]).await;
    let path = format!("/v1/goals/{}", nishi.goal.id());
    let call = Call::new("PATCH", &path)
        .by(&editor)
        .header("if-match", "*")
        .header("x-request-id", "mine-1")
        .because("誤字の訂正");
    api.send(call.json(&json!({ "title": "別の題" }))).await.must_be(200);
    let found = api.list("/v1/audit?request_id=mine-1").await;
    let [entry] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (
            &entry["actor"],
            &entry["op"],
            &entry["type"],
            &entry["reason"],
            &entry["fields"],
            &entry["version"]
        ),
        (
            &json!("西区"),
            &json!("update"),
            &json!("goal"),
            &json!("誤字の訂正"),
            &json!(["title"]),
            &json!(2)
        )
    );
    assert_eq!(entry["id"], nishi.goal.id());
    assert_eq!(
        entry["key"],
        json!({ "organization": "nishi", "fiscal_year": 2024, "goal": "1-1" })
    );
    assert_eq!(entry["before"]["title"], nishi.goal.body["title"]);
    assert_eq!(entry["after"]["title"], "別の題");
    assert_eq!(entry["organization_id"], nishi.organization.id());
    let kept = api.db.values(&format!(
        "select encode(hash, 'hex') as value from change_log where seq = {}",
        entry["seq"]
    ));
    assert_eq!(entry["hash"], kept[0]);
}

/// Which entries a filter leaves.
type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[actix_web::test]
async fn the_audit_is_filtered() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.bureau("port").await;
    api.policy("port", 2024).await;
    let writer = api.token("writer", &["edit:port"]).await;
    let seen = Call::new("PATCH", "/v1/policies/port/2024")
        .by(&writer)
        .header("if-match", "*");
    api.send(seen.json(&json!({ "head_name": "某" }))).await.must_be(200);
    let all = api.list("/v1/audit?sort=seq").await;
    let places: Vec<_> = all.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
    assert!(
        places.iter().copied().eq(1..=i64::try_from(all.len()).unwrap()),
        "{places:?}"
    );
    let at = all[5]["at"].as_str().unwrap().replace('+', "%2B");
    let filters: [(String, Wanted<'_>); 9] = [
        ("actor=writer".to_owned(), Box::new(|e: &Value| e["actor"] == "writer")),
        (
            "organization=271063".to_owned(),
            Box::new(|e: &Value| e["organization_id"] == nishi.organization.body["id"]),
        ),
        (
            "type=goal,token".to_owned(),
            Box::new(|e: &Value| e["type"] == "goal" || e["type"] == "token"),
        ),
        ("op=update".to_owned(), Box::new(|e: &Value| e["op"] == "update")),
        (
            format!("id={}", nishi.goal.id()),
            Box::new(|e: &Value| e["id"] == nishi.goal.body["id"]),
        ),
        (
            format!("since={at}"),
            Box::new(|e: &Value| e["at"].as_str() >= all[5]["at"].as_str()),
        ),
        (
            format!("until={at}"),
            Box::new(|e: &Value| e["at"].as_str() < all[5]["at"].as_str()),
        ),
        ("type=goal&op=delete".to_owned(), Box::new(|_: &Value| false)),
        (format!("id={}", new_id()), Box::new(|_: &Value| false)),
    ];
    for (filter, wanted) in filters {
        let found = api.list(format!("/v1/audit?sort=seq&{filter}")).await;
        let expected: Vec<_> = all.iter().filter(|entry| wanted(entry)).cloned().collect();
        assert_eq!(found, expected, "{filter}");
        let lines = api
            .get(format!("/v1/audit?sort=seq&format=ndjson&{filter}"))
            .await
            .must_be(200)
            .lines();
        assert_eq!(lines, expected, "{filter}");
        let total = api
            .get(format!("/v1/audit?include_total=true&limit=1&{filter}"))
            .await
            .must_be(200)
            .body["total"]
            .clone();
        assert_eq!(total, expected.len(), "{filter}");
    }
    for (filter, place, code) in [
        ("type=gaol", "type", "unknown_code"),
        ("since=yesterday", "since", "time"),
        ("format=csv", "format", "unknown_code"),
    ] {
        api.get(format!("/v1/audit?{filter}"))
            .await
            .must_refuse(400, &[(place, code)]);
    }
    assert_eq!(
        api.get("/v1/audit?type=gaol").await.suggestion("type").as_deref(),
        Some("goal")
    );
}

#[actix_web::test]
async fn pages_and_export_have_everything_once_in_order() {
    let api = Api::new().await;
    let many = "begin; select begin_write('test', '', '', ''); \
        insert into organizations (id, slug, kind, name, display_order) \
        select gen_random_uuid(), 'bureau-' || n, 'bureau', n || '局', 1 from generate_series(1, 620) n; commit";
    api.db.connect().batch_execute(many).unwrap();
    for (sort, first, last) in [("-seq", 621, 1), ("seq", 1, 621)] {
        let mut paged = vec![];
        let mut next = Some(format!("/v1/audit?limit=200&sort={sort}"));
        while let Some(path) = next {
            let page = api.get(&path).await.must_be(200).body;
            paged.extend(page["items"].as_array().unwrap().clone());
            next = page["next_cursor"]
                .as_str()
                .map(|cursor| format!("/v1/audit?limit=200&sort={sort}&cursor={cursor}"));
        }
        assert_eq!(
            (&paged[0]["seq"], &paged[620]["seq"], paged.len()),
            (&json!(first), &json!(last), 621)
        );
        let answer = api
            .send(Call::new("GET", format!("/v1/audit?sort={sort}&limit=3")).header("accept", "application/x-ndjson"))
            .await;
        let answer = answer.must_be(200);
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(answer.lines(), paged);
        let page = api
            .get(format!("/v1/audit?limit=100&sort={sort}"))
            .await
            .must_be(200)
            .body;
        let rest = api
            .get(format!(
                "/v1/audit?sort={sort}&format=ndjson&cursor={}",
                page["next_cursor"].as_str().unwrap()
            ))
            .await;
        assert_eq!(rest.must_be(200).lines(), paged[100..]);
    }
}

#[actix_web::test]
async fn the_form_is_the_one_asked_for() {
    let api = Api::new().await;
    for (accept, query, form) in [
        ("application/json", "", "application/json"),
        ("*/*", "", "application/json"),
        ("application/x-ndjson, */*;q=0.1", "", "application/x-ndjson"),
        ("application/x-ndjson;q=0.1, application/json", "", "application/json"),
        ("application/x-ndjson", "?format=json", "application/json"),
        ("application/json", "?format=ndjson", "application/x-ndjson"),
    ] {
        let answer = api
            .send(Call::new("GET", format!("/v1/audit{query}")).header("accept", accept))
            .await
            .must_be(200);
        assert_eq!(answer.header("content-type"), form, "{accept} {query}");
    }
    api.send(Call::new("GET", "/v1/audit").header("accept", "text/csv"))
        .await
        .must_be(406);
    api.send(Call::new("GET", "/v1/goals").header("accept", "application/x-ndjson"))
        .await
        .must_be(406);
    assert!(
        api.get("/v1/audit?format=ndjson&op=delete")
            .await
            .must_be(200)
            .bytes
            .is_empty()
    );
}
