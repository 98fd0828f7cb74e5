//! Requests nobody means well by: whatever comes, there is an answer, it is no server error, and it tells nothing of the inside.

use actix_web::web::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    contract::openapi::{CONTRACT, Operation},
    support::{Answer, Api, Call, TOKEN, factories::Nishi},
};

/// What is put in every parameter's place.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "' or '1'='1",
        "'; drop table results; --",
        "1);select pg_sleep(9)--",
        "\\'; select 1",
        "%27%3b",
        "../../../etc/passwd",
        "..%2f..%2fetc",
        "C:\\windows",
        "\0",
        "a\0b",
        "\u{1}\u{1b}[2J",
        "\r\nX-Injected: yes",
        "\u{202e}\u{feff}",
        "😀",
        "ﾊﾝｶｸ",
        "-1",
        "0",
        "00",
        "1e999",
        "NaN",
        "9223372036854775808",
        "-9223372036854775809",
        "null",
        "[]",
        "{}",
        "$1",
        "true",
        ",",
        ",,,",
        "${jndi:ldap://localhost/x}",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "2024-02-30",
        "9999-12-31T23:59:60Z",
        "-2024-01-01T00:00:00Z",
        "revision:0",
        "revision:99999999999999999999",
        "MQ",
        "WyIiLG51bGwsIiJd",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        " ",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("長".repeat(1500));
    texts.push("a,".repeat(1500));
    texts
}

/// As a part of an address.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The answer, which must be an answer; that it keeps the contract is asserted where it comes from.
async fn ask(api: &Api, call: Call, what: &str) -> Answer {
    let answer = api.send(call).await;
    let said = String::from_utf8_lossy(&answer.bytes);
    assert!(answer.status < 500, "{what}: {said}");
    if answer.status >= 400 {
        let mut problem = answer.body.clone();
        // It repeats where the request went.
        problem["instance"] = Value::Null;
        let said = problem.to_string().to_lowercase();
        for inside in [
            "syntax error",
            "sqlstate",
            "diesel",
            "postgres",
            "panicked",
            ".rs:",
            "relation \"",
            "/src/",
            "actix",
        ] {
            assert!(!said.contains(inside), "{what} tells of {inside}: {said}");
        }
    }
    answer
}

/// The operations, but for the one that does not end.
fn operations() -> impl Iterator<Item = Operation<'static>> {
    CONTRACT
        .operations()
        .filter(|operation| operation.path != "/v1/changes/stream")
}

/// A path for a template, of what is stored.
fn filled(template: &str, nishi: &Nishi) -> String {
    template
        .replace("{id}", &nishi.indicator.id())
        .replace("{series_id}", &nishi.indicator.text("series_id"))
        .replace("{organization}", "nishi")
        .replace("{fiscal_year}", "2024")
        .replace("{number}", "1")
}

/// Something stored, so that there is something to be found, shown or destroyed.
async fn stored() -> (Api, Nishi) {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    (api, nishi)
}

/// What must still be there in the end.
async fn is_well(api: &Api, nishi: &Nishi) {
    api.get("/healthz").await.must_be(200);
    api.get("/readyz").await.must_be(200);
    api.get(format!("/v1/indicators/{}", nishi.indicator.id()))
        .await
        .must_be(200);
    assert!(!api.list("/v1/results").await.is_empty());
}

#[actix_web::test]
async fn no_query_is_too_odd() {
    let (api, nishi) = stored().await;
    let texts = texts();
    for operation in operations().filter(|operation| operation.method == "get") {
        let path = filled(operation.path, &nishi);
        let parameters = operation
            .parameters()
            .iter()
            .map(|parameter| CONTRACT.resolved(parameter));
        let names: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "query" && parameter["name"] != "wait")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        for (n, name) in names.iter().enumerate() {
            // Each parameter meets a part of the oddities, and the next one the next: all of them many times over.
            for text in texts.iter().cycle().skip(n * 7).take(texts.len() / 4) {
                let call = Call::new("GET", format!("{path}?{name}={}", encoded(text)));
                ask(&api, call, &format!("{path}?{name}={text:.60}")).await;
            }
        }
        let many: String = names.iter().flat_map(|name| [name, "=1&"]).collect();
        for query in [
            many.repeat(50),
            "&=&&==&".to_owned(),
            "%".to_owned(),
            "a=%ff%fe".to_owned(),
            "a=".repeat(5000),
        ] {
            ask(
                &api,
                Call::new("GET", format!("{path}?{query}")),
                &format!("{path}?{query:.60}"),
            )
            .await;
        }
    }
    is_well(&api, &nishi).await;
}

