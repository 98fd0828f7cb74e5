//! Forms as pages have them: merged cells, text that is struck out, and what stands around the form.

use super::{
    errors, outline,
    pasted::{goal, indicators, page, texts},
    read_html, warnings,
};

#[test]
fn merged_cells_are_read_where_they_are_shown() {
    let expected = ["備え | 50%以上 | 51% A | 49%", "訓練 | 30件以上 | 29件 B | 28件"];
    for table in [
        // Heads over two rows, and a group beside its rows.
        "<tr><th rowspan=4>アウトカム指標<th rowspan=2>指標<th rowspan=2>目標値<th colspan=3>実績<tr><th>6年度<th>達成状況<th>前年度\
            <tr><td>備え<td>50%以上<td>51%<td>A<td>49%<tr><td>訓練<td>30件以上<td>29件<td>B<td>28件",
        // The values of two indicators in one cell.
        "<tr><th>指標<th>目標値<th>6年度実績<th>達成状況<th>前年度実績<tr><td>備え<br>訓練<td>50%以上<br>30件以上<td>51%<br>29件<td>A<br>B<td>49%<br>28件",
        // Results over the rows of their indicators.
        "<tr><th>指標<th>目標値<th>6年度実績と達成状況<th>前年度実績<tr><td>備え<td>50%以上<td rowspan=2>51%：A<br>29件：B<td>49%<tr><td>訓練<td>30件以上<td>28件",
        "<tr><th>指標<th>目標値<th>6年度実績と達成状況<th>前年度実績<tr><td>備え<td>50%以上<td rowspan=2>51%：A 29件：B<td rowspan=2>49% 28件<tr><td>訓練<td>30件以上",
        // A result and its rating under one head.
        "<tr><th>指標<th>目標値<th colspan=2>6年度実績と達成状況<th>前年度実績<tr><td>備え<td>50%以上<td>51%<td>A<td>49%<tr><td>訓練<td>30件以上<td>29件<td>B<td>28件",
        // Boxes beside a label over two rows.
        "<tr><th>アウトカム指標<td colspan=3>・備え：50%以上<br>・訓練：30件以上<tr><th rowspan=2>アウトカム指標の達成状況<th colspan=2>6年度実績と達成状況<th>前年度実績\
            <tr><td>51%<br>29件<td>A<br>B<td>49%<br>28件",
    ] {
        let form = page(&format!("<table>{table}</table>"));
        assert_eq!(
            (indicators(&form), form.notes),
            (expected.map(str::to_owned).to_vec(), vec![]),
            "{table}"
        );
    }
}

#[test]
fn a_goal_may_stand_beside_its_rows() {
    let form = read_html(
        "<h1>令和6年度 西区運営方針</h1><table><tr><th>経営課題<th>指標<th>目標値<th>6年度実績<th>備考\
        <tr><td rowspan=2>経営課題1-(1) 防災<td>備え<td>50%以上<td>51%<td>x<tr><td>訓練<td>30件以上<td>29件<td>\
        <tr><td>経営課題1-(2) 防犯<td>見守り<td>3回以上<td>4回<td><tr><td colspan=5>※区民アンケートによる</table>",
    );
    assert_eq!(
        outline(&form),
        [
            "1-1 防災",
            "  備え | 50%以上 | 51% | -",
            "  訓練 | 30件以上 | 29件 | -",
            "1-2 防犯",
            "  見守り | 3回以上 | 4回 | -"
        ]
    );
    assert_eq!(
        (errors(&form), warnings(&form)),
        (vec![], vec!["label_unknown", "remark_left_out"])
    );
    let form = read_html(
        "<h1>令和6年度 西区運営方針</h1><table><tr><td rowspan=4>経営課題1-(1) 防災<th>課題認識<td>備えが足りない。\
        <tr><th>主な戦略<td>訓練を行う。<tr><th>アウトカム指標<td>備え：50%以上<tr><th>6年度実績<td>51%</table>",
    );
    assert_eq!(outline(&form), ["1-1 防災", "  備え | 50%以上 | 51% | -"]);
    assert_eq!(
        texts(&form),
        [["備えが足りない。".to_owned()], ["訓練を行う。".to_owned()]]
    );
    assert_eq!(form.notes, []);
}

