//! Forms as they come out of other programs: pasted from spreadsheets, written by hand as pages.

use serde_json::json;

use super::forms::ward;
use crate::support::Call;

#[actix_web::test]
async fn signs_that_a_page_writes_as_text_stay_text() {
    let api = ward().await;
    let page = "<h1>令和6年度 西区運営方針</h1><table><tr><th>目標<td><b>太字</b>と&lt;b&gt;、&lt;br&gt;&amp;lt;\
        <tr><th>使命<td><ul><li>&lt;ul&gt;&lt;li&gt;一</ul></table>\
        <h2>経営課題1-(1) 防災</h2><table><tr><th>課題認識<td>&lt;/td&gt;の欄<tr><th>主な戦略<td>訓練\
        <tr><th>アウトカム指標<td>&lt;i&gt;の割合：50%以上</table>";
    let call = Call::new("POST", "/v1/imports?dry_run=true").body("text/html; charset=utf-8", page);
    let tree = api.send(call).await.must_be(200).body["tree"].clone();
    assert_eq!(
        (&tree["vision"], &tree["mission"]),
        (&json!(["太字と<b>、<br>&lt;"]), &json!(["<ul><li>一"]))
    );
    let goal = &tree["goals"][0];
    assert_eq!(
        (&goal["issue_recognition"], &goal["indicators"][0]["name"]),
        (&json!(["</td>の欄"]), &json!("<i>の割合"))
    );
}
