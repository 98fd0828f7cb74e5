//! Two made-up years of Nishi Ward, small enough to check by hand: two goals, four indicators, budgets that tell on each other.
//!
//! | indicator | 2024: target, result | 2025: target, result |
//! |---|---|---|
//! | 認知 | 40%以上, 35 → B | 45%以上, 46 → A; prints last year's 35 |
//! | 満足 | 80%以上, 82 → A | reworded, 75%以上 (lowered), 70 → B; prints last year's 81 instead of 82 |
//! | 訓練 | 30件以上, 20 → B | dropped |
//! | 相談 | – | new: 100件以上, 12.5, declared A |

use serde_json::{Value, json};

use super::{
    Api,
    factories::{self, at_least, with},
};

/// The ids of what was stored.
pub(crate) struct Years {
    pub(crate) api: Api,
    pub(crate) known: [String; 2],
    pub(crate) pleased: [String; 2],
    pub(crate) drill: String,
    pub(crate) advice: String,
    pub(crate) goals: [[String; 2]; 2],
    /// The series of 認知, 満足 and 訓練.
    pub(crate) series: [String; 3],
}

impl Years {
    /// Both years, as drafts.
    pub(crate) async fn drafted() -> Self {
        let api = Api::new().await;
        api.organization().await;
        let (last, this) = (goals_of(&api, 2024).await, goals_of(&api, 2025).await);
        let known = indicator(&api, &last[0], "活動を知っている割合", 40, json!({})).await;
        let pleased = indicator(&api, &last[1], "窓口に満足した区民の割合", 80, json!({})).await;
        let drill = indicator(&api, &last[1], "防災訓練の実施件数", 30, json!({ "unit": "件" })).await;
        let series = [&known, &pleased, &drill].map(|it| it.1.clone());
        let known_now = indicator(
            &api,
            &this[0],
            "活動を知っている割合",
            45,
            json!({ "series_id": known.1 }),
        )
        .await;
        let reworded = json!({ "series_id": pleased.1, "population": "窓口利用者", "comparable_with_previous": false });
        let pleased_now = indicator(&api, &this[1], "窓口に満足した区民アンケート回答者の割合", 75, reworded).await;
        let advice = indicator(&api, &this[1], "子育て相談の件数", 100, json!({ "unit": "件" })).await;
        for (id, year, changes) in [
            (&known.0, 2024, json!({ "value": 35, "declared_rating": "B" })),
            (&pleased.0, 2024, json!({ "value": 82, "declared_rating": "A" })),
            (&drill.0, 2024, json!({ "value": 20, "declared_rating": null })),
            (&known_now.0, 2025, json!({ "value": 46, "stated_previous_value": 35 })),
            (
                &pleased_now.0,
                2025,
                json!({ "value": 70, "declared_rating": "B", "stated_previous_value": 81 }),
            ),
            (&advice.0, 2025, json!({ "value": 12.5 })),
        ] {
            let result = with(with(factories::result(year), json!({ "text": null })), changes);
            api.create(format!("/v1/indicators/{id}/results/{year}"), &result)
                .await
                .must_be(201);
        }
        for (goal, year, kind, million) in [
            (&last[0], 2024, "initial", 85),
            (&last[1], 2024, "initial", 10),
            (&this[0], 2024, "initial", 86),
            (&this[0], 2024, "actual", 80),
            (&this[0], 2025, "initial", 90),
            (&this[1], 2024, "initial", 10),
        ] {
            let yen = million * 1_000_000;
            let budget = with(
                factories::budget(goal, year, kind),
                json!({ "amount_yen": yen, "text": format!("{million}百万円") }),
            );
            api.post("/v1/budgets", &budget).await.must_be(201);
        }
        Self {
            api,
            known: [known.0, known_now.0],
            pleased: [pleased.0, pleased_now.0],
            drill: drill.0,
            advice: advice.0,
            goals: [last, this],
            series,
        }
    }

    /// Both years, published with their results.
    pub(crate) async fn published() -> Self {
        let years = Self::drafted().await;
        for year in [2024, 2025] {
            years.publish(year).await;
        }
        years
    }

    /// Publishes a year with its results.
    pub(crate) async fn publish(&self, year: i32) {
        let path = format!("/v1/policies/nishi/{year}");
        let said = json!({ "self_evaluation": ["おおむね達成した。"], "future_policy": ["続ける。"] });
        self.api.patch(&path, "*", &said).await.must_be(200);
        for kind in ["plan", "results"] {
            self.api.publish(&format!("nishi/{year}"), kind).await.must_be(201);
        }
    }
}

async fn goals_of(api: &Api, year: i32) -> [String; 2] {
    let policy = api.policy("nishi", year).await.id();
    [api.goal(&policy, "1-1").await.id(), api.goal(&policy, "2-1").await.id()]
}

/// An indicator's id and series.
async fn indicator(api: &Api, goal: &str, name: &str, target: i32, changes: Value) -> (String, String) {
    let input = with(
        factories::indicator(goal, name),
        json!({ "target": at_least(&json!(target)), "population": "区民" }),
    );
    let stored = api.post("/v1/indicators", &with(input, changes)).await.must_be(201);
    (stored.id(), stored.text("series_id"))
}
