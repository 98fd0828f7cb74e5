//! A tree with its evaluation: everything that a page shows of a policy, in one answer.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Type,
        schema::{ObjectBuilder, Schema, SchemaType},
    },
};

use super::{PolicyTree, TreeBudget};
use crate::{
    db::schema::goals,
    domain::kinds::BudgetKind,
    error::{Error, Result, Violation},
    http::{
        etag::Match,
        query::{On, Years},
    },
    query,
    resources::evaluations::case::{Judged, Subject, judge},
    text_enum,
    value::{Date, FiscalYear, Id, Yen, language::Bilingual},
};

text_enum! {
    /// What a tree has beside what is stored.
    pub enum TreeAddition in "tree_addition" {
        /// The evaluation of each indicator, the counts of each goal and of the policy, and budgets by fiscal year.
        Evaluation = "evaluation" ("評価", "evaluation"),
    }
}

query! {
    /// What a tree has beside what is stored.
    pub struct TreeAdditions {
        /// With `evaluation`, each indicator has its `evaluation` for the policy's fiscal year, each goal its `roll_up` and its
        /// `budgets_by_year`, and the policy its `roll_up`: one call draws a page. Without it, these members are null.
        pub with: Option<TreeAddition>,
        /// The date to judge by, with `with=evaluation`: results not in by their due date are overdue after it. By default
        /// today in Japan, or the day of `as_of`.
        pub on: On,
    }
}

impl TreeAdditions {
    /// Fails where there is a date and nothing to judge.
    pub(super) fn check(&self) -> Result<()> {
        let detail = Bilingual::new("with=evaluation のときだけ指定できます", "belongs to with=evaluation");
        match (self.with, self.on.0) {
            (None, Some(_)) => Err(Error::malformed(Violation::of("on", "with", detail))),
            _ => Ok(()),
        }
    }
}

/// Amounts by fiscal year and kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct BudgetsByYear(BTreeMap<FiscalYear, BTreeMap<BudgetKind, Option<Yen>>>);

impl<'a> FromIterator<&'a TreeBudget> for BudgetsByYear {
    fn from_iter<I: IntoIterator<Item = &'a TreeBudget>>(budgets: I) -> Self {
        let mut by_year = BTreeMap::<_, BTreeMap<_, _>>::new();
        for budget in budgets {
            let of_year = by_year.entry(budget.fiscal_year).or_default();
            of_year.insert(budget.kind, budget.amount_yen);
        }
        Self(by_year)
    }
}

impl PartialSchema for BudgetsByYear {
    fn schema() -> RefOr<Schema> {
        let mut amount = ObjectBuilder::from(match Yen::schema() {
            RefOr::T(Schema::Object(amount)) => amount,
            _ => ObjectBuilder::new().build(),
        });
        amount = amount.schema_type(SchemaType::from_iter([Type::Integer, Type::Null]));
        let of_year = ObjectBuilder::new()
            .description(Some("Amounts of one fiscal year, by the code of their kind."))
            .additional_properties(Some(Schema::Object(amount.build())));
        ObjectBuilder::new()
            .description(Some(
                "Amounts in whole yen, by fiscal year and kind of figure. Null where no amount is stated; `status` in `budgets` says why.",
            ))
            .additional_properties(Some(Schema::Object(of_year.build())))
            .examples([serde_json::json!({ "2022": { "actual": 77_000_000 }, "2024": { "initial": 85_000_000 } })])
            .into()
    }
}
impl ToSchema for BudgetsByYear {}

/// What only answers have: in what is sent, it is not looked at.
pub(super) fn not_looked_at<'de, D: Deserializer<'de>, T>(sent: D) -> std::result::Result<Option<T>, D::Error> {
    IgnoredAny::deserialize(sent).map(|_| None)
}

/// Adds to the tree of a policy how it is judged on a day: one query, however large it is.
pub fn evaluated(conn: &mut PgConnection, mut tree: PolicyTree, policy: Id, on: NaiveDate) -> Result<PolicyTree> {
    let subjects = Subject::query().filter(goals::policy_id.eq(policy)).load(conn)?;
    let judged = judge(subjects, &Years(vec![tree.fiscal_year]), on);
    tree.on = Some(Date(on));
    tree.roll_up = Some(judged.iter().map(Judged::verdict).collect());
    let judged: HashMap<Id, Judged> = judged
        .into_iter()
        .map(|judged| (judged.subject.indicator.id, judged))
        .collect();
    for goal in &mut tree.goals {
        let own = goal
            .indicators
            .iter()
            .filter_map(|indicator| judged.get(&indicator.id?));
        goal.roll_up = Some(own.map(Judged::verdict).collect());
        goal.budgets_by_year = Some(goal.budgets.iter().collect());
        for indicator in &mut goal.indicators {
            let own = indicator.id.and_then(|id| judged.get(&id));
            indicator.evaluation = own.map(Judged::evaluation);
        }
    }
    Ok(tree)
}

/// Fails unless the caller read this tree, without its evaluation or with the one as of a day.
pub fn check_read(conn: &mut PgConnection, read: &Match, tree: &PolicyTree, policy: Id, on: NaiveDate) -> Result<()> {
    match read.check(tree) {
        Err(Error::PreconditionFailed) => read.check(&evaluated(conn, tree.clone(), policy, on)?),
        checked => checked,
    }
}
