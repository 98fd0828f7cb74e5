//! The parts of the OpenAPI document that no handler states: its head, the problems, the merge patches.

use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Content, ObjectBuilder, OpenApi, Ref, RefOr, Required, Schema, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::value::{FiscalYear, Id, OrganizationKey};

mod examples;
mod headers;
mod layout;
mod links;
mod moved;
mod problems;
mod schemas;
mod shared;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "ward-policy",
        description = "大阪市の各区・局の運営方針: what every ward and bureau of Osaka City promises for a fiscal year, and whether it kept it.\n\n\
            Decimals are exact JSON numbers; what is not known is null with a reason, never 0. \
            In answers every key is there; in bodies a key whose value may be null may be left out. \
            Data: Osaka City (大阪市), each organization's 運営方針.\n\n\
            Every request may have these headers:\n\n\
            - `Authorization`: `Bearer` and a token. Public data needs none.\n\
            - `Accept-Language`: `ja` or `en`, the language of problems; Japanese by default.\n\
            - `X-Consistency-Token`, of a request that reads: what a write was answered with. The answer is at least as new, whichever \
            instance gives it.\n\
            - `X-Request-Id`: the id under which the request is logged; else a new one.\n\
            - `traceparent` and `tracestate`: the caller's trace (W3C Trace Context).\n\n\
            Every answer has these:\n\n\
            - `X-Request-Id`: the id under which the request was logged.\n\
            - `traceparent`: the request's span, in the caller's trace or in a new one.\n\
            - `Cache-Control`: whether to keep it. Public data is kept and asked for again with `If-None-Match`, drafts and what is \
            streamed are not.\n\
            - `RateLimit-Policy` and `RateLimit`, under `/v1/`: how much may be asked, and how much of it is left.",
        contact(name = "大阪市 (Osaka City)", url = "https://www.city.osaka.lg.jp/"),
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/", description = "The service that serves this document.")),
    tags(
        (name = "goals", description = "Goals a policy concentrates on (重点的に取り組む経営課題)."),
        (name = "budgets", description = "What goals cost (決算額・予算額)."),
        (name = "indicators", description = "Indicators with their targets (アウトカム指標・目標値)."),
        (name = "results", description = "What indicators came to (実績)."),
        (name = "evaluations", description = "Whether targets were met, with proof (達成状況)."),
        (name = "policies", description = "Management policies (運営方針): one organization, one fiscal year."),
        (name = "organizations", description = "Wards and bureaus (所属)."),
        (name = "series", description = "Indicators over the years: what changed, what turned, what does not fit (経年)."),
        (name = "coverage", description = "Who has published, and who is late (公表状況)."),
        (name = "revisions", description = "What was published, and publishing (公表・改訂履歴)."),
        (name = "changes", description = "What has changed, for those who keep a copy (変更履歴)."),
        (name = "exports", description = "Tables as files (CSV, XLSX, NDJSON)."),
        (name = "imports", description = "Files that become data, with a report of what they change."),
        (name = "codelists", description = "Every code with its labels."),
        (name = "scenarios", description = "What there is to see in invented data."),
        (name = "tokens", description = "Who may call, and what for."),
        (name = "audit", description = "Who did what, when, from which request."),
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
    layout::text(spec)
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
    for (path, item) in &mut spec.paths.paths {
        for (method, operation) in operations(item) {
            name_path(path, operation);
            open_reads(method, operation);
            problems::add(path, method, operation);
            headers::add(path, method, operation);
            moved::add(path, operation);
            problems::add(path, method, operation);
        }
    }
    schemas::complete(spec);
    examples::add(spec);
    links::add(spec);
    shared::share(spec);
}

/// The operations of a path, each with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The name of the schema that a content refers to.
fn schema_of(content: &RefOr<Content>) -> Option<&str> {
    match content {
        RefOr::T(content) => match &content.schema {
            Some(RefOr::Ref(to)) => to.ref_location.rsplit('/').next(),
            _ => None,
        },
        RefOr::Ref(_) => None,
    }
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
            .description(Some(words))
            .build(),
    )
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
