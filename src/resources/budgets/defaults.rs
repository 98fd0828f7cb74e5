//! What a figure leaves out: from its amount, or from its text, as imports read it.

use crate::{
    domain::{
        kinds::BudgetStatus,
        reading::{
            Parse,
            money::{self, ReadMoney},
        },
    },
    error::Violation,
    http::validation::{Members, leave_to, said},
    value::{Yen, language::Bilingual},
};

/// The units in which forms state amounts: 百万円, 千円, 円.
const UNITS: [i64; 3] = [1_000_000, 1_000, 1];

/// Fills in the status, the amount and the precision of a figure. Where one of them is left out, the others must be what the text
/// says; a figure that says all is believed.
pub fn fill_in(figure: &mut Members) -> Vec<Violation> {
    let whole = ["status", "amount_yen", "precision_yen"].map(|name| figure.contains_key(name));
    if !whole.contains(&false) {
        return vec![];
    }
    let amount: Option<Yen> = said(figure, "amount_yen");
    let status: Option<BudgetStatus> = said(figure, "status");
    let text: Option<String> = said(figure, "text");
    let read = text.as_deref().map(|text| money::read(text, None));
    let is_another = |it: &ReadMoney| it.parse == Parse::Full && amount.is_some() && it.amount_yen != amount;
    if read.as_ref().is_some_and(is_another) {
        return vec![text_differs("/amount_yen")];
    }
    let stated = read.filter(|read| amount.is_none() || read.amount_yen == amount);
    leave_to(figure, "status", || {
        let of_text = stated.as_ref().map_or(BudgetStatus::Blank, |read| read.status);
        Some(amount.map_or(of_text, |_| BudgetStatus::Stated))
    });
    if status.is_some_and(|status| status != BudgetStatus::Stated) {
        return vec![];
    }
    leave_to(figure, "amount_yen", || stated.as_ref()?.amount_yen);
    leave_to(figure, "precision_yen", || {
        let of_text = stated.as_ref().and_then(|read| read.precision_yen);
        of_text.or_else(|| amount.map(precision))
    });
    vec![]
}

/// What an amount is rounded to, as far as it tells.
fn precision(Yen(amount): Yen) -> i64 {
    let of_nothing = if amount == 0 { Some(1) } else { None };
    let unit = UNITS.into_iter().find(|unit| amount % unit == 0);
    of_nothing.or(unit).unwrap_or(1)
}

fn text_differs(at: &str) -> Violation {
    let detail = Bilingual::new(
        "金額の記載（text）と食い違います。書かずに送ると記載から読み取ります。status・amount_yen・precision_yenをすべて書けば、そのとおりに登録します",
        "is not what the text says: leave it out to have it read from the text, or state status, amount_yen and precision_yen",
    );
    Violation::at(at, "text_differs", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::fill_in;

    #[test]
    fn a_figure_is_whole_by_its_amount_or_its_text() {
        for (said, whole) in [
            (json!({ "text": "85百万円" }), json!(["stated", 85_000_000, 1_000_000])),
            (json!({ "text": "77,800千円" }), json!(["stated", 77_800_000, 1_000])),
            (json!({ "text": "－" }), json!(["none", null, null])),
            (json!({ "text": "調整中" }), json!(["unread", null, null])),
            (json!({}), json!(["blank", null, null])),
            (json!({ "amount_yen": null }), json!(["blank", null, null])),
            (
                json!({ "amount_yen": 85_000_000 }),
                json!(["stated", 85_000_000, 1_000_000]),
            ),
            (
                json!({ "amount_yen": 85_001_000 }),
                json!(["stated", 85_001_000, 1_000]),
            ),
            (json!({ "amount_yen": -7 }), json!(["stated", -7, 1])),
            (json!({ "amount_yen": 0 }), json!(["stated", 0, 1])),
            (
                json!({ "amount_yen": 85_000_000, "text": "85,000千円" }),
                json!(["stated", 85_000_000, 1_000]),
            ),
            (
                json!({ "status": "stated", "text": "85百万円" }),
                json!(["stated", 85_000_000, 1_000_000]),
            ),
            (
                json!({ "status": "none", "text": "85百万円" }),
                json!(["none", null, null]),
            ),
            (
                json!({ "status": "stated", "amount_yen": 1, "precision_yen": 1, "text": "85百万円" }),
                json!(["stated", 1, 1]),
            ),
        ] {
            let Value::Object(mut figure) = said.clone() else {
                continue;
            };
            assert_eq!(fill_in(&mut figure), [], "{said}");
            let member = |name: &str| figure.get(name).cloned().unwrap_or_default();
            let filled = ["status", "amount_yen", "precision_yen"].map(member);
            assert_eq!(json!(filled), whole, "{said}");
        }
        let Value::Object(mut figure) = json!({ "amount_yen": 84_000_000, "text": "85百万円" }) else {
            return;
        };
        assert_eq!(fill_in(&mut figure).len(), 1);
    }
}
