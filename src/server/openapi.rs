//! The parts of the OpenAPI document that no handler states: its head, the problems, the merge patches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Components, ObjectBuilder, OpenApi, Ref, RefOr, Required, Schema, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    http::problem::Problem,
    value::{FiscalYear, Id, OrganizationKey, forget_labels},
};

mod headers;
mod links;
mod moved;
mod problems;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "ward-policy",
        description = "大阪市の各区・局の運営方針: what every ward and bureau of Osaka City promises for a fiscal year, and whether it kept it.\n\n\
            Decimals are exact JSON numbers; what is not known is null with a reason, never 0. \
            In answers every key is there; in bodies a key whose value may be null may be left out. \
            Data: Osaka City (大阪市), each organization's 運営方針.",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/", description = "The service that serves this document.")),
    tags(
        (name = "organizations", description = "Wards and bureaus (所属)."),
        (name = "policies", description = "Management policies (運営方針): one organization, one fiscal year."),
        (name = "goals", description = "Goals a policy concentrates on (重点的に取り組む経営課題)."),
        (name = "budgets", description = "What goals cost (決算額・予算額)."),
        (name = "indicators", description = "Indicators with their targets (アウトカム指標・目標値)."),
        (name = "results", description = "What indicators came to (実績)."),
        (name = "evaluations", description = "Whether targets were met, with proof (達成状況)."),
        (name = "series", description = "Indicators over the years: what changed, what turned, what does not fit (経年)."),
        (name = "coverage", description = "Who has published, and who is late (公表状況)."),
        (name = "revisions", description = "What was published, and publishing (公表・改訂履歴)."),
        (name = "tokens", description = "Who may call, and what for."),
        (name = "audit", description = "Who did what, when, from which request."),
        (name = "changes", description = "What has changed, for those who keep a copy (変更履歴)."),
        (name = "exports", description = "Tables as files (CSV, XLSX, NDJSON)."),
        (name = "imports", description = "Files that become data, with a report of what they change."),
        (name = "codelists", description = "Every code with its labels."),
        (name = "health", description = "Whether the service is well."),
    ),
)]
struct Head;

/// Title, tags and shared components; paths are collected from the routes.
#[must_use]
pub fn head() -> OpenApi {
    Head::openapi()
}

/// The document as text.
#[must_use]
pub fn json(spec: &OpenApi) -> String {
    let mut text = spec.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Adds the schemas reachable from answers and patches, and to every operation its path parameters and its problems.
pub fn complete(spec: &mut OpenApi) {
    let mut schemas = Vec::new();
    crate::resources::schemas(&mut schemas);
    let components = spec.components.get_or_insert_default();
    components.schemas.extend(schemas);
    problems::describe(components);
    components.responses.extend([moved::describe()]);
    components.security_schemes.insert("token".to_owned(), token().into());
    let mut answered = BTreeSet::from([Problem::name().into_owned()]);
    let examples = examples();
    for (path, item) in &mut spec.paths.paths {
        for (method, operation) in [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ] {
            if let Some(operation) = operation {
                for parameter in operation.parameters.iter_mut().flatten() {
                    if let RefOr::T(parameter) = parameter {
                        parameter.schema.iter_mut().for_each(forget_labels);
                    }
                }
                name_path(path, operation);
                open_reads(method, operation);
                problems::add(path, method, operation);
                headers::add(path, method, operation);
                moved::add(path, operation);
                problems::add(path, method, operation);
                show(operation, &examples);
                refer(
                    &serde_json::to_value(&operation.responses).unwrap_or_default(),
                    &mut answered,
                );
            }
        }
    }
    require_every_key(components, answered);
    components.schemas.values_mut().for_each(lift_words);
    components.schemas.values_mut().for_each(forget_labels);
    links::add(spec);
}

/// Reads are open to everybody; a token shows its holder's drafts too. Other operations state what they need.
fn open_reads(method: &str, operation: &mut Operation) {
    if method == "get" && operation.security.is_none() {
        operation.security = Some(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new::<_, _, &str>("token", []),
        ]);
    }
}

