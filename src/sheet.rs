//! Tables of the city's spreadsheets: the columns they have, and how they are read.

pub mod csv;
pub mod decode;
pub mod formula;
pub mod table;
pub mod write;
pub mod xlsx;

/// A column of a table: its code, and its head for people.
pub type Column = (&'static str, &'static str);

/// The columns of a table of results. Exports and templates write all of them in this order; a table that is read
/// may hold any of them, under code or head, in any order.
pub const RESULT_COLUMNS: [Column; 29] = [
    ("organization_name", "所属名"),
    ("organization", "所属"),
    ("policy_year", "運営方針の年度"),
    ("goal_code", "経営課題番号"),
    ("goal_title", "経営課題"),
    ("name", "指標"),
    ("unit", "単位"),
    ("target_text", "目標"),
    ("fiscal_year", "年度"),
    ("previous_value", "前年度実績値"),
    ("value", "実績値"),
    ("cumulative_value", "累計値"),
    ("value_status", "状態"),
    ("text", "実績（原文）"),
    ("declared_rating", "達成状況"),
    ("comment", "備考"),
    ("numerator", "分子"),
    ("denominator", "分母"),
    ("sample_size", "標本数"),
    ("observation_status", "確定区分"),
    ("stated_previous_value", "前年度実績値（記載）"),
    ("stated_previous_text", "前年度実績（記載原文）"),
    ("measured_on", "測定日"),
    ("decimals", "小数点以下の桁数"),
    ("organization_name_en", "所属名（英語）"),
    ("source", "出典"),
    ("license", "ライセンス"),
    ("indicator_id", "指標ID"),
    ("version", "版"),
];
