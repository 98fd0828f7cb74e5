//! The catalogue of the data, for open-data portals that harvest it: DCAT 3 as JSON-LD.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, get};
use diesel::{
    dsl::{max, min},
    prelude::*,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Header, Ref, RefOr, Response, Type, schema::ObjectBuilder},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::exports::{
    LICENSE,
    tables::{TABLES, Table},
};
use crate::{
    db::{
        Db, Read,
        schema::{budgets, indicators, policies, results},
    },
    domain::fiscal_year::{first_day, last_day},
    error::Result,
    http::{
        media_type::{CSV, JSON_LD, XLSX},
        public_address,
        query::NoQuery,
        respond::tagged,
    },
    value::{FiscalYear, Time},
};

/// Route of `/catalog`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_catalog);
}

/// The catalogue: a `dcat:Catalog` in JSON-LD, with the tables as datasets and their files as distributions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Catalog(pub Value);

/// Reads the catalogue.
///
/// What can be had, by DCAT 3 (W3C) as JSON-LD: each table as a dataset with the fiscal years it covers and when it last
/// changed, its files as distributions, and this interface as a data service. Addresses are absolute: the public one that the service
/// is set to have, or else the one under which the caller reached it.
#[utoipa::path(tag = "exports")]
#[get("/catalog")]
async fn read_catalog(req: HttpRequest, db: Db, _: NoQuery) -> Result<Catalog> {
    let base = public_address::base(&req);
    db.read(move |conn| catalog(conn, &base)).await.map(Catalog)
}

impl Responder for Catalog {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        tagged(req, HttpResponse::Ok(), JSON_LD, self.0.to_string().into_bytes())
    }
}

impl IntoResponses for Catalog {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = Response::builder()
            .description("The catalogue.")
            .content(JSON_LD, Content::new(Some(Ref::from_schema_name(Self::name()))))
            .header(
                "ETag",
                Header::new(ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000))),
            );
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}

fn catalog(conn: &mut Read<'_>, base: &str) -> Result<Value> {
    let years: (Option<FiscalYear>, Option<FiscalYear>) = policies::table
        .select((min(policies::fiscal_year), max(policies::fiscal_year)))
        .first(conn.conn)?;
    let indicators: Option<Time> = indicators::table.select(max(indicators::updated_at)).first(conn.conn)?;
    let results: Option<Time> = results::table.select(max(results::updated_at)).first(conn.conn)?;
    let budgets: Option<Time> = budgets::table.select(max(budgets::updated_at)).first(conn.conn)?;
    let modified = |table: &Table| match table.name {
        "indicators" => indicators,
        "results" => results,
        "budgets" => budgets,
        // Evaluations follow from both.
        _ => indicators.max(results),
    };
    let period = match years {
        (Some(first), Some(last)) => json!({
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": typed("xsd:date", &first_day(first).to_string()),
            "dcat:endDate": typed("xsd:date", &last_day(last).to_string()),
        }),
        _ => Value::Null,
    };
    let datasets = TABLES.map(|table| dataset(base, table, modified(table), &period));
    let service = format!("{base}/v1");
    let mut catalog = json!({
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": format!("{base}/v1/catalog"),
        "@type": "dcat:Catalog",
        "dct:title": in_both("大阪市運営方針", "Management policies of Osaka City"),
        "dct:description": in_both(
            "大阪市の各区・局の運営方針: 年度ごとの経営課題、予算、指標と目標、実績と達成状況",
            "What every ward and bureau of Osaka City promises for a fiscal year, and whether it kept it",
        ),
        "dct:publisher": publisher(),
        "dct:license": { "@id": LICENSE },
        "dct:language": { "@id": "http://publications.europa.eu/resource/authority/language/JPN" },
        "dcat:service": {
            "@id": service,
            "@type": "dcat:DataService",
            "dct:title": in_both("大阪市運営方針API", "ward-policy"),
            "dcat:endpointURL": { "@id": service },
            "dcat:endpointDescription": { "@id": format!("{base}/openapi.json") },
            "dcat:servesDataset": TABLES.map(|table| json!({ "@id": name(base, table) })),
        },
        "dcat:dataset": datasets,
    });
    let last = [indicators, results, budgets].into_iter().flatten().max();
    set(&mut catalog, "dct:modified", moment(last));
    Ok(catalog)
}

