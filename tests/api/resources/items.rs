//! What is true of every item: organizations, policies, goals, budgets, indicators and results alike.

use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{self, Nishi, with},
};

/// One item as stored.
struct Item {
    /// Where it is.
    path: String,
    /// How it was read.
    read: Answer,
    /// The body that makes it what it is.
    input: Value,
    /// A change of one member.
    change: Value,
    /// A member that may be null.
    optional: &'static str,
    /// A member that may not.
    required: &'static str,
}

impl Item {
    fn tag(&self) -> String {
        self.read.etag()
    }

    /// A member that nobody changed as an earlier answer showed it.
    fn input_with(&self, changes: Value) -> Value {
        with(self.input.clone(), changes)
    }
}

/// One item of every kind, from the leaves to the root, so that each may be removed in its turn.
async fn items(api: &Api) -> Vec<Item> {
    let nishi = Nishi::of(api).await;
    let (policy_id, goal_id) = (nishi.policy.id(), nishi.goal.id());
    let item = |path: String, read: &Answer, input, change, optional, required| Item {
        path,
        read: read.clone(),
        input,
        change,
        optional,
        required,
    };
    vec![
        item(
            nishi.result_path.clone(),
            &nishi.result,
            factories::result(2024),
            json!({ "comment": "速報から変わりなし" }),
            "text",
            "observation_status",
        ),
        item(
            format!("/v1/indicators/{}", nishi.indicator.id()),
            &nishi.indicator,
            factories::indicator(&goal_id, "地域活動協議会を知っている割合"),
            json!({ "unit": "人" }),
            "population",
            "name",
        ),
        item(
            format!("/v1/budgets/{}", nishi.budget.id()),
            &nishi.budget,
            factories::budget(&goal_id, 2024, "initial"),
            json!({ "text": "85,000千円" }),
            "text",
            "status",
        ),
        item(
            format!("/v1/goals/{goal_id}"),
            &nishi.goal,
            factories::goal(&policy_id, "1-1"),
            json!({ "title": "防災力の向上" }),
            "issue_recognition",
            "code",
        ),
        item(
            "/v1/policies/nishi/2024".to_owned(),
            &nishi.policy,
            factories::policy("nishi", 2024),
            json!({ "head_title": "区長" }),
            "vision",
            "organization",
        ),
        item(
            "/v1/organizations/nishi".to_owned(),
            &nishi.organization,
            factories::ward(),
            json!({ "name": "西 区" }),
            "name_en",
            "slug",
        ),
    ]
}

/// What of an answer does not change with every write.
fn content(mut body: Value) -> Value {
    for key in ["version", "updated_at"] {
        body[key].take();
    }
    body
}

#[actix_web::test]
async fn a_new_item_is_where_its_location_says() {
    let api = Api::new().await;
    for item in items(&api).await {
        assert_eq!(item.read.header("location"), item.path);
        assert_eq!(item.read.body["version"], 1, "{}", item.path);
        let read = api.get(&item.path).await.must_be(200);
        assert_eq!((read.body.clone(), read.etag()), (item.read.body.clone(), item.tag()));
    }
}

#[actix_web::test]
async fn an_item_already_known_is_not_sent_again() {
    let api = Api::new().await;
    for item in items(&api).await {
        let tag = item.tag();
        for known in [
            tag.clone(),
            format!("\"other\", {tag}"),
            format!("W/{tag}"),
            "*".to_owned(),
        ] {
            let answer = api
                .send(Call::new("GET", &item.path).header("if-none-match", &known))
                .await
                .must_be(304);
            assert!(
                answer.bytes.is_empty() && answer.etag() == tag,
                "{}: {known}",
                item.path
            );
        }
        for other in ["\"other\"", "nonsense", ""] {
            api.send(Call::new("GET", &item.path).header("if-none-match", other))
                .await
                .must_be(200);
        }
    }
}

