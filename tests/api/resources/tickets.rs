//! `/v1/changes/tickets`: what opens one stream, once, for who cannot send a token.

use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use ward_policy::db::Bounds;

use crate::support::{Answer, Api, Call, TOKEN, factories::Nishi, patient};

impl Api {
    async fn ticket(&self, token: &str) -> Answer {
        self.send(Call::new("POST", "/v1/changes/tickets").by(token)).await
    }

    /// What a stream tells that is opened by a ticket. It ends at once where the instance does not wait for changes.
    async fn opened_by(&self, ticket: &str) -> Answer {
        let path = format!("/v1/changes/stream?ticket={ticket}");
        self.send(Call::new("GET", path).anonymous()).await
    }
}

/// An instance whose streams end once they have told what there is.
async fn brief() -> Api {
    let api = Api::new().await;
    api.state.database.stop_waiting();
    api
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

#[actix_web::test]
async fn a_ticket_opens_one_stream_with_the_rights_of_its_token() {
    let api = brief().await;
    Nishi::of(&api).await;
    api.bureau("port").await;
    let [insider, outsider] = [
        api.token("insider", &["read_drafts:nishi"]).await,
        api.token("outsider", &["read_drafts:port"]).await,
    ];
    let made = api.ticket(&insider).await.must_be(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let ticket = made.text("ticket");
    let told = api.opened_by(&ticket).await.must_be(200);
    assert!(text(&told).contains("\"type\":\"policy\""), "{}", text(&told));
    assert_eq!(told.header("content-type"), "text/event-stream");

    let again = api.opened_by(&ticket).await.must_be(401);
    assert!(again.text("detail").contains("/v1/changes/tickets"), "{again:?}");
    assert!(again.header("www-authenticate").contains("invalid_token"));

    let other = api.ticket(&outsider).await.must_be(201).text("ticket");
    let told = api.opened_by(&other).await.must_be(200);
    assert!(!text(&told).contains("\"type\":\"policy\""), "{}", text(&told));
    api.send(Call::new("POST", "/v1/changes/tickets").anonymous())
        .await
        .must_be(401);
}

#[actix_web::test]
async fn a_ticket_is_stored_as_a_hash_and_gone_once_it_is_used() {
    let api = brief().await;
    let ticket = api.ticket(TOKEN).await.must_be(201).text("ticket");
    let secret = ticket.rsplit('_').next().unwrap();
    let stored = api.db.values("select t::text as value from stream_tickets t");
    assert_eq!(stored.len(), 1);
    assert!(!stored[0].contains(secret));
    api.opened_by(&ticket).await.must_be(200);
    let left = api.db.values("select t::text as value from stream_tickets t");
    assert!(left.is_empty(), "{left:?}");
    // It is nobody's history.
    let told = api
        .db
        .values("select count(*)::text as value from change_log where type ~ 'ticket'");
    assert_eq!(told, ["0"]);
}

#[actix_web::test]
async fn a_ticket_works_at_every_instance_and_at_one_of_them_only() {
    let one = brief().await;
    let other = one.beside(0).await;
    other.state.database.stop_waiting();
    let ticket = one.ticket(TOKEN).await.must_be(201).text("ticket");
    other.opened_by(&ticket).await.must_be(200);
    one.opened_by(&ticket).await.must_be(401);
    // At all of them at once.
    for _ in 0..5 {
        let ticket = one.ticket(TOKEN).await.must_be(201).text("ticket");
        let tries = (0..8).map(|n| (if n % 2 == 0 { &one } else { &other }).opened_by(&ticket));
        let answers = join_all(tries).await;
        let opened = answers.iter().filter(|answer| answer.status == 200).count();
        let refused = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!((opened, refused), (1, 7));
    }
}

#[actix_web::test]
async fn a_ticket_ends_with_its_minute_and_with_its_token() {
    let api = brief().await;
    let token = api.token("short", &["read_drafts:*"]).await;
    let ticket = api.ticket(&token).await.must_be(201).text("ticket");
    let lasting = "select (expires_at > now() + interval '60 seconds')::text as value from stream_tickets";
    assert_eq!(api.db.values(lasting), ["false"]);
    let late = "update stream_tickets set expires_at = now()";
    api.db.connect().batch_execute(late).unwrap();
    api.opened_by(&ticket).await.must_be(401);
    // What has expired goes when somebody asks for another.
    let last = api.ticket(&token).await.must_be(201).text("ticket");
    let left = api.db.values("select count(*)::text as value from stream_tickets");
    assert_eq!(left, ["1"]);
    api.tamper("short", "revoked_at = now()");
    api.opened_by(&last).await.must_be(401);
}

#[actix_web::test]
async fn a_stream_that_a_ticket_opened_ends_when_the_token_is_revoked() {
    let api = Api::new().await;
    let token = api.token("short", &["read_drafts:*"]).await;
    let ticket = api.ticket(&token).await.must_be(201).text("ticket");
    let revoking = async {
        api.until_following(1).await;
        let tokens = api.list("/v1/tokens").await;
        let short = tokens.iter().find(|token| token["name"] == "short").unwrap();
        let path = format!("/v1/tokens/{}", short["id"].as_str().unwrap());
        api.send(Call::new("DELETE", path)).await.must_be(204);
    };
    let (stream, ()) = join(api.opened_by(&ticket), revoking).await;
    stream.must_be(200);
}

#[actix_web::test]
async fn a_ticket_is_good_for_the_stream_alone_and_not_beside_a_token() {
    let api = brief().await;
    Nishi::of(&api).await;
    let ticket = api.ticket(TOKEN).await.must_be(201).text("ticket");
    for path in ["/v1/changes", "/v1/snapshot", "/v1/policies", "/v1/audit"] {
        let answer = api
            .send(Call::new("GET", format!("{path}?ticket={ticket}")).anonymous())
            .await;
        assert!([400, 401].contains(&answer.status), "{path}: {}", answer.status);
    }
    // Nor does it go where a token goes.
    let as_token = Call::new("GET", "/v1/policies").by(&ticket);
    api.send(as_token).await.must_be(401);
    let both = Call::new("GET", format!("/v1/changes/stream?ticket={ticket}"));
    api.send(both).await.must_refuse(400, &[("ticket", "both")]);
    let key = Call::new("POST", "/v1/changes/tickets").header("idempotency-key", "a");
    api.send(key)
        .await
        .must_refuse(400, &[("Idempotency-Key", "not_repeatable")]);
    // However the path is written, and unused by all of this.
    let encoded = Call::new("GET", "/v1/changes/str%65am?ticket=".to_owned() + &ticket).anonymous();
    let told = api.send(encoded).await.must_be(200);
    assert!(text(&told).contains("\"type\":\"policy\""));
}

#[actix_web::test]
async fn a_ticket_that_nobody_made_costs_no_turn_and_no_connection() {
    let api = brief().await;
    let ticket = api.ticket(TOKEN).await.must_be(201).text("ticket");
    let (begin, _) = ticket.split_at(ticket.len() - 4);
    let turns = r#"ward_policy_pool_turns_total{lane="readers"}"#;
    let before = api.count(turns).await;
    for made_up in [
        "x".to_owned(),
        String::new(),
        format!("wardticket_ffffffffffff_{}", "A".repeat(72)),
        format!("wardticket_000000000000_{}", "A".repeat(72)),
        format!("{begin}AAAA"),
    ] {
        api.opened_by(&made_up).await.must_be(401);
    }
    assert!((api.count(turns).await - before).abs() < 0.5);
    api.opened_by(&ticket).await.must_be(200);
}

#[actix_web::test]
async fn tickets_have_a_bound_for_each_token_and_one_for_all() {
    let few = Bounds {
        followers: 24,
        ..patient()
    };
    let api = Api::with_bounds(few).await;
    api.state.database.stop_waiting();
    let mut tokens = Vec::new();
    for n in 0..9 {
        tokens.push(api.token(&format!("t{n}"), &["read_drafts:*"]).await);
    }
    let mut first = String::new();
    for token in &tokens[..8] {
        let made = join_all((0..5).map(|_| api.ticket(token))).await;
        let (given, refused): (Vec<_>, Vec<_>) = made.iter().partition(|answer| answer.status == 201);
        assert_eq!((given.len(), refused.len()), (3, 2));
        assert!(
            refused
                .iter()
                .all(|answer| answer.status == 429 && answer.header("retry-after") == "60")
        );
        first = given[0].text("ticket");
    }
    api.ticket(&tokens[8]).await.must_be(503);
    // One that is used makes room for another.
    api.opened_by(&first).await.must_be(200);
    api.ticket(&tokens[8]).await.must_be(201);
}

#[actix_web::test]
async fn a_page_goes_on_with_a_new_ticket_where_it_was() {
    let api = brief().await;
    Nishi::of(&api).await;
    let ticket = api.ticket(TOKEN).await.must_be(201).text("ticket");
    let told = text(&api.opened_by(&ticket).await.must_be(200));
    let last = told
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap()
        .to_owned();
    api.bureau("port").await;
    let ticket = api.ticket(TOKEN).await.must_be(201).text("ticket");
    let path = format!("/v1/changes/stream?ticket={ticket}&cursor={last}");
    let later = text(&api.send(Call::new("GET", path).anonymous()).await.must_be(200));
    assert_eq!(later.matches("event: change").count(), 1, "{later}");
    assert!(later.contains("\"port\""), "{later}");
}
