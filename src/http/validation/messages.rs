//! Messages about a broken schema: a code and a sentence in both languages for every kind of error.

use std::fmt::Display;

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Broken},
};
use serde_json::Value;

use super::INTEGER;
use crate::{
    error::{Violation, nearest, shortened},
    value::{
        Decimal, LABELS,
        language::Bilingual,
        text::{CHARACTERS, is_unseen},
        written,
    },
};

/// Fields of answers that the server alone writes.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at"];

pub(super) fn unknown_field(pointer: &str, key: &str, known: &[&str]) -> Violation {
    let key = &*shortened(key);
    let escaped = key.replace('~', "~0").replace('/', "~1");
    let at = format!("{pointer}/{escaped}");
    if READ_ONLY.contains(&key) {
        return Violation::at(
            at,
            "read_only",
            Bilingual::new(
                "サーバーが設定する項目です。送らないでください",
                "is set by the server; leave it out",
            ),
        );
    }
    Violation::at(
        at,
        "unknown_field",
        Bilingual::new(
            format!("「{key}」という項目はありません"),
            format!("there is no field named {key}"),
        ),
    )
    .suggesting(nearest(key, known.iter().copied()))
}

/// A code that is not among those of this schema, with the one that has such a label, or else the nearest, if `suggest`.
pub(super) fn unknown_code(pointer: &str, given: &Value, schema: &Value, suggest: bool) -> Violation {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let label = |of: Option<&Value>| {
        let word = |n| of.and_then(|of| of.get(n)?.as_str()).unwrap_or_default();
        Bilingual::new(word(0), word(1))
    };
    let mut labels = list(LABELS);
    let codes = list("enum").filter_map(Value::as_str);
    let codes: Vec<(&str, Bilingual)> = codes.map(|code| (code, label(labels.next()))).collect();
    let given = given.as_str().filter(|_| suggest);
    let meant = given.and_then(|given| meant(given, &codes));
    Violation::at(pointer, "unknown_code", one_of(&codes)).suggesting(meant)
}

/// The code that has this label, or else the nearest.
#[must_use]
pub fn meant(given: &str, codes: &[(&str, Bilingual)]) -> Option<String> {
    let is_called = |label: &Bilingual| label.ja == given || label.en.eq_ignore_ascii_case(given);
    let called = codes.iter().find(|(_, label)| is_called(label));
    called
        .map(|(code, _)| (*code).to_owned())
        .or_else(|| nearest(given, codes.iter().map(|(code, _)| *code)))
}

/// The sentence that names codes by their labels, as far as they have any.
#[must_use]
pub fn one_of(codes: &[(&str, Bilingual)]) -> Bilingual {
    if let [(a, of_a), (b, of_b)] = codes {
        let labels = [of_a, of_b].iter().all(|label| !label.ja.is_empty());
        return if labels {
            Bilingual::new(
                format!("{a} か {b} にしてください（{}／{}）", of_a.ja, of_b.ja),
                format!("must be {a} or {b} ({} / {})", of_a.en, of_b.en),
            )
        } else {
            Bilingual::new(format!("{a} か {b} にしてください"), format!("must be {a} or {b}"))
        };
    }
    let ja = codes.iter().map(|(code, label)| named(code, &label.ja, ["（", "）"]));
    let en = codes.iter().map(|(code, label)| named(code, &label.en, [" (", ")"]));
    Bilingual::new(
        format!("次のいずれかにしてください: {}", ja.collect::<Vec<_>>().join(", ")),
        format!("must be one of: {}", en.collect::<Vec<_>>().join(", ")),
    )
}

/// A code with its label, where that says more than the code.
fn named(code: &str, label: &str, [before, after]: [&str; 2]) -> String {
    if label.is_empty() || code.replace('_', " ").eq_ignore_ascii_case(label) {
        code.to_owned()
    } else {
        format!("{code}{before}{label}{after}")
    }
}

/// Whether an error only says that a value is not null.
pub(super) fn is_about_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Broken::Type { kind: TypeKind::Single(one) } if one.to_string() == "null")
}

/// The code and the sentence of a list that is too long.
#[must_use]
pub fn too_many(limit: impl Display) -> (&'static str, Bilingual) {
    let words = Bilingual::new(
        format!("{limit}件以内にしてください"),
        format!("must have at most {limit} items"),
    );
    ("too_many", words)
}

