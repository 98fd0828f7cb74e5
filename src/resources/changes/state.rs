//! Things in the words in which they are read: the history keeps rows as they are stored.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ChangeType;
use crate::{
    db::{Read, schema::policies},
    domain::{
        evaluation::{Facts, outcome::value_status},
        fiscal_year,
        kinds::{ObservationStatus, ValueStatus},
        reporting,
    },
    error::{Error, Result},
    value::{Date, Decimal, FiscalYear, Id, Time},
};

/// Puts stored rows into the words in which they are read on this day.
pub(super) fn put_in_words<'a>(
    conn: &mut Read<'_>,
    states: impl IntoIterator<Item = (ChangeType, &'a mut Value)>,
) -> Result<()> {
    let mut results = Vec::new();
    for (kind, state) in states {
        let Value::Object(members) = state else { continue };
        figures(members);
        match kind {
            ChangeType::Indicator => target(members),
            ChangeType::Result => results.push(members),
            _ => {}
        }
    }
    statuses(conn, results)
}

/// Moments and decimals in the form in which answers have them.
fn figures(members: &mut Map<String, Value>) {
    for (key, value) in members {
        match value {
            Value::String(text) if key.ends_with("_at") => {
                if let Some(time) = Time::read(text) {
                    *text = time.to_string();
                }
            }
            Value::Number(number) if number.as_str().contains('.') => {
                if let Ok(decimal) = number.as_str().parse::<Decimal>() {
                    *value = json!(decimal);
                }
            }
            _ => {}
        }
    }
}

/// The target as one object, beside its columns.
fn target(members: &mut Map<String, Value>) {
    let of = |column: &str| members.get(column).cloned().unwrap_or_default();
    let target = json!({
        "text": of("target_text"),
        "comparator": of("target_comparator"),
        "value": of("target_value"),
        "upper": of("target_upper"),
        "reference": {
            "kind": of("target_reference"),
            "fiscal_year": of("target_reference_year"),
            "value": of("target_reference_value"),
            "name": of("target_reference_name"),
        },
        "period": {
            "kind": of("target_period"),
            "from": of("target_period_from"),
            "to": of("target_period_to"),
        },
    });
    members.insert("target".to_owned(), target);
}

/// What the status of a stored result follows from.
#[derive(Deserialize)]
struct Stated {
    policy_id: Id,
    fiscal_year: FiscalYear,
    value: Option<Decimal>,
    cumulative_value: Option<Decimal>,
    value_status: Option<ValueStatus>,
}

/// The status of each result; where nobody stated one, it follows from value and date.
fn statuses(conn: &mut Read<'_>, results: Vec<&mut Map<String, Value>>) -> Result<()> {
    let mut stated = Vec::new();
    for members in results {
        let of = Stated::deserialize(&*members).map_err(Error::internal)?;
        stated.push((members, of));
    }
    // Only of results that say nothing the day matters on which they are due.
    let silent = |of: &Stated| of.value.or(of.cumulative_value).is_none() && of.value_status.is_none();
    let silent: HashSet<Id> = stated
        .iter()
        .filter(|(_, of)| silent(of))
        .map(|(_, of)| of.policy_id)
        .collect();
    let due: HashMap<Id, (FiscalYear, Date)> = if silent.is_empty() {
        HashMap::new()
    } else {
        let columns = (policies::id, (policies::fiscal_year, policies::results_due_on));
        let rows: Vec<(Id, (FiscalYear, Date))> = policies::table
            .filter(policies::id.eq_any(silent))
            .select(columns)
            .load(conn.conn)?;
        rows.into_iter().collect()
    };
    for (members, of) in stated {
        // Of a policy that is no more, the usual day.
        let due_on = due.get(&of.policy_id).map_or_else(
            || fiscal_year::results_due_on(of.fiscal_year),
            |(year, due_on)| reporting::due_on(due_on.0, *year, of.fiscal_year),
        );
        let facts = Facts {
            value: of.value,
            cumulative_value: of.cumulative_value,
            value_status: of.value_status,
            observation_status: ObservationStatus::default(),
            declared_rating: None,
            stated_previous_value: None,
        };
        let status = value_status(Some(&facts), due_on, conn.today);
        members.insert("value_status".to_owned(), json!(status));
    }
    Ok(())
}