#[actix_web::test]
async fn no_path_is_too_odd() {
    let (api, nishi) = stored().await;
    for operation in operations() {
        for text in texts() {
            let mut path = operation.path.to_owned();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                path.replace_range(from..=to, &encoded(&text));
            }
            if path == operation.path {
                continue;
            }
            let call = Call::new(&operation.method.to_uppercase(), &path).header("if-match", "*");
            let call = match operation.method {
                "get" | "delete" => call,
                _ => call.json(&json!({})),
            };
            ask(
                &api,
                call.because("試験"),
                &format!("{} with {text:.60}", operation.name()),
            )
            .await;
        }
    }
    for path in [
        "/v1/../v1/results",
        "//v1//results",
        "/v1/results/",
        "/v1/results;a=b",
        "/v1/%2e%2e/healthz",
        "/.git/config",
        "/metrics",
        "/v1/organizations/nishi%00",
    ] {
        ask(&api, Call::new("GET", path), path).await;
    }
    is_well(&api, &nishi).await;
}

/// Bodies that are no JSON, or too much of it.
fn bombs() -> Vec<(&'static str, Bytes)> {
    let utf16: Vec<u8> = "{\"name\": 1}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bombs = vec![
        ("nothing", vec![]),
        ("half", b"{\"a\": [1, 2".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"1e400".to_vec()),
        ("minus nothing", b"-".to_vec()),
        ("deep lists", [b"[".repeat(200_000), b"]".repeat(200_000)].concat()),
        (
            "deep objects",
            [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat(),
        ),
        (
            "a long list",
            [b"[".to_vec(), b"0,".repeat(500_000), b"0]".to_vec()].concat(),
        ),
        (
            "a long key",
            [b"{\"".to_vec(), b"a".repeat(1_000_000), b"\": 1}".to_vec()].concat(),
        ),
        ("many keys", {
            let keys: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\": {n}")).collect();
            format!("{{{}}}", keys.join(",")).into_bytes()
        }),
        ("a key twice", b"{\"name\": 1, \"name\": 2}".to_vec()),
        ("half a character", b"{\"name\": \"\\ud800\"}".to_vec()),
        ("half a character in a key", b"{\"\\udfff\": 1}".to_vec()),
        ("no UTF-8", b"{\"name\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", utf16),
        ("a mark before", b"\xef\xbb\xbf{}".to_vec()),
        ("a NUL", b"{\"name\": \"\0\"}".to_vec()),
        ("two", b"{}{}".to_vec()),
        (
            "a number in disguise",
            b"{\"$serde_json::private::Number\": \"1\"}".to_vec(),
        ),
        (
            "raw in disguise",
            b"{\"$serde_json::private::RawValue\": \"1\"}".to_vec(),
        ),
        (
            "many digits",
            [b"{\"value\": ".to_vec(), b"9".repeat(500_000), b"}".to_vec()].concat(),
        ),
        ("a large exponent", b"{\"value\": 1e999999999999999999999}".to_vec()),
        ("a prototype", b"{\"__proto__\": {\"admin\": true}}".to_vec()),
    ];
    bombs.into_iter().map(|(what, bomb)| (what, bomb.into())).collect()
}

#[actix_web::test]
async fn no_body_is_too_odd() {
    let (api, nishi) = stored().await;
    let bombs = bombs();
    for operation in operations().filter(|operation| operation.is.get("requestBody").is_some()) {
        let path = filled(operation.path, &nishi);
        let body = CONTRACT.resolved(&operation.is["requestBody"]);
        for media_type in body["content"].as_object().unwrap().keys() {
            for (what, bomb) in &bombs {
                let call = Call::new(&operation.method.to_uppercase(), &path).header("if-match", "*");
                let call = call.body(media_type, bomb.clone()).because("試験");
                ask(&api, call, &format!("{} {media_type}: {what}", operation.name())).await;
            }
        }
        for (media_type, coding) in [
            ("application/json; charset=utf-16", ""),
            ("application/json; charset=\"", ""),
            ("application/x-www-form-urlencoded", ""),
            ("multipart/form-data; boundary=", ""),
            ("a/b", ""),
            ("", ""),
            ("application/json", "gzip"),
            ("application/json", "gzip, gzip, br"),
        ] {
            let call = Call::new(&operation.method.to_uppercase(), &path).header("if-match", "*");
            let call = call.header("content-encoding", coding).body(media_type, "{}");
            ask(&api, call, &format!("{} as {media_type} {coding}", operation.name())).await;
        }
    }
    is_well(&api, &nishi).await;
}