/// The code and the sentence of every other kind of error.
pub(super) fn sentence(error: &ValidationError<'_>) -> (&'static str, Bilingual) {
    let say = |code, ja: String, en: String| (code, Bilingual::new(ja, en));
    match error.kind() {
        Broken::Type { .. } if error.instance().is_null() => {
            say("type", "nullにはできません".into(), "must not be null".into())
        }
        Broken::Type { kind } => {
            let (ja, en) = type_names(kind);
            say("type", format!("{ja}にしてください"), format!("must be {en}"))
        }
        Broken::Minimum { limit } => say(
            "minimum",
            format!("{limit}以上にしてください"),
            format!("must be at least {limit}"),
        ),
        Broken::Maximum { limit } => say(
            "maximum",
            format!("{limit}以下にしてください"),
            format!("must be at most {limit}"),
        ),
        Broken::MinLength { .. } => say("blank", "空にはできません".into(), "must not be empty".into()),
        Broken::MaxLength { limit } => say(
            "too_long",
            format!("{limit}文字以内にしてください"),
            format!("must have at most {limit} characters"),
        ),
        Broken::MinItems { limit } => say(
            "too_few",
            format!("{limit}件以上にしてください"),
            format!("must have at least {limit} items"),
        ),
        Broken::MaxItems { limit } => too_many(limit),
        Broken::Pattern { pattern } => pattern_broken(error.instance().as_str().unwrap_or_default(), pattern),
        Broken::Format { format } if format == "municipality-code" => say(
            "check_digit",
            "団体コードの検査数字が合いません".into(),
            "is not a municipality code: the check digit is wrong".into(),
        ),
        Broken::Format { format } if format == "date" => say(
            "format",
            "実在する日付を YYYY-MM-DD の形で指定してください（例 2025-06-30）".into(),
            "must be a day of the calendar, written YYYY-MM-DD, like 2025-06-30".into(),
        ),
        Broken::Format { format } if format == "date-time" => say(
            "format",
            "2024-04-01T09:00:00+09:00 の形の日時にしてください".into(),
            "must be a moment like 2024-04-01T09:00:00+09:00".into(),
        ),
        Broken::Format { format } if format == "uuid" => say(
            "format",
            "識別子（ハイフン付きのUUID）にしてください".into(),
            "must be an identifier: a UUID with hyphens".into(),
        ),
        Broken::Format { format } => say(
            "format",
            format!("{format} の形式にしてください"),
            format!("must be a valid {format}"),
        ),
        Broken::Custom { .. } if error.schema_path().as_str().ends_with(INTEGER) => say(
            "type",
            "整数は小数点や指数を使わずに書いてください".into(),
            "must be an integer, written without point or exponent".into(),
        ),
        Broken::Custom { .. } if error.schema_path().as_str().ends_with(CHARACTERS) => unseen(),
        Broken::Custom { .. } => ("digits", Decimal::too_many_digits()),
        _ => say("invalid", "契約に合いません".into(), error.to_string()),
    }
}

fn unseen() -> (&'static str, Bilingual) {
    let detail = Bilingual::new(
        "制御文字や見えない文字は使えません",
        "must not contain control or invisible characters",
    );
    ("control_character", detail)
}

fn pattern_broken(text: &str, pattern: &str) -> (&'static str, Bilingual) {
    if text.is_empty() {
        ("blank", Bilingual::new("空にはできません", "must not be empty"))
    } else if text.chars().any(|c| is_unseen(c) && c != '\n' && c != '\t') {
        unseen()
    } else if text.trim() != text {
        let ja = "前後に空白を付けず、空白だけにもしないでください";
        (
            "blank",
            Bilingual::new(ja, "must not be blank or have blanks at either end"),
        )
    } else {
        let unknown = || Bilingual::new("決められた形ではありません", "is not written as it must be");
        ("pattern", written(pattern).unwrap_or_else(unknown))
    }
}

/// Names of the JSON types in both languages.
const TYPES: [(&str, &str, &str); 7] = [
    ("null", "null", "null"),
    ("boolean", "true か false ", "true or false"),
    ("object", "オブジェクト", "an object"),
    ("array", "リスト", "a list"),
    ("number", "数値", "a number"),
    ("integer", "整数", "an integer"),
    ("string", "文字列", "a string"),
];

/// The types that a value may have, in both languages.
fn type_names(kind: &TypeKind) -> (String, String) {
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(several) => several.iter().map(|t| t.to_string()).collect(),
    };
    let known = |name: &String| TYPES.iter().find(|(known, ..)| known == name);
    let join = |words: Vec<&str>, or: &str| words.join(or);
    (
        join(names.iter().filter_map(known).map(|(_, ja, _)| *ja).collect(), "か"),
        join(names.iter().filter_map(known).map(|(.., en)| *en).collect(), " or "),
    )
}
