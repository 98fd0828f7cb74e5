//! Everything that an operation which changes something can be asked with an id in it, from the contract.

use std::collections::BTreeSet;

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use super::openapi::Operation;
use crate::support::{
    Call,
    factories::{self, with},
    secrets::{OTHER, Secrets, Who},
};

pub(crate) const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What Keikaku has itself: one of everything, in a draft.
pub(crate) struct Own {
    pub(crate) policy: String,
    pub(crate) goal: String,
    pub(crate) budget: String,
    pub(crate) indicator: String,
    series: String,
    pub(crate) tree: Value,
}

impl Own {
    pub(crate) async fn of(secrets: &Secrets) -> Self {
        let get = async |path: &str| secrets.get(Who::Keikaku, path).await.must_be(200);
        let tree = get("/v1/policies/keikaku/2024/tree").await.body;
        let id = |at: &str| tree.pointer(at).and_then(Value::as_str).unwrap().to_owned();
        Self {
            policy: id("/id"),
            goal: id("/goals/0/id"),
            budget: id("/goals/0/budgets/0/id"),
            indicator: id("/goals/0/indicators/0/id"),
            series: id("/goals/0/indicators/0/series_id"),
            tree,
        }
    }

    /// The id of what stands at such a path.
    fn at(&self, template: &str) -> &str {
        match template.split('/').nth(2) {
            Some("goals") => &self.goal,
            Some("budgets") => &self.budget,
            Some("indicators") => &self.indicator,
            _ => "01900000-0000-7000-8000-0000000000ff",
        }
    }
}

/// A request, with an id in it.
pub(crate) type Ask<'a> = Box<dyn Fn(&str) -> Call + 'a>;