#[test]
fn cells_that_do_not_fit_are_refused() {
    for (table, code) in [
        (
            "<tr><th>指標<th>目標値<th>6年度実績<tr><td>備え<br>訓練<td>50%以上<br>30件以上<td>51%",
            "table_row",
        ),
        (
            "<tr><th>指標<th>目標値<th>6年度実績<tr><td>備え<td>50%以上<td rowspan=2>51%<tr><td>訓練<td>30件以上",
            "result_count",
        ),
        (
            "<tr><th>指標<th>目標値<th>6年度実績<tr><td rowspan=2>備え<td>50%以上<td>51%<tr><td>30件以上<td>29件",
            "target_count",
        ),
        (
            "<tr><th>指標<th>目標値<th>6年度実績<tr><td>備え<td colspan=1000000000>50%以上<td>51%",
            "table_row",
        ),
        (
            "<tr><th>経営課題<th>指標<th>目標値<tr><td>防災<td>備え<td>50%以上",
            "table_row",
        ),
    ] {
        let form = page(&format!("<table>{table}</table>"));
        assert_eq!(errors(&form).first(), Some(&code), "{table}: {:?}", form.notes);
    }
}

#[test]
fn struck_text_is_left_out_and_named_and_marks_are_no_digits() {
    let read = |cell: &str| {
        page(&format!(
            "<table>\n<tr><th>アウトカム指標<td>備え：50%以上\n<tr><th>6年度実績<td>{cell}</table>"
        ))
    };
    for (cell, value, struck) in [
        ("<s>48</s>51%", Some("51"), Some("48")),
        ("<del>48%</del> 51%", Some("51"), Some("48%")),
        ("<strike>48</strike>51%", Some("51"), Some("48")),
        (
            "<span style='color:red; Text-Decoration : underline line-through'>48</span>51%",
            Some("51"),
            Some("48"),
        ),
        (
            "<span style=\"text-decoration-line:line-through!important\">48</span>51%",
            Some("51"),
            Some("48"),
        ),
        ("4<s>9</s>8%", None, Some("9")),
        ("<s>48<br>49</s>51%", Some("51"), Some("48 49")),
        ("51%<s>（訂正前", Some("51"), Some("（訂正前")),
        ("51<sup>2</sup>%", None, None),
        ("51<sub>2</sub>%", None, None),
        ("51%<sup>1)</sup>", None, None),
        ("５<br>１%", None, None),
        ("5\u{0}1%", None, None),
        ("<ins>51</ins>%", Some("51"), None),
        ("<b>51</b>%", Some("51"), None),
        ("51<span style='display: none'>9</span>%", Some("51"), None),
    ] {
        let form = read(cell);
        let notes: Vec<_> = form.notes.iter().filter(|note| note.code == "struck_out").collect();
        let words = notes
            .first()
            .map(|note| (note.line, note.detail.ja.split(['「', '」']).nth(1).unwrap_or_default()));
        assert_eq!(
            (words, notes.len()),
            (struck.map(|words| (3, words)), usize::from(struck.is_some())),
            "{cell}"
        );
        let values = form.goals[0]
            .indicators
            .iter()
            .filter_map(|it| it.result.as_ref()?.value.value);
        let values: Vec<String> = values.map(|value| value.to_string()).collect();
        assert_eq!(
            values,
            value.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            "{cell}: {:?}",
            form.notes
        );
    }
    // What stands behind a cell with struck text is read.
    let form = page(
        "<table><tr><th>課題認識<td style='text-decoration:line-through'>古い。<tr><th>主な戦略<td><s>古い。<td><tr><th>アウトカム指標<td>備え：50%以上</table>",
    );
    assert_eq!((texts(&form), indicators(&form).len()), ([vec![], vec![]], 1));
    assert_eq!(warnings(&form), ["struck_out", "struck_out"]);
    let form = goal("アウトカム指標\t・備え：50%以上\n6年度実績\t・51<sup>2</sup>%");
    assert_eq!(form.goals[0].indicators[0].result.as_ref().unwrap().value.value, None);
}

#[test]
fn elements_of_the_page_are_left_out_and_named() {
    let form = read_html(
        "<nav><a>目標</a> <a>使命</a></nav><h1>令和6年度 西区運営方針</h1><table><tr><th>使命<td>安全</table><h2>経営課題1-(1) 防災</h2>\
        <table><tr><th>アウトカム指標<td>備え：50%以上</table><h3>自己評価</h3><p>良い。</p><address>総務課</address><div role=contentinfo>大阪市</div><footer>目標</footer>",
    );
    assert_eq!(
        (&form.vision, &form.self_evaluation.as_ref().unwrap().value),
        (&None, &vec!["良い。".to_owned()])
    );
    assert_eq!(warnings(&form), ["page_furniture"; 4]);
}
