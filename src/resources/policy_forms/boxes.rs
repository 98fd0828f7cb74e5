//! The boxes of the form and what stands in them, in the order in which they are printed.

use std::{borrow::Cow, collections::HashMap};

use askama::Template;

use super::{printed, records::Known};
use crate::{
    domain::{
        fiscal_year::{label, parse},
        kinds::{BudgetKind, IndicatorKind, Rating},
    },
    http::as_of::AsOf,
    resources::policy_trees::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator},
    value::{FiscalYear, Id, TextBox},
};

/// The style sheet of the page.
pub(super) const STYLE: &str = include_str!("../../../templates/policy-form.css");

/// How many budgets stand in a row.
const BUDGETS_IN_A_ROW: usize = 3;

/// The form of a policy.
#[derive(Template)]
#[template(path = "policy-form.html")]
pub(super) struct Sheet<'a> {
    style: &'static str,
    year: String,
    organization: &'a str,
    head_title: &'a str,
    head_name: &'a str,
    /// The number of the revision that is shown; none if unpublished data is shown.
    revision: Option<i32>,
    source: Option<&'a str>,
    /// The address of the policy as data.
    tree: String,
    intentions: [Texts<'a>; 3],
    goals: Vec<Goal<'a>>,
    judgements: [Texts<'a>; 2],
    /// Whether a rating on the page is computed, and a result of the year before recorded.
    computed: bool,
    recorded: bool,
}

/// A box of sentences.
struct Texts<'a> {
    label: Cow<'static, str>,
    /// What explains the label, in brackets.
    remark: &'static str,
    /// Nothing where the policy does not have the box.
    items: Option<Vec<Sentence<'a>>>,
}

/// An item of a box.
struct Sentence<'a> {
    text: &'a str,
    /// Whether it begins with a sign of its own, and gets no bullet.
    signed: bool,
}

/// A goal.
struct Goal<'a> {
    code: &'a str,
    printed_code: String,
    title: &'a str,
    budgets: Vec<Vec<Budget>>,
    texts: [Texts<'a>; 2],
    groups: Vec<Group<'a>>,
}

/// An amount.
struct Budget {
    label: String,
    /// Nothing where its box is empty.
    text: Option<String>,
    /// Whether the amount is stored: an empty box that is not stored is only printed.
    stored: bool,
}

/// Indicators of one kind with their results.
struct Group<'a> {
    label: &'static str,
    /// 6年度
    year: String,
    indicators: Vec<Indicator<'a>>,
    /// Whether any result is known, and any result of the year before.
    reported: bool,
    compared: bool,
}

/// An indicator.
struct Indicator<'a> {
    name: &'a str,
    target: String,
    result: String,
    rating: Option<Rating>,
    /// The official rating where none is declared.
    computed: Option<Rating>,
    previous: String,
    /// The recorded result of the year before where none is printed.
    recorded: Option<String>,
}

impl<'a> Sheet<'a> {
    /// The form of a policy as it was at this moment.
    pub(super) fn of(tree: &'a PolicyTree, known: &HashMap<Id, Known>, as_of: AsOf) -> Self {
        let goals: Vec<Goal<'_>> = tree
            .goals
            .iter()
            .map(|goal| Goal::of(goal, known, tree.fiscal_year))
            .collect();
        let indicators = || {
            goals
                .iter()
                .flat_map(|goal| &goal.groups)
                .flat_map(|group| &group.indicators)
        };
        let line = |text: Option<&'a str>| text.unwrap_or_default();
        let year = tree.fiscal_year;
        Self {
            style: STYLE,
            year: label(year),
            organization: line(tree.organization_name.as_ref().map(|name| name.0.as_str())),
            head_title: line(tree.head_title.as_ref().map(|title| title.0.as_str())),
            head_name: line(tree.head_name.as_ref().map(|name| name.0.as_str())),
            revision: tree.revision,
            source: tree.source.as_ref().map(|source| source.0.as_str()),
            // Beside the page, whatever path a proxy puts before both.
            tree: format!("tree{}", as_of.query()),
            intentions: [
                texts("目標", "", tree.vision.as_ref()),
                texts("使命", "", tree.mission.as_ref()),
                texts(
                    format!("{} 所属運営の基本的な考え方", label(year)),
                    "",
                    tree.basic_approach.as_ref(),
                ),
            ],
            computed: indicators().any(|it| it.computed.is_some()),
            recorded: indicators().any(|it| it.recorded.is_some()),
            goals,
            judgements: [
                texts("自己評価", "（運営方針全体の定性評価）", tree.self_evaluation.as_ref()),
                texts("今後の方針", "", tree.future_policy.as_ref()),
            ],
        }
    }
}

fn texts<'a>(label: impl Into<Cow<'static, str>>, remark: &'static str, texts: Option<&'a TextBox>) -> Texts<'a> {
    let sentence = |text: &'a str| Sentence {
        text,
        signed: text.starts_with(|c: char| "「『（(【※".contains(c) || ('①'..='⑳').contains(&c)),
    };
    Texts {
        label: label.into(),
        remark,
        items: texts.map(|texts| texts.0.iter().map(|text| sentence(&text.0)).collect()),
    }
}

impl<'a> Goal<'a> {
    fn of(goal: &'a TreeGoal, known: &HashMap<Id, Known>, year: FiscalYear) -> Self {
        let budgets = budgets(goal, year);
        let code = goal.code.as_str();
        Self {
            code,
            printed_code: code
                .split_once('-')
                .map_or_else(|| code.to_owned(), |(first, second)| format!("{first}-({second})")),
            title: &goal.title.0,
            budgets: in_rows(budgets),
            texts: [
                texts("課題認識", "", goal.issue_recognition.as_ref()),
                texts("主な戦略", "（課題解決の方策）", goal.strategies.as_ref()),
            ],
            groups: groups(&goal.indicators, known, year),
        }
    }
}