/// A body of an operation: its media type, and itself.
pub(crate) type Body = (&'static str, Vec<u8>);

fn json(value: &Value) -> Body {
    ("application/json", value.to_string().into_bytes())
}

/// The bodies of an operation that name `id`, one for each place where one may stand; without any such place, one body. A new
/// operation needs a line here.
pub(crate) fn bodies(operation: &Operation<'_>, own: &Own, id: &str) -> Vec<Body> {
    let name = operation.name();
    let all = match name.as_str() {
        _ if operation.method == "delete" => return vec![],
        "POST /v1/changes/tickets" => return vec![],
        "POST /v1/organizations"
        | "PUT /v1/organizations/{organization}"
        | "PATCH /v1/organizations/{organization}" => {
            vec![factories::ward()]
        }
        "POST /v1/policies" | "PUT /v1/policies/{organization}/{fiscal_year}" => vec![factories::policy("nishi", 2025)],
        // One's own, moved to where another's draft is.
        "PATCH /v1/policies/{organization}/{fiscal_year}" => {
            vec![
                json!({ "organization": "nishi", "fiscal_year": 2025 }),
                json!({ "source": "別" }),
            ]
        }
        "PUT /v1/policies/{organization}/{fiscal_year}/tree" | "POST /v1/imports/policies" => trees(own, id),
        "POST /v1/policies/{organization}/{fiscal_year}/publications" => {
            let of_kind = |kind: &&str| json!({ "kind": kind, "reason": "公表" });
            ["plan", "results", "correction", "withdrawal"]
                .iter()
                .map(of_kind)
                .collect()
        }
        "POST /v1/goals" | "PUT /v1/goals/{id}" => vec![factories::goal(id, "99")],
        "PATCH /v1/goals/{id}" => vec![json!({ "policy_id": id }), json!({ "code": "x" })],
        "POST /v1/budgets" | "PUT /v1/budgets/{id}" => vec![factories::budget(id, 2001, "actual")],
        "PATCH /v1/budgets/{id}" => vec![json!({ "goal_id": id }), json!({ "amount_yen": -1 })],
        "POST /v1/indicators" | "PUT /v1/indicators/{id}" => vec![
            factories::indicator(id, "名"),
            with(factories::indicator(&own.goal, "名"), json!({ "series_id": id })),
        ],
        "PATCH /v1/indicators/{id}" => vec![
            json!({ "goal_id": id }),
            json!({ "series_id": id }),
            json!({ "name": "" }),
        ],
        "PUT /v1/indicators/{id}/results/{fiscal_year}" => {
            vec![
                factories::result(2024),
                factories::result(2025),
                factories::result(2021),
            ]
        }
        "PATCH /v1/indicators/{id}/results/{fiscal_year}" => vec![json!({ "value": 1 }), json!({ "fiscal_year": 1 })],
        "POST /v1/results" => results(own, id),
        "POST /v1/imports" => return [trees(own, id).iter().map(json).collect(), tables(own, id)].concat(),
        "POST /v1/imports/forms" => return vec![("text/plain", "令和7年度 西区運営方針".as_bytes().to_vec())],
        "POST /v1/imports/results" => return tables(own, id),
        "POST /v1/targets/parse" => vec![json!({ "text": "48%以上", "fiscal_year": 2024 })],
        "POST /v1/evaluations/preview" => vec![json!({
            "decimals": 1, "direction": "higher_is_better", "target": factories::at_least(&json!(48)), "result": factories::result(2024)
        })],
        "POST /v1/tokens" => vec![json!({ "name": "new", "scopes": ["edit:nishi"] })],
        _ => panic!("{name}: say in `bodies` what it takes, and where ids stand in it"),
    };
    let patch = operation.method == "patch";
    let kind = if patch {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    all.iter().map(|body| (kind, body.to_string().into_bytes())).collect()
}

/// One's own policy, with the id in each place of its tree.
fn trees(own: &Own, id: &str) -> Vec<Value> {
    let places = [
        "/id",
        "/goals/0/id",
        "/goals/0/budgets/0/id",
        "/goals/0/indicators/0/id",
        "/goals/0/indicators/0/series_id",
    ];
    let at = |place: &&str| {
        let mut tree = own.tree.clone();
        *tree.pointer_mut(place).unwrap() = id.into();
        tree
    };
    // That of the other, as if it were known.
    let theirs = with(
        own.tree.clone(),
        json!({ "organization": "nishi", "fiscal_year": 2025, "id": id }),
    );
    places.iter().map(at).chain([theirs]).collect()
}

/// Results of the id: alone, with versions, among one's own, and with faults.
fn results(own: &Own, id: &str) -> Vec<Value> {
    let entry = |id: &str, version: Value, year| json!({ "indicator_id": id, "version": version, "result": factories::result(year) });
    let own_one = |version: Value| entry(&own.indicator, version, 2024);
    let mut all = Vec::new();
    for year in [2021, 2023, 2025] {
        for version in [Value::Null, json!(0), json!(1), json!(99)] {
            all.push(json!({ "items": [entry(id, version.clone(), year)] }));
            all.push(json!({ "items": [own_one(json!(7)), entry(id, version, year)], "reason": "訂正" }));
        }
    }
    all
}

/// Tables with the id in their rows.
fn tables(own: &Own, id: &str) -> Vec<Body> {
    let mut all = Vec::new();
    let tables = [
        vec![vec!["指標ID", "年度", "実績値"], vec![id, "2025", "5"]],
        vec![
            vec!["指標ID", "指標", "単位", "年度", "実績値"],
            vec![id, "別の名", "別", "2025", "0.5"],
        ],
        vec![
            vec!["指標ID", "年度", "実績値", "状態"],
            vec![id, "2025", "", "reported"],
        ],
        vec![
            vec!["指標ID", "年度", "状態"],
            vec![id, "2023", "reported"],
            vec![id, "2025", "集計中"],
        ],
        // Among one's own, with other faults, and where no id is looked for.
        vec![
            vec!["指標ID", "年度", "実績値", "備考"],
            vec![&own.indicator, "2024", "x", id],
            vec![id, "令和", "", ""],
            vec![&own.indicator, "2024", "4", ""],
        ],
    ];
    for rows in tables {
        let lines = rows.iter().map(|row| row.join(","));
        all.push((CSV, lines.collect::<Vec<_>>().join("\r\n").into_bytes()));
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (n, row) in (0..).zip(&rows) {
            for (m, cell) in (0..).zip(row) {
                sheet.write(n, m, *cell).unwrap();
            }
        }
        all.push((XLSX, book.save_to_buffer().unwrap()));
    }
    all
}

/// Everything by which an operation says which state it means.
pub(crate) fn conditions(operation: &Operation<'_>) -> Vec<Option<(&'static str, &'static str)>> {
    let mut all = Vec::new();
    if operation.takes("If-Match") {
        all.extend([Some(("if-match", "*")), Some(("if-match", "\"another\""))]);
    }
    if operation.takes("If-None-Match") {
        all.push(Some(("if-none-match", "*")));
    }
    if all.is_empty() { vec![None] } else { all }
}

/// Every request of an operation with a place for an id.
pub(crate) fn asks<'a>(operation: &'a Operation<'_>, own: &'a Own) -> Vec<Ask<'a>> {
    let mut asks: Vec<Ask<'a>> = Vec::new();
    let in_path = operation.path.contains("{id}");
    let years: &[&str] = if operation.path.ends_with("/results/{fiscal_year}") {
        &["2025", "2024", "2021"]
    } else {
        &["2024"]
    };
    let queries: &[&str] = match operation.path {
        "/v1/imports" | "/v1/imports/results" => &["", "?dry_run=true", "?dry_run=true&fiscal_year=2025"],
        "/v1/imports/forms" | "/v1/imports/policies" => &["", "?dry_run=true"],
        _ => &[""],
    };
    // In the path with one's own in the body, and the other way round; one's own is not removed.
    let theirs = if operation.method == "delete" {
        BTreeSet::from([true])
    } else {
        BTreeSet::from([false, in_path])
    };
    let many = bodies(operation, own, "").len().max(1);
    for year in years {
        for condition in conditions(operation) {
            for query in queries {
                for n in 0..many {
                    for path_is_theirs in theirs.clone() {
                        asks.push(Box::new(move |id| {
                            let (there, named) = if path_is_theirs {
                                (id, named_by(operation, own))
                            } else {
                                (own.at(operation.path), id)
                            };
                            let path = operation.path.replace("{id}", there).replace("{fiscal_year}", year);
                            let path = path.replace("{organization}", "keikaku");
                            let call = Call::new(&operation.method.to_uppercase(), path + query).by(OTHER);
                            let call = match bodies(operation, own, named).into_iter().nth(n) {
                                Some((kind, body)) => call.body(kind, body),
                                None => call,
                            };
                            let call = if operation.takes("Change-Reason") {
                                call.because("試験")
                            } else {
                                call
                            };
                            condition.map_or(call.clone(), |(name, value)| call.header(name, value))
                        }));
                    }
                }
            }
        }
    }
    asks
}

/// What of one's own a body of the operation names.
fn named_by<'a>(operation: &Operation<'_>, own: &'a Own) -> &'a str {
    match operation.path.split('/').nth(2) {
        Some("goals") => &own.policy,
        Some("budgets" | "indicators") => &own.goal,
        _ => &own.series,
    }
}
