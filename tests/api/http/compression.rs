//! What is read may come compressed: the same bytes in the end, and no tag that means two things.

use serde_json::json;

use crate::support::{Answer, Api, Call, factories::Nishi};

const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

impl Api {
    async fn coded(&self, path: &str, accepted: &str) -> Answer {
        let call = Call::new("GET", path).anonymous();
        self.send(call.header("accept-encoding", accepted)).await
    }

    async fn unless(&self, path: &str, accepted: &str, known: &str) -> Answer {
        let call = Call::new("GET", path).anonymous().header("if-none-match", known);
        self.send(call.header("accept-encoding", accepted)).await
    }
}

async fn published() -> (Api, Nishi) {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    (api, nishi)
}

#[actix_web::test]
async fn each_coding_gives_the_same_bytes_under_a_tag_of_its_own() {
    let (kept, _) = published().await;
    // Also where nothing is kept.
    for api in [&kept, &kept.beside(0).await] {
        for path in ["/v1/codelists", "/v1/policies/nishi/2024/form", "/openapi.json"] {
            let plain = api.send(Call::new("GET", path).anonymous()).await.must_be(200);
            assert_eq!(plain.header("content-encoding"), "");
            assert!(plain.header("vary").contains("Accept-Encoding"), "{path}");
            let mut tags = vec![plain.etag()];
            for coding in CODINGS {
                // Once made, once perhaps given again.
                for _ in 0..2 {
                    let coded = api.coded(path, coding).await.must_be(200);
                    assert_eq!(coded.header("content-encoding"), coding, "{path}");
                    assert_eq!(coded.header("vary"), plain.header("vary"));
                    assert_eq!(coded.bytes, plain.bytes, "{path} in {coding}");
                    assert!(
                        coded.length < plain.length / 2,
                        "{path}: {} bytes in {coding}",
                        coded.length
                    );
                    let tag = coded.etag();
                    let unchanged = api.unless(path, coding, &tag).await.must_be(304);
                    assert_eq!((unchanged.etag(), unchanged.length), (tag.clone(), 0));
                    assert_eq!(unchanged.header("content-encoding"), "");
                    tags.push(tag);
                }
            }
            tags.sort();
            tags.dedup();
            assert_eq!(tags.len(), 1 + CODINGS.len(), "{path}");
        }
    }
}

#[actix_web::test]
async fn what_the_caller_has_holds_in_the_coding_it_asks_for_or_in_none() {
    let (kept, _) = published().await;
    for api in [&kept, &kept.beside(0).await] {
        let path = "/v1/codelists";
        let plain = api.coded(path, "identity").await.etag();
        let (zstd, gzip) = (
            api.coded(path, "zstd").await.etag(),
            api.coded(path, "gzip").await.etag(),
        );
        for (accepted, known, status, tag) in [
            ("zstd", &*zstd, 304, &*zstd),
            ("zstd", &plain, 304, &plain),
            ("zstd", &gzip, 200, &zstd),
            ("identity", &zstd, 200, &plain),
            ("gzip", &format!("{zstd}, {gzip}"), 304, &gzip),
            ("gzip", &format!("W/{gzip}"), 304, &gzip),
        ] {
            let answer = api.unless(path, accepted, known).await.must_be(status);
            assert_eq!(answer.etag(), tag, "{accepted}, {known}");
        }
    }
}

#[actix_web::test]
async fn a_state_that_was_read_compressed_can_be_changed() {
    let (api, _) = published().await;
    let path = "/v1/policies/nishi/2024";
    let vision = json!({ "vision": ["安全で安心して暮らせるまち。".repeat(40)] });
    api.patch(path, "*", &vision).await.must_be(200);
    let read = api.coded(path, "gzip").await.must_be(200);
    assert_eq!(read.header("content-encoding"), "gzip");
    let changed = api
        .patch(path, &read.etag(), &json!({ "mission": ["支える"] }))
        .await
        .must_be(200);
    // What a write answers with is the tag of the state, in no coding.
    assert_eq!(changed.etag(), api.coded(path, "identity").await.etag());
    api.patch(path, &read.etag(), &json!({ "mission": ["遅い"] }))
        .await
        .must_be(412);
}

#[actix_web::test]
async fn what_is_short_packed_already_or_a_stream_of_events_comes_as_it_is() {
    let (api, nishi) = published().await;
    let revision = "/v1/policies/nishi/2024/revisions/1";
    for path in [
        &format!("/v1/results?indicator={}", nishi.indicator.id()),
        "/v1/exports/results?format=xlsx",
        // It says the hash of its bytes.
        revision,
        "/v1/goals/nothing",
    ] {
        assert_eq!(
            api.coded(path, "zstd, br, gzip").await.header("content-encoding"),
            "",
            "{path}"
        );
    }
    let head = Call::new("HEAD", "/v1/codelists").header("accept-encoding", "br");
    assert_eq!(api.send(head).await.must_be(200).header("content-encoding"), "br");
}

#[actix_web::test]
async fn files_and_the_snapshot_are_compressed_as_they_are_sent() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    // A short file would come as it is.
    for n in 0..20 {
        api.indicator(&nishi.goal.id(), &format!("{n}番目の指標")).await;
    }
    api.publish("nishi/2024", "plan").await.must_be(201);
    for path in [
        "/v1/exports/indicators?format=csv",
        "/v1/exports/indicators?format=ndjson",
        "/v1/snapshot",
    ] {
        let plain = api.coded(path, "identity").await.must_be(200);
        for coding in CODINGS {
            let coded = api.coded(path, coding).await.must_be(200);
            assert_eq!(coded.header("content-encoding"), coding, "{path}");
            assert_eq!(coded.bytes, plain.bytes, "{path} in {coding}");
            if path.contains("exports") {
                api.unless(path, coding, &coded.etag()).await.must_be(304);
                assert_ne!(coded.etag(), plain.etag());
            }
        }
    }
}

#[actix_web::test]
async fn a_kept_form_is_never_given_past_its_state() {
    let (api, nishi) = published().await;
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    for n in 0..10 {
        let name = format!("{n}番目の名前").repeat(20);
        api.patch(&path, "*", &json!({ "name": name })).await.must_be(200);
        for coding in CODINGS {
            assert_eq!(api.coded(&path, coding).await.text("name"), name, "{coding}");
        }
    }
}
