//! Generated data: as good as written, and the same each time.

use serde_json::json;
use ward_policy::cli::verify;

use super::{Api, Call, TestDb};
use crate::load::load;

#[actix_web::test]
async fn generated_data_is_whole_public_and_judged() {
    let api = Api::new().await;
    for n in [0, 30] {
        load(&mut api.db.connect(), n).unwrap();
    }
    let report = verify::verify(&mut api.db.connect(), None).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);

    let get = async |path: &str| api.send(Call::new("GET", path).anonymous()).await.must_be(200).body;
    let tree = get("/v1/policies/kita/2020/tree").await;
    assert_eq!(tree["goals"].as_array().unwrap().len(), 5);
    assert_eq!(tree["goals"][4]["indicators"].as_array().unwrap().len(), 4);
    let summary = get("/v1/evaluations/summary?organization=bureau-30&group_by=organization").await;
    let roll_up = &summary["items"][0]["roll_up"];
    assert_eq!(roll_up["total"], json!(200), "{summary}");
    assert!(roll_up["achieved"].as_i64().unwrap() > 50, "{summary}");
    assert!(roll_up["not_achieved"].as_i64().unwrap() > 30, "{summary}");
    let revisions = get("/v1/policies/bureau-30/2014/revisions").await;
    assert_eq!(revisions["items"][0]["kind"], json!("results"));
}

#[actix_web::test]
async fn what_is_generated_is_the_same_each_time() {
    let hashes = || {
        let db = TestDb::new();
        load(&mut db.connect(), 30).unwrap();
        db.values("select sha256 as value from revisions order by policy_id, number")
    };
    let first = hashes();
    assert_eq!(first.len(), 10);
    assert_eq!(first, hashes());
}