#[actix_web::test]
async fn head_has_the_headers_of_get() {
    let api = Api::new().await;
    for item in items(&api).await {
        let (get, head) = (api.get(&item.path).await, api.send(Call::new("HEAD", &item.path)).await);
        for name in ["etag", "content-type", "cache-control"] {
            assert!(!get.header(name).is_empty(), "{} {name}", item.path);
            assert_eq!(get.header(name), head.header(name), "{} {name}", item.path);
        }
        api.send(Call::new("HEAD", &item.path).header("if-none-match", item.tag()))
            .await
            .must_be(304);
    }
}

#[actix_web::test]
async fn put_replaces_the_state_that_was_read() {
    let api = Api::new().await;
    for item in items(&api).await {
        let changed = item.input_with(item.change.clone());
        let put = api.put(&item.path, &item.tag(), &changed).await.must_be(200);
        assert_eq!(put.body["version"], 2, "{}", item.path);
        assert_eq!(
            content(put.body.clone()),
            content(with(item.read.body.clone(), item.change.clone()))
        );
        let read = api.get(&item.path).await;
        assert_eq!((read.body.clone(), read.etag()), (put.body.clone(), put.etag()));
        assert_ne!(read.etag(), item.tag());
    }
}

#[actix_web::test]
async fn put_sets_what_it_leaves_out_to_nothing() {
    let api = Api::new().await;
    for item in items(&api).await {
        let mut body = item.input.clone();
        body.as_object_mut().unwrap().remove(item.optional);
        let put = api.put(&item.path, &item.tag(), &body).await.must_be(200);
        assert_eq!(put.body[item.optional], Value::Null, "{}", item.path);
    }
}

#[actix_web::test]
async fn put_of_what_is_stored_changes_nothing() {
    let api = Api::new().await;
    for item in items(&api).await {
        let put = api.put(&item.path, &item.tag(), &item.input).await.must_be(200);
        assert_eq!((put.body.clone(), put.etag()), (item.read.body.clone(), item.tag()));
    }
}

#[actix_web::test]
async fn a_write_over_an_old_state_is_refused() {
    let api = Api::new().await;
    for item in items(&api).await {
        api.patch(&item.path, "*", &item.change).await.must_be(200);
        let now = api.get(&item.path).await;
        let stale = item.tag();
        for read in [stale.clone(), "\"other\"".to_owned(), format!("W/{}", now.etag())] {
            api.put(&item.path, &read, &item.input).await.must_be(412);
            api.patch(&item.path, &read, &json!({})).await.must_be(412);
            api.delete(&item.path, &read).await.must_be(412);
        }
        let several = format!("{stale}, {}", now.etag());
        api.patch(&item.path, &several, &json!({})).await.must_be(200);
        assert_eq!(api.get(&item.path).await.body, now.body, "{}", item.path);
    }
}

#[actix_web::test]
async fn a_write_must_say_which_state_it_changes() {
    let api = Api::new().await;
    for item in items(&api).await {
        let put = Call::new("PUT", &item.path).json(&item.input);
        let patch = Call::new("PATCH", &item.path).json(&item.change);
        let delete = Call::new("DELETE", &item.path);
        for call in [put, patch, delete] {
            api.send(call.clone()).await.must_be(428);
            for unreadable in ["abc", "\"a", ""] {
                let call = call.clone().because("試験").header("if-match", unreadable);
                let answer = api.send(call).await;
                answer.must_refuse(400, &[("If-Match", "format")]);
            }
        }
        for unreadable in ["\"a\"", "x"] {
            let put = Call::new("PUT", &item.path)
                .header("if-none-match", unreadable)
                .because("試験")
                .json(&item.input);
            let answer = api.send(put).await;
            answer.must_refuse(400, &[("If-None-Match", "format")]);
        }
        assert_eq!(api.get(&item.path).await.etag(), item.tag());
    }
}