/// The stored amounts, and an empty box for each that every form has: the actual figure of two years ago, the initial
/// budgets of last year and this year.
fn budgets(goal: &TreeGoal, year: FiscalYear) -> Vec<Budget> {
    let always = [
        (year.get() - 2, BudgetKind::Actual),
        (year.get() - 1, BudgetKind::Initial),
        (year.get(), BudgetKind::Initial),
    ];
    let mut boxes: Vec<(FiscalYear, BudgetKind, Option<&TreeBudget>)> = always
        .into_iter()
        .filter_map(|(year, kind)| Some((FiscalYear::new(year)?, kind, None)))
        .collect();
    for budget in &goal.budgets {
        let same = boxes
            .iter_mut()
            .find(|(year, kind, _)| (*year, *kind) == (budget.fiscal_year, budget.kind));
        match same {
            Some((.., stored)) => *stored = Some(budget),
            None => boxes.push((budget.fiscal_year, budget.kind, Some(budget))),
        }
    }
    // The figures of one year in the order in which they come to be.
    boxes.sort_by_key(|(year, kind, _)| {
        let order = match kind {
            BudgetKind::Initial => 0,
            BudgetKind::Revised => 1,
            BudgetKind::Expected => 2,
            BudgetKind::Actual => 3,
        };
        (year.get(), order)
    });
    boxes
        .into_iter()
        .map(|(of, kind, stored)| {
            let kind = match kind {
                BudgetKind::Initial => "予算額",
                BudgetKind::Revised => "補正後予算額",
                BudgetKind::Expected => "決算見込額",
                BudgetKind::Actual => "決算額",
            };
            Budget {
                label: format!("{}{kind}", bare_year(of, year).unwrap_or_else(|| label(of))),
                text: stored.and_then(printed::budget).map(|text| text.0),
                stored: stored.is_some(),
            }
        })
        .collect()
}

fn in_rows(budgets: Vec<Budget>) -> Vec<Vec<Budget>> {
    let mut rows: Vec<Vec<Budget>> = Vec::new();
    for budget in budgets {
        match rows.last_mut().filter(|row| row.len() < BUDGETS_IN_A_ROW) {
            Some(row) => row.push(budget),
            None => rows.push(vec![budget]),
        }
    }
    rows
}

/// The year of an era alone, as forms print it, where the policy's year is one of that era.
fn bare_year(year: FiscalYear, of_policy: FiscalYear) -> Option<String> {
    let parted = |year| {
        let label = label(year);
        let at = label.find(|c: char| c.is_ascii_digit() || c == '元')?;
        let (era, number) = label.split_at_checked(at)?;
        Some((era.to_owned(), number.trim_end_matches("年度").to_owned()))
    };
    let (era, number) = parted(year)?;
    let clear = parted(of_policy)?.0 == era && parse(&number, Some(of_policy)) == Ok(year);
    clear.then_some(number)
}

/// The indicators in groups: neighbours of one kind stand together.
fn groups<'a>(indicators: &'a [TreeIndicator], known: &HashMap<Id, Known>, year: FiscalYear) -> Vec<Group<'a>> {
    let runs: Vec<&[TreeIndicator]> = if indicators.is_empty() {
        vec![&[]]
    } else {
        indicators.chunk_by(|one, next| one.kind == next.kind).collect()
    };
    runs.into_iter()
        .map(|run| {
            let known = |indicator: &TreeIndicator| indicator.id.and_then(|id| known.get(&id)).copied();
            let indicators: Vec<Indicator<'_>> = run
                .iter()
                .map(|indicator| Indicator::of(indicator, known(indicator).unwrap_or_default(), year))
                .collect();
            Group {
                label: match run.first().map_or(IndicatorKind::Outcome, |first| first.kind) {
                    IndicatorKind::Outcome => "アウトカム指標",
                    IndicatorKind::Process => "プロセス指標",
                    IndicatorKind::Output => "アウトプット指標",
                },
                year: bare_year(year, year).map_or_else(|| label(year), |bare| format!("{bare}年度")),
                reported: indicators
                    .iter()
                    .any(|it| !it.result.is_empty() || it.rating.is_some() || it.computed.is_some()),
                compared: indicators
                    .iter()
                    .any(|it| !it.previous.is_empty() || it.recorded.is_some()),
                indicators,
            }
        })
        .collect()
}

impl<'a> Indicator<'a> {
    fn of(indicator: &'a TreeIndicator, known: Known, year: FiscalYear) -> Self {
        let unit = indicator.unit.as_ref();
        let result = indicator.results.iter().find(|result| result.fiscal_year == year);
        let printed = result.and_then(|result| printed::result(result, unit));
        let previous = result.and_then(|result| printed::previous(result, unit));
        let target = printed::target(&indicator.target, unit);
        let declared = result.and_then(|result| result.declared_rating);
        Self {
            name: &indicator.name.0,
            target: target.map(|text| text.0).unwrap_or_default(),
            result: printed.map(|text| text.0).unwrap_or_default(),
            rating: declared,
            computed: known.rating.filter(|_| declared.is_none()),
            recorded: known
                .previous
                .filter(|_| previous.is_none())
                .map(|value| printed::number(value, unit)),
            previous: previous.map(|text| text.0).unwrap_or_default(),
        }
    }
}
