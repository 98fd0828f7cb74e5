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
pub const RESULT_COLUMNS: [Column; 25] = [
    ("indicator_id", "指標ID"),
    ("fiscal_year", "年度"),
    ("organization", "所属"),
    ("policy_year", "運営方針の年度"),
    ("goal_code", "経営課題番号"),
    ("name", "指標"),
    ("unit", "単位"),
    ("target_text", "目標"),
    ("previous_value", "前年度実績値"),
    ("value", "実績値"),
    ("cumulative_value", "累計値"),
    ("numerator", "分子"),
    ("denominator", "分母"),
    ("sample_size", "標本数"),
    ("value_status", "状態"),
    ("observation_status", "確定区分"),
    ("text", "実績（原文）"),
    ("declared_rating", "達成状況"),
    ("stated_previous_value", "前年度実績値（記載）"),
    ("stated_previous_text", "前年度実績（記載原文）"),
    ("measured_on", "測定日"),
    ("comment", "備考"),
    ("source", "出典"),
    ("license", "ライセンス"),
    ("version", "版"),
];
