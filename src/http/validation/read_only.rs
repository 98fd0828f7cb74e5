//! Members that the server sets: a body may bring them back as they were read.

use std::collections::BTreeMap;

use rust_decimal::Decimal as Number;
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    PartialSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    error::{Error, Result, Violation},
    value::{Id, Time, language::Bilingual},
};

/// What a body says of members that the server sets. It is ignored if it is what the server shows, and refused otherwise.
#[derive(Debug, Clone, Default)]
pub struct ReadOnly(BTreeMap<String, Value>);

impl ReadOnly {
    /// Takes these members out of a body.
    pub(super) fn taken_out(document: &mut Value, members: &[String]) -> Self {
        let mut taken = Vec::new();
        for pointer in members {
            take(document, pointer, "", &mut taken);
        }
        Self(taken.into_iter().collect())
    }

    /// Fails unless all is what an answer shows.
    pub fn check(&self, answer: &impl Serialize) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let shown = serde_json::to_value(answer).map_err(Error::internal)?;
        Error::refuse(self.others_below("", &shown))
    }

    /// The members below `prefix` that are not what an answer shows.
    #[must_use]
    pub fn others_below(&self, prefix: &str, shown: &Value) -> Vec<Violation> {
        let prefix = format!("{prefix}/");
        let below = self
            .0
            .range(prefix.clone()..)
            .take_while(|(at, _)| at.starts_with(&prefix));
        let others = below.filter(|(at, said)| {
            let member = at.get(prefix.len() - 1..).and_then(|member| shown.pointer(member));
            !member.is_some_and(|shown| is_same(said, shown))
        });
        others.map(|(at, _)| not_as_stored(at)).collect()
    }

    /// Whether nothing is said of any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The members that an answer has and its input has not.
#[must_use]
pub fn set_by_server<Answer: PartialSchema, Input: PartialSchema>() -> Vec<String> {
    fn names<T: PartialSchema>() -> Vec<String> {
        match T::schema() {
            RefOr::T(Schema::Object(object)) => object.properties.into_keys().collect(),
            _ => Vec::new(),
        }
    }
    let written = names::<Input>();
    let shown = names::<Answer>().into_iter();
    shown
        .filter(|name| !written.contains(name))
        .map(|name| format!("/{name}"))
        .collect()
}

fn take(value: &mut Value, rest: &str, at: &str, taken: &mut Vec<(String, Value)>) {
    let rest = rest.trim_start_matches('/');
    let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
    match value {
        Value::Array(items) if name == "*" => {
            for (n, item) in items.iter_mut().enumerate() {
                take(item, below, &format!("{at}/{n}"), taken);
            }
        }
        Value::Object(members) if below.is_empty() => {
            taken.extend(members.remove(name).map(|value| (format!("{at}/{name}"), value)));
        }
        Value::Object(members) => {
            if let Some(member) = members.get_mut(name) {
                take(member, below, &format!("{at}/{name}"), taken);
            }
        }
        _ => {}
    }
}

/// Whether two values are one, however they are written: clients read times to the millisecond, and write numbers in their way.
fn is_same(said: &Value, shown: &Value) -> bool {
    match (said, shown) {
        (Value::Number(said), Value::Number(shown)) => {
            let number = |text: &str| {
                text.parse::<Number>()
                    .ok()
                    .or_else(|| Number::from_scientific(text).ok())
            };
            said == shown || number(said.as_str()).is_some_and(|it| Some(it) == number(shown.as_str()))
        }
        (Value::String(said), Value::String(shown)) => {
            let moment = |text: &str| Time::read(text).map(|time| time.0.timestamp_millis());
            let id = |text: &str| text.parse::<Id>().ok();
            said == shown
                || moment(said).is_some_and(|it| Some(it) == moment(shown))
                || id(said).is_some_and(|it| Some(it) == id(shown))
        }
        (Value::Array(said), Value::Array(shown)) => {
            said.len() == shown.len() && said.iter().zip(shown).all(|(said, shown)| is_same(said, shown))
        }
        (Value::Object(said), Value::Object(shown)) => {
            let is_in = |(name, said): (&String, &Value)| shown.get(name).is_some_and(|shown| is_same(said, shown));
            said.len() == shown.len() && said.iter().all(is_in)
        }
        _ => said == shown,
    }
}

/// Whether a member of the object at a pointer is one of these.
pub(super) fn is_among(read_only: &[String], object: &str, key: &str) -> bool {
    read_only.iter().any(|member| {
        let (of, name) = member.rsplit_once('/').unwrap_or_default();
        let is_there = of
            .split('/')
            .zip(object.split('/'))
            .all(|(of, at)| of == "*" || of == at);
        name == key && is_there && of.split('/').count() == object.split('/').count()
    })
}

pub(super) fn not_as_stored(at: &str) -> Violation {
    let detail = Bilingual::new(
        "サーバーが設定する項目で、登録されている値と違います。読み取ったまま送るか、送らないでください",
        "is set by the server, and is not what is stored: send it back as it was read, or leave it out",
    );
    Violation::at(at, "read_only", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_same;

    #[test]
    fn a_value_is_what_it_was_however_a_client_writes_it() {
        for (said, shown) in [
            (
                json!("2024-04-01T00:00:00.123Z"),
                json!("2024-04-01T09:00:00.123456+09:00"),
            ),
            (
                json!("2024-04-01T09:00:00+09:00"),
                json!("2024-04-01T09:00:00.000000+09:00"),
            ),
            (
                json!("018E9A2C-5B00-7000-8000-000000000611"),
                json!("018e9a2c-5b00-7000-8000-000000000611"),
            ),
            (json!([1, { "a": null }]), json!([1, { "a": null }])),
        ] {
            assert!(is_same(&said, &shown), "{said} {shown}");
        }
        for (said, shown) in [
            (
                json!("2024-04-01T09:00:00.124+09:00"),
                json!("2024-04-01T09:00:00.123456+09:00"),
            ),
            (json!("a"), json!("A")),
            (json!(null), json!(0)),
            (json!(1), json!(2)),
            (json!([1]), json!([1, 2])),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
        ] {
            assert!(!is_same(&said, &shown), "{said} {shown}");
        }
        let numbers: [serde_json::Value; 2] = [serde_json::from_str("57.0").unwrap_or_default(), json!(57)];
        assert!(is_same(&numbers[0], &numbers[1]));
    }
}
