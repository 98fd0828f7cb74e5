//! The tables that are exported: their names, their columns, and the codes of the columns.

use super::LICENSE;
use crate::{
    domain::{
        evaluation::{
            comparison::AttainmentReason,
            outcome::{Outcome, Reason},
        },
        kinds::{BudgetKind, BudgetStatus, Direction, IndicatorKind, ObservationStatus, Rating, ValueStatus},
        target::{Comparator, PeriodKind, ReferenceKind},
    },
    sheet::{Column, RESULT_COLUMNS, write::CodeList},
    value::Codes,
};

/// A table that is exported.
pub(in crate::resources) struct Table {
    /// The name of its file.
    pub(in crate::resources) name: &'static str,
    /// Its title in Japanese.
    pub(in crate::resources) title: &'static str,
    /// Its title in English.
    pub(in crate::resources) english: &'static str,
    /// Its content, in both languages.
    pub(in crate::resources) words: [&'static str; 2],
    /// Its columns: those to read first, identifiers last.
    pub(in crate::resources) columns: &'static [Column],
    /// How many of them a printed page shows.
    pub(super) printed: usize,
    /// The codes of its columns.
    pub(super) codes: fn() -> Vec<CodeList>,
}

impl Table {
    /// The facts that a workbook states of the table.
    pub(super) fn facts(&self, to_fill: bool) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("表", format!("大阪市運営方針 {}", self.title)),
            (
                "出典",
                "大阪市 各区・局の運営方針（行ごとの出典は「出典」の列）".to_owned(),
            ),
            (
                "ライセンス",
                format!("クリエイティブ・コモンズ 表示 4.0 国際（{LICENSE}）"),
            ),
            ("空欄", "値が分からないもの、ないもの。0は値です。".to_owned()),
            ("数値", "単位は「単位」の列。48%は48、金額は円。".to_owned()),
            ("年度", "西暦（2024年度は2024年4月から2025年3月まで）。".to_owned()),
        ];
        if to_fill {
            facts.push((
                "記入のしかた",
                "実績値を入力してください。値がないときは空欄のまま「状態」を選んでください（空欄だけでは取り込めません）。\
                 指標ID・年度・版は変えないでください。"
                    .to_owned(),
            ));
        }
        facts
    }
}

fn list<T: Codes>(column: &'static str) -> CodeList {
    let codes = T::ALL.iter().map(|item| (item.code(), item.label())).collect();
    CodeList { column, codes }
}

pub(in crate::resources) static INDICATORS: Table = Table {
    name: "indicators",
    title: "指標",
    english: "indicators",
    words: [
        "各区・局の運営方針が掲げるアウトカム指標とその目標",
        "The outcome indicators of every ward's and bureau's management policy, with their targets",
    ],
    columns: &[
        ("organization_name", "所属名"),
        ("organization", "所属"),
        ("policy_year", "運営方針の年度"),
        ("goal_code", "経営課題番号"),
        ("goal_title", "経営課題"),
        ("position", "順番"),
        ("kind", "種別"),
        ("name", "指標"),
        ("population", "対象"),
        ("unit", "単位"),
        ("direction", "望ましい方向"),
        ("target_text", "目標"),
        ("comparator", "比較"),
        ("target_value", "目標値"),
        ("target_upper", "目標値の上限"),
        ("decimals", "小数点以下の桁数"),
        ("reference_kind", "基準"),
        ("reference_fiscal_year", "基準の年度"),
        ("reference_value", "基準値"),
        ("reference_name", "基準の名称"),
        ("period_kind", "期間"),
        ("period_from", "期間の最初の年度"),
        ("period_to", "期間の最後の年度"),
        ("comparable_with_previous", "前年度と比較可能"),
        ("comparable_reason", "比較可否の理由"),
        ("organization_name_en", "所属名（英語）"),
        ("version", "版"),
        ("created_at", "作成日時"),
        ("updated_at", "更新日時"),
        ("source", "出典"),
        ("license", "ライセンス"),
        ("goal_id", "経営課題ID"),
        ("series_id", "系列ID"),
        ("indicator_id", "指標ID"),
    ],
    printed: 15,
    codes: || {
        vec![
            list::<IndicatorKind>("kind"),
            list::<Direction>("direction"),
            list::<Comparator>("comparator"),
            list::<ReferenceKind>("reference_kind"),
            list::<PeriodKind>("period_kind"),
        ]
    },
};

