//! Forms of other wards, bureaus and years, each with other headings, units and tables.

use super::{Confidence, Form, errors, outline, read_html, read_text, warnings};
use crate::domain::kinds::{BudgetStatus, IndicatorKind, Rating, ValueStatus};

macro_rules! form {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/forms/", $name))
    };
}

/// The content of the boxes of the whole policy.
fn boxes(form: &Form) -> Vec<Vec<&str>> {
    [
        &form.vision,
        &form.mission,
        &form.basic_approach,
        &form.self_evaluation,
        &form.future_policy,
    ]
    .into_iter()
    .map(|field| {
        field
            .iter()
            .flat_map(|field| &field.value)
            .map(String::as_str)
            .collect()
    })
    .collect()
}

/// Organization, fiscal year, and the head's name and title.
fn head(form: &Form) -> (&str, i32, Option<&str>, Option<&str>) {
    (
        form.organization.as_ref().map_or("", |field| &field.value),
        form.fiscal_year.as_ref().map_or(0, |field| field.value.get()),
        form.head_name.as_ref().map(|field| field.value.as_str()),
        form.head_title.as_ref().map(|field| field.value.as_str()),
    )
}

#[test]
fn a_form_with_results_has_each_at_its_indicator() {
    let form = read_text(form!("nishi-2024-results.txt"));
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(warnings(&form), ["slip_corrected"]);
    let results: Vec<(String, Option<Rating>, Option<ValueStatus>, &str)> = form
        .goals
        .iter()
        .flat_map(|goal| &goal.indicators)
        .map(|indicator| {
            let result = &indicator.result.as_ref().unwrap().value;
            let previous = &indicator.previous.as_ref().unwrap().value.0;
            let value = result.value.map_or(String::new(), |value| value.to_string());
            (value, result.declared_rating, result.value_status, previous.as_str())
        })
        .collect();
    let (a, b) = (Some(Rating::A), Some(Rating::B));
    let reported = Some(ValueStatus::Reported);
    let expected = [
        ("49.3", a, reported, "47.1%"),
        ("41.5", a, reported, "38.2%"),
        ("4", a, reported, "3団体"),
        ("57.0", a, reported, "55.8%"),
        ("", None, Some(ValueStatus::BeingCompiled), "78.4%"),
        ("84.96", b, reported, "83.1%"),
        ("61.0", a, reported, "58.9%"),
        ("83.3", a, reported, "81.0%"),
        ("81.2", a, reported, "80.6%"),
        ("44.7", a, reported, "37.5%"),
    ];
    assert_eq!(results.len(), expected.len());
    for (read, (value, rating, status, previous)) in results.iter().zip(expected) {
        let value_of = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        assert_eq!(value_of(&read.0), value_of(value), "{previous}");
        assert_eq!((read.1, read.2, read.3), (rating, status, previous));
    }
    assert_eq!(
        boxes(&form).get(3..).unwrap(),
        [
            [
                "10の指標のうち8つで目標を達成した。",
                "子育て環境の指標は目標に届かなかったため、相談支援の周知を強める。"
            ],
            [
                "達成した指標は目標を見直し、取組を続ける。",
                "未達成の指標は要因を分析し、次年度の方針に反映する。"
            ],
        ]
    );
}

#[test]
fn a_second_year_is_read_with_its_own_codes_years_and_previous_results() {
    let form = read_text(form!("nishi-2025.txt"));
    assert_eq!(form.notes, []);
    assert_eq!(head(&form), ("西区", 2025, Some("三村 浩也"), None));
    assert_eq!(
        outline(&form),
        [
            "1-1 安全・安心で快適なまちづくり",
            "  2023 actual 22百万円 = 22000000",
            "  2024 initial 26百万円 = 26000000",
            "  2025 initial 27百万円 = 27000000",
            "  家庭や地域で防災対策を講じている区民アンケート回答者の割合 | 57%以上 | - | 57.0%",
            "  地域で安心して暮らせる感覚を抱いている区民の割合 | 80%以上 | - | 集計中（令和7年9月確定予定）",
            "1-2 地域コミュニティの活性化",
            "  2023 actual 88百万円 = 88000000",
            "  2024 initial 86百万円 = 86000000",
            "  2025 initial 90百万円 = 90000000",
            "  地域の特性や課題に応じた活動が進められていると感じている区民アンケート回答者の割合 | 50%以上 | - | 49.3%",
            "  地域活動協議会を知っている区民アンケート回答者の割合 | 41%以上 | - | 41.5%",
            "  活動主体相互や区役所との連携・協働が図られた団体・件数 | 5団体以上 | - | 4団体",
            "2-1 安心して子育てや教育ができる環境づくり",
            "  2023 actual 12百万円 = 12000000",
            "  2024 initial 14百万円 = 14000000",
            "  2025 initial 15百万円 = 15000000",
            "  子育て相談窓口の利用件数 | 1,200件以上 | - | －（新規）",
            "3-1 ニア・イズ・ベターを徹底するための区役所づくり",
            "  2023 actual 231百万円 = 231000000",
            "  2024 initial 283百万円 = 283000000",
            "  2025 initial 290百万円 = 290000000",
            "  区役所からお知らせすべき情報が適切に発信されていると感じる区民アンケート回答者の割合 | 62%以上 | - | 61.0%",
            "  区政会議において、各委員からの意見や要望、評価について、適切なフィードバックが行われたと感じる区政会議の委員の割合 | 78%以上 | - | 83.3%",
            "  区役所窓口が適切な対応をしていると感じる区民アンケート回答者の割合 | 81.5%以上 | - | 81.4%",
            "  コンビニでの証明書発行割合 | 45%以上 | - | 44.7%",
        ]
    );
}