#[actix_web::test]
async fn put_moves_nothing_away_from_its_path() {
    let api = Api::new().await;
    let items = items(&api).await;
    api.bureau("kyoku").await;
    for (start, change, pointer) in [
        ("/v1/indicators", json!({ "fiscal_year": 2025 }), "/fiscal_year"),
        ("/v1/policies", json!({ "fiscal_year": 2025 }), "/fiscal_year"),
        ("/v1/policies", json!({ "organization": "kyoku" }), "/organization"),
        (
            "/v1/organizations",
            json!({ "slug": "minato", "municipality_code": "271071" }),
            "/slug",
        ),
    ] {
        let item = items.iter().find(|item| item.path.starts_with(start)).unwrap();
        for condition in [("if-match", item.tag()), ("if-none-match", "*".to_owned())] {
            let call = Call::new("PUT", &item.path)
                .header(condition.0, condition.1)
                .because("試験")
                .json(&item.input_with(change.clone()));
            api.send(call).await.must_refuse(422, &[(pointer, "path_mismatch")]);
        }
        assert_eq!(api.get(&item.path).await.etag(), item.tag());
    }
}

#[actix_web::test]
async fn put_that_only_creates_leaves_what_is_there() {
    let api = Api::new().await;
    for item in items(&api).await {
        let changed = item.input_with(item.change.clone());
        api.create(&item.path, &changed).await.must_be(412);
        assert_eq!(api.get(&item.path).await.etag(), item.tag());
    }
}

#[actix_web::test]
async fn patch_changes_what_it_names() {
    let api = Api::new().await;
    for item in items(&api).await {
        let patched = api.patch(&item.path, &item.tag(), &item.change).await.must_be(200);
        assert_eq!(patched.body["version"], 2);
        assert_eq!(
            content(patched.body.clone()),
            content(with(item.read.body.clone(), item.change.clone())),
            "{}",
            item.path
        );
        assert_eq!(api.get(&item.path).await.etag(), patched.etag());
    }
}

#[actix_web::test]
async fn patch_that_changes_nothing_keeps_the_version() {
    let api = Api::new().await;
    for item in items(&api).await {
        for nothing in [json!({}), item.input.clone()] {
            let patched = api.patch(&item.path, &item.tag(), &nothing).await.must_be(200);
            assert_eq!(
                (patched.body.clone(), patched.etag()),
                (item.read.body.clone(), item.tag())
            );
        }
    }
}

#[actix_web::test]
async fn patch_takes_away_with_null() {
    let api = Api::new().await;
    for item in items(&api).await {
        let clear = json!({ (item.optional): null });
        assert_ne!(item.read.body[item.optional], Value::Null, "{}", item.path);
        let patched = api.patch(&item.path, "*", &clear).await.must_be(200);
        assert_eq!(patched.body[item.optional], Value::Null, "{}", item.path);
        let clear = json!({ (item.required): null });
        let pointer = format!("/{}", item.required);
        let refused = api.patch(&item.path, "*", &clear).await;
        refused.must_refuse(422, &[(&pointer, "type")]);
    }
}

#[actix_web::test]
async fn patch_refuses_members_that_do_not_exist() {
    let api = Api::new().await;
    for item in items(&api).await {
        let mistyped = format!("{}x", item.optional);
        let pointer = format!("/{mistyped}");
        for value in [json!("1"), Value::Null] {
            let answer = api.patch(&item.path, "*", &json!({ (&mistyped): value })).await;
            answer.must_refuse(422, &[(&pointer, "unknown_field")]);
            assert_eq!(
                answer.suggestion(&pointer).as_deref(),
                Some(item.optional),
                "{}",
                item.path
            );
        }
        assert_eq!(api.get(&item.path).await.etag(), item.tag());
    }
}

#[actix_web::test]
async fn patch_must_be_an_object() {
    let api = Api::new().await;
    for item in items(&api).await {
        for body in [json!([]), json!(null), json!("x"), json!(1)] {
            api.patch(&item.path, "*", &body)
                .await
                .must_refuse(422, &[("", "type")]);
        }
    }
}

