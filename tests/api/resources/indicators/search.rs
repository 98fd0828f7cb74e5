//! The search in names of indicators.

use crate::support::Api;

#[actix_web::test]
async fn names_are_searched_as_people_write_them() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for name in [
        "地域活動協議会を知っている区民アンケート回答者の割合",
        "防災訓練（ＩＣＴ）の参加率100%_達成",
        "こどもの居場所の数",
        "自転車事故件数 A\\B",
    ] {
        api.indicator(&goal, name).await;
    }
    for (q, expected) in [
        ("防災", 1),
        ("割合", 1),
        ("区民アンケート", 1),
        ("ｱﾝｹｰﾄ", 1),
        ("アンケ―ト", 0),
        ("数", 2),
        ("の", 3),
        ("ICT", 1),
        ("ict", 1),
        ("Ｉｃｔ", 1),
        ("(ICT)", 1),
        ("１００％", 1),
        ("100%_", 1),
        ("%", 1),
        ("_", 1),
        ("%%", 0),
        ("防%率", 0),
        ("防_訓", 0),
        ("a\\b", 1),
        ("\\", 1),
        ("\\b", 1),
        ("こど\u{2003}も", 1),
        ("居場所", 1),
        ("　居場所　", 1),
        ("所居", 0),
        ("件数 a", 1),
        ("'; drop table indicators; --", 0),
        ("存在しない語", 0),
    ] {
        let path = format!("/v1/indicators?q={}", q.replace('%', "%25"));
        let found = api.list(&path).await;
        assert_eq!(found.len(), expected, "{q}: {found:?}");
    }
    api.get("/v1/indicators?q=").await.must_refuse(400, &[("q", "text")]);
    api.get("/v1/indicators?q=%20").await.must_refuse(400, &[("q", "text")]);
    api.get("/v1/indicators?q=%00").await.must_refuse(400, &[("q", "text")]);
    api.get(format!("/v1/indicators?q={}", "あ".repeat(101)))
        .await
        .must_refuse(400, &[("q", "text")]);
    assert!(
        api.list(format!("/v1/indicators?q={}", "あ".repeat(100)))
            .await
            .is_empty()
    );
}

#[actix_web::test]
async fn dakuten_written_apart_is_found_as_written_together() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    api.indicator(&goal, "がんばる子ども").await;
    assert_eq!(api.list("/v1/indicators?q=か\u{3099}んは\u{3099}る").await.len(), 1);
}

#[actix_web::test]
async fn signs_that_people_take_for_one_another_are_one_in_search() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for name in [
        "〜５〜歳児",
        "～６～歳児",
        "サービス−窓口",
        "サービス－窓口—１",
        "サービス",
    ] {
        api.indicator(&goal, name).await;
    }
    for (q, expected) in [
        ("～５～", 1),
        ("〜5〜", 1),
        ("~6~", 1),
        ("~", 2),
        ("〜歳児", 2),
        ("サービス－窓口", 2),
        ("サービス−窓口", 2),
        ("サービス―窓口", 2),
        ("窓口-1", 1),
        ("サ－ビス", 0),
        ("―", 2),
        ("－窓口〜", 0),
    ] {
        let found = api.list(format!("/v1/indicators?q={q}")).await;
        assert_eq!(found.len(), expected, "{q}: {found:?}");
    }
}

#[actix_web::test]
async fn a_search_for_several_words_finds_names_with_all_of_them() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for name in ["コンビニで交付した証明書の割合", "証明書の数", "コンビニの数"] {
        api.indicator(&goal, name).await;
    }
    for (q, expected) in [
        ("コンビニ 証明書", 1),
        ("証明書　コンビニ", 1),
        ("　証明書\u{a0}の　", 2),
        ("の 数", 2),
        ("コンビニ 証明書 数", 0),
    ] {
        let found = api.list(format!("/v1/indicators?q={q}")).await;
        assert_eq!(found.len(), expected, "{q}: {found:?}");
    }
    let evaluated = api.list("/v1/evaluations?q=コンビニ　証明書").await;
    assert_eq!(evaluated.len(), 1);
}