#[test]
fn another_ward_has_thousands_of_yen_chapters_and_a_row_for_each_indicator() {
    let form = read_text(form!("konohana-2023.txt"));
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(head(&form), ("此花区", 2023, Some("例示 花子"), Some("区長")));
    assert_eq!(
        boxes(&form),
        [
            vec!["「人がつながり、安心して暮らせるまち」"],
            vec!["地域の防災力を高める。", "区民の声を区政に生かす。"],
            vec!["地域とともに、次の取組を進める。"],
            vec!["おおむね計画どおり進んだ。"],
            vec!["備蓄の呼びかけを続ける。"],
        ]
    );
    let [first, second] = form.goals.as_slice() else {
        panic!("{:?}", outline(&form))
    };
    assert_eq!(
        (first.code.value.as_str(), first.title.value.as_str()),
        ("1", "災害に強いまちづくり")
    );
    let figures: Vec<(i32, Option<&str>, Option<i64>)> = first
        .budgets
        .iter()
        .map(|it| {
            (
                it.value.fiscal_year.get(),
                it.value.text.as_deref(),
                it.value.money.amount_yen.map(|yen| yen.0),
            )
        })
        .collect();
    assert_eq!(
        figures,
        [
            (2021, Some("77,800"), Some(77_800_000)),
            (2022, Some("▲1,200"), Some(-1_200_000)),
            (2023, Some("－"), None)
        ]
    );
    assert_eq!(first.budgets.last().unwrap().value.money.status, BudgetStatus::None);
    // The form has only めざすべき将来像, which is not quite 課題認識.
    let issues = first.issue_recognition.as_ref().unwrap();
    assert_eq!(
        (issues.confidence, issues.value.as_slice()),
        (
            Confidence::Low,
            ["家庭と地域で備えができているまち。".to_owned()].as_slice()
        )
    );
    assert_eq!(
        first.strategies.as_ref().unwrap().value,
        ["（１）家庭での備えを呼びかける。", "（２）地域の訓練を支援する。"]
    );

    let households = first.indicators.first().unwrap().result.as_ref().unwrap();
    let years = households
        .value
        .cumulative_years
        .map(|(from, to)| (from.get(), to.get()));
    assert_eq!(households.value.value.map(|it| it.to_string()).as_deref(), Some("4722"));
    assert_eq!(
        households.value.cumulative_value.map(|it| it.to_string()).as_deref(),
        Some("10488")
    );
    assert_eq!(
        (years, households.value.declared_rating),
        (Some((2021, 2023)), Some(Rating::A))
    );
    let trained = first.indicators.get(1).unwrap();
    assert_eq!(trained.result.as_ref().unwrap().value.declared_rating, Some(Rating::B));
    assert_eq!(trained.previous.as_ref().unwrap().value.0, "－（新規）");

    assert!(second.budgets.is_empty());
    assert_eq!(
        second.issue_recognition.as_ref().unwrap().value,
        ["子育て世帯の孤立を防ぐ必要がある。"]
    );
    assert_eq!(
        second.strategies.as_ref().unwrap().value,
        ["相談窓口を増やす。", "講座を開く。"]
    );
    let results: Vec<_> = second
        .indicators
        .iter()
        .map(|it| {
            (
                it.kind,
                it.read.value.name.as_str(),
                it.result.as_ref().unwrap().value.declared_rating,
                it.previous.as_ref().unwrap().value.0.as_str(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            (IndicatorKind::Output, "講座の参加者数", Some(Rating::A), "1,020件"),
            (IndicatorKind::Output, "相談件数", Some(Rating::B), "集計中"),
        ]
    );
}

#[test]
fn a_page_with_proper_tables_is_read_without_what_it_hides() {
    let form = read_html(form!("example-2024.html"));
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(head(&form), ("架空区", 2024, Some("例示 太郎"), None));
    assert_eq!(
        boxes(&form),
        [
            vec!["「住み続けたいまち」", "こどもも高齢者も安心して暮らせるまち"],
            vec!["安全 & 安心のまちづくり", "区民サービスの向上"],
            vec!["現場を大切にする。", "データに基づいて考える。"],
            vec!["全体として目標をおおむね達成した。"],
            vec!["訓練を続ける。"],
        ]
    );
    let [first, second] = form.goals.as_slice() else {
        panic!("{:?}", outline(&form))
    };
    let statuses: Vec<_> = first
        .budgets
        .iter()
        .map(|it| (it.value.money.status, it.value.money.amount_yen.map(|yen| yen.0)))
        .collect();
    assert_eq!(
        statuses,
        [
            (BudgetStatus::Stated, Some(12_000_000)),
            (BudgetStatus::Stated, Some(0)),
            (BudgetStatus::Blank, None)
        ]
    );
    assert_eq!(
        first.issue_recognition.as_ref().unwrap().value,
        ["災害への備えが十分でない。", "犯罪の不安がある。"]
    );
    assert_eq!(
        first.strategies.as_ref().unwrap().value,
        ["訓練を行う。", "見守りを支援する。"]
    );
    let read: Vec<_> = form
        .goals
        .iter()
        .flat_map(|goal| &goal.indicators)
        .map(|it| {
            let result = &it.result.as_ref().unwrap().value;
            (
                it.read.value.name.as_str(),
                result.declared_rating,
                result.value_status,
                it.previous.as_ref().unwrap().value.0.as_str(),
            )
        })
        .collect();
    let (a, b, reported) = (Some(Rating::A), Some(Rating::B), Some(ValueStatus::Reported));
    assert_eq!(
        read,
        [
            ("備えをしている区民の割合", a, reported, "55.0%"),
            ("待ち時間10分以上の割合", b, reported, "7.0%"),
            ("見守りの協力団体数", None, Some(ValueStatus::BeingCompiled), "28団体"),
            ("窓口に満足した来庁者の割合", a, reported, "79.3%"),
            ("待ち時間", a, reported, "31分"),
        ]
    );
    assert_eq!(
        (second.code.line, second.title.value.as_str()),
        (30, "区民サービスの向上")
    );
}

#[test]
fn a_bureau_has_a_head_with_a_title_other_amounts_and_a_target_beside_its_indicator() {
    let form = read_text(form!("bureau-2024.txt"));
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(head(&form), ("架空局", 2024, Some("例示 次郎"), Some("局長")));
    assert_eq!(
        boxes(&form),
        [
            vec!["市民が安心して働けるまち"],
            vec!["雇用と産業を支える。"],
            vec!["現場の声を聞く。", "成果を数値で示す。"],
            vec![],
            vec![],
        ]
    );
    assert!(form.self_evaluation.is_some() && form.future_policy.is_some());
    assert_eq!(
        outline(&form),
        [
            "1-1 雇用の拡大",
            "  2022 actual 6千2百万円 = 62000000",
            "  2023 initial 1億2千万円 = 120000000",
            "  2024 initial 1億5千万円 = 150000000",
            "  相談会の開催回数 | 12回以上 | 12回 A | 10回",
            "1-2 産業の振興",
            "  承継の成立件数 | 20件以上 | - | -",
            "  相談の満足度 | 90%以上 | - | -",
        ]
    );
    let kinds: Vec<_> = form
        .goals
        .iter()
        .flat_map(|goal| &goal.indicators)
        .map(|it| it.kind)
        .collect();
    assert_eq!(
        kinds,
        [IndicatorKind::Process, IndicatorKind::Outcome, IndicatorKind::Outcome]
    );
}

#[test]
fn results_that_do_not_match_in_number_are_an_error_and_none_is_attached() {
    let form = read_text(form!("count-mismatch.txt"));
    let [note] = form.notes.as_slice() else {
        panic!("{:?}", form.notes)
    };
    assert_eq!((note.code, note.line, note.column), ("result_count", 13, 37));
    assert!(note.detail.ja.contains("実績が2件、指標が3件"), "{}", note.detail.ja);
    let [first, second] = form.goals.as_slice() else {
        panic!()
    };
    assert!(
        first
            .indicators
            .iter()
            .all(|it| it.result.is_none() && it.previous.is_none())
    );
    assert!(
        second
            .indicators
            .iter()
            .all(|it| it.result.is_some() && it.previous.is_some())
    );
}

#[test]
fn a_form_that_breaks_off_says_where() {
    let form = read_text(form!("truncated.txt"));
    assert_eq!(errors(&form), ["truncated"]);
    let note = form.notes.iter().find(|note| note.code == "truncated").unwrap();
    assert_eq!(note.line, 35);
}

#[test]
fn a_second_form_is_an_error_at_its_title_and_the_first_is_read() {
    let form = read_text(form!("two-forms.txt"));
    assert_eq!(errors(&form), ["two_forms"]);
    assert_eq!(form.notes.last().unwrap().line, 52);
    assert_eq!((head(&form).1, form.goals.len()), (2024, 4));
}