fn dataset(base: &str, table: &Table, modified: Option<Time>, period: &Value) -> Value {
    let [ja, en] = table.words;
    let mut dataset = json!({
        "@id": name(base, table),
        "@type": "dcat:Dataset",
        "dct:identifier": table.name,
        "dct:title": in_both(
            &format!("大阪市運営方針 {}", table.title),
            &format!("Management policies of Osaka City: {}", table.english),
        ),
        "dct:description": in_both(ja, en),
        "dct:publisher": publisher(),
        "dct:license": { "@id": LICENSE },
        "dct:language": { "@id": "http://publications.europa.eu/resource/authority/language/JPN" },
        "dct:spatial": { "@type": "dct:Location", "rdfs:label": in_both("大阪市", "Osaka City") },
        "dct:accrualPeriodicity": { "@id": "http://publications.europa.eu/resource/authority/frequency/CONT" },
        "dcat:theme": { "@id": "http://publications.europa.eu/resource/authority/data-theme/GOVE" },
        "dcat:keyword": [
            { "@value": "運営方針", "@language": "ja" },
            { "@value": table.title, "@language": "ja" },
            { "@value": table.english, "@language": "en" },
        ],
        "dcat:distribution": [
            distribution(base, table, "csv", Some(CSV)),
            distribution(base, table, "xlsx", Some(XLSX)),
            distribution(base, table, "ndjson", None),
        ],
    });
    set(&mut dataset, "dct:modified", moment(modified));
    set(&mut dataset, "dct:temporal", period.clone());
    dataset
}

/// A file of a table; `media_type` is one that IANA knows.
fn distribution(base: &str, table: &Table, format: &str, media_type: Option<&str>) -> Value {
    let address = format!("{base}/v1/exports/{}?format={format}", table.name);
    let called = format.to_uppercase();
    let mut distribution = json!({
        "@id": address,
        "@type": "dcat:Distribution",
        "dct:title": in_both(&called, &called),
        "dct:license": { "@id": LICENSE },
        "dct:format": { "@type": "dct:MediaTypeOrExtent", "rdfs:label": called },
        "dcat:accessURL": { "@id": address },
        "dcat:downloadURL": { "@id": address },
        "dcat:accessService": { "@id": format!("{base}/v1") },
    });
    let known =
        media_type.map(|known| json!({ "@id": format!("https://www.iana.org/assignments/media-types/{known}") }));
    set(&mut distribution, "dcat:mediaType", known.unwrap_or_default());
    distribution
}

/// The identifier of a dataset.
fn name(base: &str, table: &Table) -> String {
    format!("{base}/v1/catalog#{}", table.name)
}

fn publisher() -> Value {
    json!({
        "@id": "https://www.city.osaka.lg.jp/",
        "@type": "foaf:Agent",
        "foaf:name": in_both("大阪市", "Osaka City"),
    })
}

fn in_both(ja: &str, en: &str) -> Value {
    json!([{ "@value": ja, "@language": "ja" }, { "@value": en, "@language": "en" }])
}

fn typed(kind: &str, value: &str) -> Value {
    json!({ "@type": kind, "@value": value })
}

fn moment(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| typed("xsd:dateTime", &time.to_string()))
}

/// Adds a value, if it is known: a graph has no nulls.
fn set(object: &mut Value, key: &str, value: Value) {
    if let (Some(object), false) = (object.as_object_mut(), value.is_null()) {
        object.insert(key.to_owned(), value);
    }
}