/// How a token is sent.
fn token() -> SecurityScheme {
    let words = "A token, `wardpolicy_…`. Its scopes: `edit`, `publish` and `read_drafts`, each of one organization or of all \
                 (`edit:nishi`, `edit:*`), and `admin`. Who may edit or publish sees the drafts too; `admin` may do everything.";
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("wardpolicy")
            .description(Some(words))
            .build(),
    )
}

/// Answers of a service with the sample and two results, by schema; ids, times and cursors as they happened to be.
fn examples() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("openapi/examples.json")).unwrap_or_default()
}

/// Gives every success of an operation its example.
fn show(operation: &mut Operation, examples: &BTreeMap<String, Value>) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        for content in response.content.values_mut() {
            if let RefOr::T(content) = content
                && let Some(RefOr::Ref(schema)) = &content.schema
            {
                let name = schema.ref_location.rsplit('/').next().unwrap_or_default();
                content.example = examples.get(name).cloned();
            }
        }
    }
}

/// Moves the description of a property that may be null to the property: utoipa puts it on the alternative.
fn lift_words(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    for property in object.properties.values_mut() {
        let RefOr::T(Schema::OneOf(one)) = property else {
            continue;
        };
        let words = one.items.iter_mut().find_map(|item| match item {
            RefOr::Ref(to) if !to.description.is_empty() => Some(std::mem::take(&mut to.description)),
            _ => None,
        });
        one.description = one.description.take().or(words);
    }
}

/// Describes the variable parts of a path: utoipa finds only those a handler takes as a tuple, without descriptions.
fn name_path(path: &str, operation: &mut Operation) {
    let parts = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut named: Vec<Parameter> = parts
        .filter_map(|name| {
            let (schema, words): (RefOr<Schema>, _) = match name {
                "id" => (Ref::from_schema_name(Id::name()).into(), "The identifier."),
                "organization" => (
                    Ref::from_schema_name(OrganizationKey::name()).into(),
                    "The organization, by its slug or its municipality code.",
                ),
                "fiscal_year" => (
                    Ref::from_schema_name(FiscalYear::name()).into(),
                    "The fiscal year, as its Gregorian year.",
                ),
                "series_id" => (
                    Ref::from_schema_name(Id::name()).into(),
                    "The series: what every indicator in it has as `series_id`.",
                ),
                "number" => (
                    ObjectBuilder::new()
                        .schema_type(Type::Integer)
                        .minimum(Some(1))
                        .maximum(Some(1_000_000))
                        .into(),
                    "The number of the revision.",
                ),
                _ => return None,
            };
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(words))
                .schema(Some(schema));
            Some(parameter.build())
        })
        .collect();
    let others = operation.parameters.take().into_iter().flatten();
    let known = |p: &RefOr<Parameter>| matches!(p, RefOr::T(p) if named.iter().any(|n| n.name == p.name));
    let others: Vec<_> = others.filter(|p| !known(p)).collect();
    let all: Vec<_> = named.drain(..).map(RefOr::T).chain(others).collect();
    operation.parameters = (!all.is_empty()).then_some(all);
}

/// The names of the schemas a part of the document refers to.
fn refer(part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(to) if key == "$ref" => {
                        names.extend(to.rsplit('/').next().map(str::to_owned));
                    }
                    value => refer(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| refer(item, names)),
        _ => {}
    }
}

/// Every key of an answer is always there, even if null; utoipa takes keys that may be null for optional.
fn require_every_key(components: &mut Components, answered: BTreeSet<String>) {
    let mut todo: Vec<String> = answered.into_iter().collect();
    let mut done = BTreeSet::new();
    while let Some(name) = todo.pop() {
        let Some(schema) = components.schemas.get_mut(&name).filter(|_| !done.contains(&name)) else {
            continue;
        };
        let mut below = BTreeSet::new();
        refer(&serde_json::to_value(&*schema).unwrap_or_default(), &mut below);
        todo.extend(below);
        if let RefOr::T(Schema::Object(object)) = schema {
            object.required = object.properties.keys().cloned().collect();
        }
        done.insert(name);
    }
}