pub(in crate::resources) static RESULTS: Table = Table {
    name: "results",
    title: "実績",
    english: "results",
    words: [
        "指標ごと・年度ごとの実績と、所属による達成状況",
        "What indicators came to in a fiscal year, and the organization's own rating",
    ],
    columns: &RESULT_COLUMNS,
    printed: 16,
    codes: || {
        vec![
            list::<ValueStatus>("value_status"),
            list::<ObservationStatus>("observation_status"),
            list::<Rating>("declared_rating"),
        ]
    },
};

pub(in crate::resources) static BUDGETS: Table = Table {
    name: "budgets",
    title: "予算",
    english: "budgets",
    words: [
        "経営課題ごとの決算額・予算額（三か年度）",
        "What goals cost: actual figures and budgets of three fiscal years",
    ],
    columns: &[
        ("organization_name", "所属名"),
        ("organization", "所属"),
        ("policy_year", "運営方針の年度"),
        ("goal_code", "経営課題番号"),
        ("goal_title", "経営課題"),
        ("fiscal_year", "年度"),
        ("kind", "種別"),
        ("status", "記載"),
        ("amount_yen", "金額（円）"),
        ("precision_yen", "金額の単位（円）"),
        ("text", "金額（原文）"),
        ("organization_name_en", "所属名（英語）"),
        ("version", "版"),
        ("created_at", "作成日時"),
        ("updated_at", "更新日時"),
        ("source", "出典"),
        ("license", "ライセンス"),
        ("goal_id", "経営課題ID"),
        ("budget_id", "予算ID"),
    ],
    printed: 11,
    codes: || vec![list::<BudgetKind>("kind"), list::<BudgetStatus>("status")],
};

pub(in crate::resources) static EVALUATIONS: Table = Table {
    name: "evaluations",
    title: "評価",
    english: "evaluations",
    words: [
        "指標ごと・年度ごとの達成状況の評価（目標、実績、前年度、差、達成率）",
        "Whether targets were met: target, result, previous year, gap, attainment and rating, one row for each indicator and fiscal year",
    ],
    columns: &[
        ("organization_name", "所属名"),
        ("organization", "所属"),
        ("policy_year", "運営方針の年度"),
        ("goal_code", "経営課題番号"),
        ("goal_title", "経営課題"),
        ("name", "指標"),
        ("unit", "単位"),
        ("target_text", "目標"),
        ("fiscal_year", "年度"),
        ("value", "実績値"),
        ("outcome", "結果"),
        ("rating", "達成状況"),
        ("gap", "目標との差"),
        ("gap_unit", "差の単位"),
        ("attainment", "達成率"),
        ("explanation_ja", "説明"),
        ("reason", "理由"),
        ("kind", "種別"),
        ("direction", "望ましい方向"),
        ("comparator", "比較"),
        ("target_value", "目標値"),
        ("target_upper", "目標値の上限"),
        ("threshold", "判定の基準となる値"),
        ("cumulative_value", "累計値"),
        ("value_status", "状態"),
        ("observation_status", "確定区分"),
        ("result_text", "実績（原文）"),
        ("stated_previous_value", "前年度実績値（記載）"),
        ("recorded_previous_value", "前年度実績値（記録）"),
        ("declared_rating", "達成状況（記載）"),
        ("computed_rating", "達成状況（計算）"),
        ("consistent", "記載と計算の一致"),
        ("rounding_sensitive", "端数処理で変わる"),
        ("attainment_reason", "達成率がない理由"),
        ("due_on", "期限"),
        ("on", "評価日"),
        ("decimals", "小数点以下の桁数"),
        ("explanation_en", "説明（英語）"),
        ("organization_name_en", "所属名（英語）"),
        ("updated_at", "更新日時"),
        ("source", "出典"),
        ("license", "ライセンス"),
        ("goal_id", "経営課題ID"),
        ("series_id", "系列ID"),
        ("indicator_id", "指標ID"),
    ],
    printed: 16,
    codes: || {
        vec![
            list::<IndicatorKind>("kind"),
            list::<Direction>("direction"),
            list::<Comparator>("comparator"),
            list::<ValueStatus>("value_status"),
            list::<ObservationStatus>("observation_status"),
            list::<Outcome>("outcome"),
            list::<Reason>("reason"),
            list::<Rating>("rating"),
            list::<AttainmentReason>("attainment_reason"),
        ]
    },
};

/// Every table.
pub(in crate::resources) static TABLES: [&Table; 4] = [&INDICATORS, &RESULTS, &BUDGETS, &EVALUATIONS];