#[actix_web::test]
async fn patch_takes_merge_patches_only() {
    let api = Api::new().await;
    for item in items(&api).await {
        for media_type in ["application/json", "application/json-patch+json", "text/plain"] {
            let call = Call::new("PATCH", &item.path)
                .header("if-match", item.tag())
                .body(media_type, item.change.to_string());
            let answer = api.send(call).await.must_be(415);
            assert_eq!(answer.header("accept-patch"), "application/merge-patch+json");
        }
    }
}

#[actix_web::test]
async fn what_was_read_can_be_put_back_with_one_change() {
    let api = Api::new().await;
    for item in items(&api).await {
        let read = api.get(&item.path).await.must_be(200);
        let same = api.put(&item.path, &read.etag(), &read.body).await.must_be(200);
        assert_eq!((same.body.clone(), same.etag()), (read.body.clone(), read.etag()));
        let changed = with(read.body.clone(), item.change.clone());
        let put = api.put(&item.path, &read.etag(), &changed).await.must_be(200);
        assert_eq!(content(put.body), content(changed), "{}", item.path);
    }
}

/// The members of an answer that nobody writes.
fn set_by_server(item: &Item) -> Vec<String> {
    let shown = item.read.body.as_object().unwrap().keys();
    shown.filter(|key| item.input.get(key).is_none()).cloned().collect()
}

#[actix_web::test]
async fn members_that_the_server_sets_are_what_is_stored_or_refused() {
    let api = Api::new().await;
    for item in items(&api).await {
        let keys = set_by_server(&item);
        assert!(keys.len() >= 4, "{keys:?}");
        for key in &keys {
            for other in [json!("別"), json!(7), Value::Null] {
                if item.read.body[key] == other {
                    continue;
                }
                let answer = api
                    .put(&item.path, "*", &item.input_with(json!({ (key): other })))
                    .await;
                answer.must_refuse(422, &[(&format!("/{key}"), "read_only")]);
                let patch = api.patch(&item.path, "*", &json!({ (key): other })).await;
                patch.must_refuse(422, &[(&format!("/{key}"), "read_only")]);
            }
        }
        assert_eq!(api.get(&item.path).await.etag(), item.tag());
    }
}

#[actix_web::test]
async fn what_is_created_is_what_a_body_says_of_it() {
    let api = Api::new().await;
    for item in items(&api).await {
        let list = item.path.split('/').nth(2).unwrap();
        let own = match list {
            "goals" => json!({ "code": "7" }),
            "budgets" => json!({ "kind": "revised" }),
            "indicators" if !item.path.contains("/results/") => json!({ "name": "別の指標" }),
            "policies" => json!({ "fiscal_year": 2031, "results_due_on": null }),
            _ => continue,
        };
        let body = item.input_with(own);
        let list = format!("/v1/{list}");
        let copied = with(
            body.clone(),
            json!({ "id": item.read.body["id"], "organization": "nishi" }),
        );
        api.post(&list, &copied).await.must_refuse(422, &[("/id", "read_only")]);
        api.post(&list, &with(body, json!({ "version": 1, "organization": "nishi" })))
            .await
            .must_be(201);
    }
}

#[actix_web::test]
async fn a_removed_item_is_gone() {
    let api = Api::new().await;
    for item in items(&api).await {
        let gone = api.delete(&item.path, &item.tag()).await.must_be(204);
        assert!(gone.bytes.is_empty());
        api.get(&item.path).await.must_be(404);
        api.put(&item.path, "*", &item.input).await.must_be(404);
        api.patch(&item.path, "*", &item.change).await.must_be(404);
        api.delete(&item.path, "*").await.must_be(404);
    }
}

#[actix_web::test]
async fn what_was_removed_can_be_created_again() {
    let api = Api::new().await;
    let mut items = items(&api).await;
    for item in &items {
        api.delete(&item.path, "*").await.must_be(204);
    }
    items.reverse();
    for item in items
        .iter()
        .filter(|item| item.path.starts_with("/v1/organizations") || item.path.starts_with("/v1/policies"))
    {
        let created = api.create(&item.path, &item.input).await.must_be(201);
        assert_eq!(created.header("location"), item.path);
        assert_eq!(api.get(&item.path).await.etag(), created.etag());
    }
}
