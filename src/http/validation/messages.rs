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
        Decimal,
        language::Bilingual,
        text::{CHARACTERS, is_unseen},
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

/// A code that is not in its list, with the nearest code of the list if `suggest`.
pub(super) fn unknown_code(pointer: &str, given: &Value, options: &Value, suggest: bool) -> Violation {
    let codes: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let list = codes.join(", ");
    let detail = Bilingual::new(
        format!("次のいずれかにしてください: {list}"),
        format!("must be one of: {list}"),
    );
    let given = given.as_str().filter(|_| suggest);
    Violation::at(pointer, "unknown_code", detail).suggesting(given.and_then(|given| nearest(given, codes)))
}

/// Whether an error only says that a value is not null.
pub(super) fn is_about_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Broken::Type { kind } if type_names(kind) == "null")
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
            let kind = type_names(kind);
            say(
                "type",
                format!("{kind} にしてください"),
                format!("must be of type {kind}"),
            )
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
        (
            "pattern",
            Bilingual::new(format!("{pattern} の形にしてください"), format!("must match {pattern}")),
        )
    }
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(several) => several.iter().map(|t| t.to_string()).collect::<Vec<_>>().join(" | "),
    }
}
