//! Forms as people paste them: from word processors, spreadsheets and documents for printing.

use super::{Confidence, Form, NISHI_2024, errors, outline, read_html, read_text, warnings};

const RESULTS: &str = include_str!("../../../../tests/forms/nishi-2024-results.txt");
const HEAD: &str = "令和6年度 西区運営方針\n(所属長 : 三村 浩也)\n経営課題1-(1) 防災\n";

/// A form as text with one goal, which has this content.
pub(super) fn goal(content: &str) -> Form {
    read_text(&format!("{HEAD}{content}\n"))
}

/// A page with one goal, which has this content.
pub(super) fn page(content: &str) -> Form {
    read_html(&format!(
        "<h1>令和6年度 西区運営方針</h1><h2>経営課題1-(1) 防災</h2>{content}"
    ))
}

/// The indicators of the first goal, for comparing at a glance.
pub(super) fn indicators(form: &Form) -> Vec<String> {
    let lines = outline(form).into_iter();
    lines
        .filter(|line| line.contains(" | "))
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The text boxes of the first goal.
pub(super) fn texts(form: &Form) -> [Vec<String>; 2] {
    let goal = form.goals.first().unwrap();
    [&goal.issue_recognition, &goal.strategies].map(|field| field.as_ref().map_or(vec![], |field| field.value.clone()))
}

#[test]
fn indicators_and_results_that_blanks_separate_are_told_apart_by_number_and_units() {
    let expected = [
        "満足度 | 48%以上 | 48.5% B | 47.1%",
        "利用件数 | 980件以上 | 980件 A | 900件",
        "参加者数 | 1,200人以上 | 1,204人 A | 1,100人",
    ];
    for names in [
        "満足度：48%以上 利用件数：980件以上 参加者数：1,200人以上",
        "満足度：48%以上　利用件数：980件以上　参加者数：1,200人以上",
        "満足度 48%以上 利用件数 980件以上 参加者数 1,200人以上",
        "満足度：48%以上 利用件数：980件以上 参加者数 1,200人以上",
        "満足度 利用件数 参加者数\t目標値\t48%以上 980件以上 1,200人以上",
    ] {
        let form = goal(&format!(
            "アウトカム指標\t{names}\nアウトカム指標の達成状況\t6年度実績と達成状況\t48.5%：B 980件：A 1,204人：A\t前年度実績\t47.1% 900件 1,100人"
        ));
        assert_eq!(
            (indicators(&form), form.notes),
            (expected.map(str::to_owned).to_vec(), vec![]),
            "{names}"
        );
    }
}

#[test]
fn what_nothing_tells_apart_is_refused_by_line() {
    for (content, code, line) in [
        (
            "アウトカム指標\t満足度：48%以上 利用件数：980件以上\n6年度実績\t48.5%",
            "result_count",
            5,
        ),
        (
            "アウトカム指標\t満足度：48%以上 利用件数：980件以上\n6年度実績\t980件 48.5%",
            "result_count",
            5,
        ),
        (
            "アウトカム指標\t満足度：48%以上 利用件数：980件以上\n6年度実績\t48.5 980",
            "result_count",
            5,
        ),
        (
            "アウトカム指標\t満足度：48%以上 回答率：30%以上\n6年度実績\t1 48.5%",
            "result_count",
            5,
        ),
        (
            "アウトカム指標\t待ち時間10分以上 利用者の割合：5%以下",
            "indicators_run_together",
            4,
        ),
        ("アウトカム指標\t満足度\t目標値\t48%以上 980件以上", "target_count", 4),
        (
            "アウトカム指標\t・満足度：48%以上 ・利用件数：980件以上\n6年度実績\tA：達成 B：未達成",
            "legend_or_ratings",
            5,
        ),
    ] {
        let form = goal(content);
        let places: Vec<_> = form
            .notes
            .iter()
            .filter(|note| note.code == code)
            .map(|note| note.line)
            .collect();
        assert_eq!((errors(&form), places), (vec![code], vec![line]), "{content}");
        let told = form
            .notes
            .iter()
            .any(|note| note.detail.ja.contains("改行する") || note.detail.ja.contains("改行してください"));
        assert!(told, "{content}: {:?}", form.notes);
    }
}

#[test]
fn the_real_form_is_read_the_same_without_its_bullets() {
    let with = read_text(RESULTS);
    // Bullets of the boxes with figures, which blanks separate as well.
    let lines = RESULTS.lines().map(|line| {
        let figures = line.contains("以上") || line.contains("達成状況");
        if figures {
            line.replace('・', "")
        } else {
            line.to_owned()
        }
    });
    let text: Vec<String> = lines.collect();
    let names =
        |form: &Form| -> Vec<String> { outline(form).into_iter().map(|line| line.replace('・', "")).collect() };
    let without = read_text(&text.join("\n"));
    assert_eq!(names(&without), names(&with));
    assert_eq!(warnings(&without), ["slip_corrected"]);
    let read = without
        .goals
        .iter()
        .flat_map(|goal| &goal.indicators)
        .map(|it| it.read.confidence);
    assert!(read.filter(|confidence| *confidence == Confidence::Medium).count() >= 9);
}

#[test]
fn marks_of_lists_are_no_part_of_figures() {
    let two = "アウトカム指標\n1. 満足度：48%以上\n2. 参加者数：1,200人以上\n6年度実績と達成状況\n";
    let read = [
        "満足度 | 48%以上 | 48.5% B | -",
        "参加者数 | 1,200人以上 | 1,204人 A | -",
    ];
    let unread = [
        "満足度 | 48%以上 | 1 48.5% B | -",
        "参加者数 | 1,200人以上 | 2 1,204人 A | -",
    ];
    for (results, expected) in [
        ("- 48.5%：B\n- 1,204人：A", read),
        ("1. 48.5%：B\n2. 1,204人：A", read),
        ("１．\t48.5%：B\n２．\t1,204人：A", read),
        ("(1)48.5%：B\n(2)1,204人：A", read),
        ("①48.5%：B②1,204人：A", read),
        ("ア) 48.5%：B\nイ) 1,204人：A", read),
        ("•\t48.5%：B\n•\t1,204人：A", read),
        ("\u{f0b7}\t48.5%：B\n\u{f0b7}\t1,204人：A", read),
        ("1 48.5%:B\n2 1,204人:A", unread),
    ] {
        let form = goal(&format!("{two}{results}"));
        assert_eq!(indicators(&form), expected, "{results}");
        let values: Vec<_> = form.goals[0]
            .indicators
            .iter()
            .map(|it| it.result.as_ref().unwrap().value.value.map(|it| it.to_string()))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        let expected = if expected == unread {
            vec![None, None]
        } else {
            vec![some("48.5"), some("1204")]
        };
        assert_eq!(values, expected, "{results}");
    }
    // One item is no list.
    let form = goal("アウトカム指標\t・満足度：48%以上\n6年度実績\t- 66.4%：B\n前年度実績\t（59.5%）");
    let it = &form.goals[0].indicators[0];
    assert_eq!(
        (
            it.result.as_ref().unwrap().value.value,
            it.previous.as_ref().unwrap().value.1.value
        ),
        (None, None)
    );
    assert_eq!(warnings(&form), ["result_unreadable", "result_unreadable"]);
    let form = goal("アウトカム指標\t・利用件数：900件以上\n6年度実績\t3. 980件");
    assert_eq!(
        form.goals[0].indicators[0]
            .result
            .as_ref()
            .unwrap()
            .value
            .value
            .unwrap()
            .to_string(),
        "980"
    );
}

#[test]
fn cells_of_word_processors_and_spreadsheets_are_what_they_show() {
    for content in [
        "課題認識\t\"・備え\n・\"\"訓練\"\"\"\n主な戦略\t\"見守る。\"\t",
        "課題認識\n・\t備え\n・\t\"訓練\"\n主な戦略\n見守る。",
        "課題認識\t・備え\u{b}・\"訓練\"\n主な戦略\t見守る。",
        "課題認識\t・備え<br>・\"訓練\"\n主な戦略\t見守る。",
        "課題認識\r\n・備え\r\n・\"訓練\"\r\n主な戦略\r\n見守る。\r",
        "【課題】\n・備え\n・\"訓練\"\n〔主な戦略〕\n見守る。",
        "［課題認識］・備え ・\"訓練\"\n≪主な戦略≫\n見守る。",
        "1. 課題認識\n・備え\n・\"訓練\"\n２．主な戦略（課題解決の方策）\n見守る。",
        "課題\n認識\n・備え\n・\"訓練\"\n主な戦略\n(課題解決の\n方策)\n見守る。",
    ] {
        let form = goal(&format!("{content}\nアウトカム指標\t①\t備え：50%以上"));
        let [issues, strategies] = texts(&form);
        assert_eq!(
            (issues, strategies[0].trim_matches('"')),
            (vec!["備え".to_owned(), "\"訓練\"".to_owned()], "見守る。"),
            "{content}"
        );
        assert_eq!(
            (indicators(&form), form.notes),
            (vec!["備え | 50%以上 | - | -".to_owned()], vec![]),
            "{content}"
        );
    }
}

#[test]
fn a_form_from_a_document_for_printing_is_read_without_its_pages() {
    let text = "トップページ > 西区 > 運営方針\n令和6年度 西区運営方針\n(所属長 : 三村 浩也)\n- 1 -\n1. 目標\n・誰もが誇りに思え\nる西区\n\
        経営課題1-(1) 防災\n（単位：千円）\n4決算額\t5予算額\t6予算額\n該当なし\t0\t77\n【課題】\n・備えが足り\n- 2 -\nない。電話：06-6532-9625 に相談が多い。\n\
        アウトカ\nム指標\n(経営課題の解決に向けた進捗度合を\n示した指標)\n・家庭や地域で防災対策を講じている区民アンケ\nート回答者の割合：57%以上\n3 / 8 ページ\n\
        6年度実績と達成状況\n※Ａ：達成　Ｂ：未達成\n・57.0%：A\n前年度実績\n・55.8%\n自己評価\n・良い。\n\
        このページの作成者・問合せ先\n大阪市西区役所 総務課\n電話： 06-6532-9625　ファックス： 06-6538-7316\n更新日：2024年4月1日\n印刷する\n";
    let form = read_text(text);
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(
        outline(&form),
        [
            "1-1 防災",
            "  2022 actual 該当なし = -",
            "  2023 initial 0 = 0",
            "  2024 initial 77 = 77000",
            "  家庭や地域で防災対策を講じている区民アンケート回答者の割合 | 57%以上 | 57.0% A | 55.8%",
        ]
    );
    assert_eq!(form.vision.as_ref().unwrap().value, ["誰もが誇りに思える西区"]);
    assert_eq!(texts(&form)[0], ["備えが足りない。電話：06-6532-9625 に相談が多い。"]);
    assert_eq!(form.self_evaluation.as_ref().unwrap().value, ["良い。"]);
    // Every line that is left out is named.
    let notes: Vec<_> = form.notes.iter().map(|note| (note.code, note.line)).collect();
    let lines = [1, 4, 14, 22, 30].map(|line| ("page_furniture", line));
    assert_eq!(notes, lines);
    assert!(
        form.notes.last().unwrap().detail.ja.contains("など5行"),
        "{:?}",
        form.notes.last()
    );
}

#[test]
fn furniture_never_lands_in_a_box_and_sentences_stay() {
    for furniture in [
        "電話：06-6532-9625　ファックス：06-6538-7316",
        "更新日：2024年4月1日",
        "このページの作成者・問合せ先",
        "印刷する",
        "ホーム > 西区 > 区政",
        "PDFファイルの閲覧には Adobe Reader が必要です。お持ちでない方は無償でダウンロードしてください。",
        "３ページ",
    ] {
        let text = format!(
            "{HEAD}アウトカム指標\t・備え：50%以上\n6年度実績\t・51%\n自己評価\n{furniture}\n・良い。\n今後の方針\n・続ける。\n{furniture}\n"
        );
        let html = format!("<p>{}", text.replace(['\n', '\t'], "<p>"));
        for form in [read_text(&text), read_html(&html)] {
            assert_eq!(form.self_evaluation.as_ref().unwrap().value, ["良い。"], "{furniture}");
            assert_eq!(form.future_policy.as_ref().unwrap().value, ["続ける。"], "{furniture}");
            assert_eq!(warnings(&form), ["page_furniture", "page_furniture"], "{furniture}");
        }
    }
    let kept = [
        "電話：06-6532-9625 での相談を増やす。",
        "更新日を区のページに載せる。",
        "令和6年4月1日から窓口を開く。",
    ];
    let text = format!(
        "{HEAD}アウトカム指標\t・備え：50%以上\n6年度実績\t・51%\n自己評価\n・{}\n",
        kept.join("\n・")
    );
    let form = read_text(&text);
    assert_eq!(
        (form.self_evaluation.unwrap().value, form.notes),
        (kept.map(str::to_owned).to_vec(), vec![])
    );
}

#[test]
fn amounts_take_the_unit_of_their_head_their_row_or_their_table() {
    let (own, none) = ("  2024 initial 1,018 = 1018000", "  2024 initial 1,018 = -");
    for (budgets, expected) in [
        ("\t6予算額（千円）\t1,018", own),
        ("\t6予算額\n\t（千円）\n\t1,018", own),
        ("予算額（千円）\t6予算額\t1,018", own),
        ("予算額（千円）\t1,018", own),
        ("区分\t6予算額\n金額（千円）\t1,018", own),
        ("（単位：千円）\n\t6予算額\t1,018", own),
        ("\t6予算額\t1,018", none),
        ("\t6予算額\n\t1,018", none),
        ("\t6予算額\t1,018 1,020千円", "  2024 initial 1,018 1,020千円 = -"),
    ] {
        let form = goal(&format!("{budgets}\nアウトカム指標\t・備え：50%以上"));
        assert_eq!(outline(&form)[1], expected, "{budgets}: {:?}", form.notes);
    }
    for (cells, expected) in [
        (
            "<th>6予算額<td>1,018<br>百万円",
            "  2024 initial 1,018 百万円 = 1018000000",
        ),
        ("<th>6予算額<br>（千円）<td>1,018", own),
        (
            "<th>6予算額<tr><td>1,018<br>百万円",
            "  2024 initial 1,018 百万円 = 1018000000",
        ),
        ("<th>6決算見込額（千円）<td>1,018", "  2024 expected 1,018 = 1018000"),
        ("<th>6予算額<td>該当なし", "  2024 initial 該当なし = -"),
    ] {
        let form = page(&format!(
            "<table><tr>{cells}</table><table><tr><th>アウトカム指標<td>備え：50%以上</table>"
        ));
        assert_eq!(outline(&form)[1], expected, "{cells}: {:?}", form.notes);
    }
}

#[test]
fn text_above_the_first_box_is_named() {
    let text = NISHI_2024.replacen("\n目標\t", "\n西区のまちづくり\nみんなで\n目標\t", 1);
    let form = read_text(&text);
    assert_eq!(warnings(&form), ["text_unplaced", "slip_corrected"]);
    assert!(
        form.notes[0].detail.ja.contains("「西区のまちづくり」など2行"),
        "{:?}",
        form.notes[0]
    );
}