/// Values that take the place of a member of a body.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!(-1),
        json!(1e300),
        json!(true),
        json!("\0"),
        json!("'; drop table results; --"),
        json!("😀".repeat(20_000)),
        json!([[[[[[[[]]]]]]]]),
        json!(vec!["a"; 3000]),
        json!({ "kind": "none", "value": { "value": 1 } }),
        json!("<img src=x onerror=alert(1)>"),
        json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        json!("0000-00-00"),
    ]
}

#[actix_web::test]
async fn no_member_of_a_body_is_too_odd() {
    let (api, nishi) = stored().await;
    for operation in operations() {
        let content = CONTRACT.resolved(&operation.is["requestBody"])["content"].clone();
        let schema = ["application/json", "application/merge-patch+json"]
            .into_iter()
            .map(|media_type| &content[media_type]["schema"])
            .find(|schema| !schema.is_null());
        let Some(schema) = schema else { continue };
        let schema = CONTRACT.resolved(schema);
        let given = schema["example"].as_object().cloned().unwrap_or_default();
        let names: Vec<String> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let path = filled(operation.path, &nishi);
        for name in names {
            for value in values() {
                let mut body = given.clone();
                body.insert(name.clone(), value);
                let call = Call::new(&operation.method.to_uppercase(), &path)
                    .header("if-match", "*")
                    .because("試験");
                ask(
                    &api,
                    call.json(&Value::Object(body)),
                    &format!("{}: {name}", operation.name()),
                )
                .await;
            }
        }
    }
    api.get("/healthz").await.must_be(200);
    api.get("/readyz").await.must_be(200);
}

#[actix_web::test]
async fn no_header_is_too_odd() {
    let (api, nishi) = stored().await;
    let item = format!("/v1/indicators/{}", nishi.indicator.id());
    let long = "x".repeat(5000);
    let tags = format!("\"{}\"", "a".repeat(5000));
    let values = [
        "",
        " ",
        "*",
        "\"",
        "\"\"",
        "W/",
        "W/\"1\"",
        "\"1\", \"2\"",
        ",",
        "é",
        "'; drop table results",
        "%",
        "%00",
        "%ff",
        "%E3%81",
        "-1",
        "bytes=0-",
        "bytes=99999999999999999999-",
        "Bearer",
        "Bearer  a b",
        "Basic YTpi",
        "00-0-0-00",
        "null",
        "*/*;q=2",
        "a/b;q=",
        "ja;q=x,,",
        "99999999999999999999",
        "2024-01-01",
        &long,
        &tags,
    ];
    let names = [
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "range",
        "idempotency-key",
        "change-reason",
        "authorization",
        "accept",
        "accept-language",
        "accept-encoding",
        "accept-charset",
        "x-request-id",
        "traceparent",
        "tracestate",
        "last-event-id",
        "cookie",
        "origin",
        "referer",
        "x-forwarded-for",
        "x-http-method-override",
        "forwarded",
        "prefer",
        "expect",
    ];
    for name in names {
        for value in values {
            let what = format!("{name}: {value:.60}");
            ask(&api, Call::new("GET", &item).header(name, value), &what).await;
            ask(
                &api,
                Call::new("GET", "/v1/results").anonymous().header(name, value),
                &what,
            )
            .await;
            let patch = Call::new("PATCH", &item).header(name, value);
            ask(&api, patch.json(&json!({ "population": value })), &what).await;
            let post = Call::new("POST", "/v1/goals").header(name, value);
            ask(&api, post.body("application/json", Bytes::from_static(b"{}")), &what).await;
        }
    }
    for token in [
        TOKEN.replace("secret", "secreT"),
        TOKEN.replace('_', "\u{ff3f}"),
        "a".repeat(100_000),
    ] {
        let call = Call::new("GET", &item)
            .anonymous()
            .header("authorization", format!("Bearer {token}"));
        let answer = ask(&api, call, "another token").await;
        assert_eq!(answer.status, 401, "{}", answer.shown());
    }
    let long = Call::new("GET", &item).header("if-none-match", &tags);
    ask(&api, long, "a long tag")
        .await
        .must_refuse(400, &[("If-None-Match", "length")]);
    is_well(&api, &nishi).await;
}
