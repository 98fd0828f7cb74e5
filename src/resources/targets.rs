//! Reads targets as printed, and gives them back as this service understands them.

use actix_web::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    domain::{
        kinds::Direction,
        reading::{
            Parse, indicator,
            target::{self, ReadTarget},
        },
        target::{Comparator, Period, Reference, Target},
    },
    error::Result,
    http::{extract::Json, query::NoQuery, respond::Answer, validation::Rules},
    value::{Decimal, FiscalYear, Prose},
};

/// The route of reading.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(parse_target);
}

/// A target as printed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "text": "地域活動協議会を知っている区民アンケート回答者の割合：40%以上", "fiscal_year": 2024 }))]
pub struct TargetText {
    /// The target, alone or behind the indicator's name: 81.2%以上, 待ち時間10分以上の割合：5%以下.
    pub text: Prose<2000>,
    /// Fiscal year of the policy it is printed in: 4年度 and 前年度 are read against it.
    pub fiscal_year: FiscalYear,
}

impl Rules for TargetText {}

/// A printed target, as read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParsedTarget {
    /// How much of the text was understood.
    pub parse: Parse,
    /// The indicator's name, where one stands before the target.
    #[schema(max_length = 2000, example = "地域活動協議会を知っている区民アンケート回答者の割合")]
    pub name: Option<String>,
    /// Who is asked or counted, where the name says so.
    #[schema(max_length = 2000, example = "区民アンケート回答者")]
    pub population: Option<String>,
    /// The target, as an indicator takes it. Where the text is not understood whole, `unread` with the text.
    pub target: Target,
    /// How results would be compared, as far as the text was understood: for a person to confirm. Null where it says nothing of
    /// that.
    #[schema(required = true)]
    pub comparator: Option<Comparator>,
    /// The unit as printed; 割 is given as %.
    #[schema(max_length = 100, example = "%")]
    pub unit: Option<String>,
    /// Decimal places of the printed number.
    #[schema(minimum = 0, maximum = 9)]
    pub decimals: u32,
    /// Which way is better, as far as the target tells.
    pub direction: Direction,
    /// The number that was understood, even where it makes no target: 80 of a bare 80%.
    pub value: Option<Decimal>,
    /// What it refers to, likewise.
    pub reference: Reference,
    /// Over which time it is to be met, likewise.
    pub period: Period,
    /// The parts that were not understood, in one width, in their order.
    #[schema(max_items = 2000, max_length = 2000)]
    pub rest: Vec<String>,
    /// Where each part of `rest` stands in the text.
    #[schema(max_items = 2000)]
    pub rest_spans: Vec<TextSpan>,
}

/// A part of a text, in characters (Unicode scalar values) from its beginning.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextSpan {
    /// The first character of the part.
    #[schema(minimum = 0, maximum = 2000)]
    pub start: usize,
    /// The character after its last one.
    #[schema(minimum = 0, maximum = 2000)]
    pub end: usize,
}

/// Reads a target as printed.
///
/// For forms that people fill in, and for checking how wording will be read by an import: the same reader. What cannot be
/// read whole is `unread` (`parse` is `partial` or `unparsed`), with what was understood of it; nothing is guessed: a bare 80%
/// says neither at least nor at most. Stores nothing.
#[utoipa::path(tag = "indicators", security((), ("token" = [])))]
#[post("/targets/parse")]
async fn parse_target(_: NoQuery, Json(printed, _): Json<TargetText>) -> Result<Answer<ParsedTarget>> {
    let (text, year) = (&printed.text.0, printed.fiscal_year);
    let alone = target::read(text, year);
    if alone.parse == Parse::Full && alone.target.comparator != Comparator::Qualitative {
        return Ok(Answer(ParsedTarget::of(None, None, alone)));
    }
    let line = indicator::read(text, year);
    Ok(Answer(match line.target {
        // A line without a name is its own.
        Some(read) if read.target.text.as_ref().is_some_and(|text| text.0 == line.name) => {
            ParsedTarget::of(None, None, read)
        }
        Some(read) => ParsedTarget::of(Some(line.name), line.population, read),
        None => ParsedTarget::of(None, None, alone),
    }))
}

impl ParsedTarget {
    fn of(name: Option<String>, population: Option<String>, read: ReadTarget) -> Self {
        Self {
            parse: read.parse,
            name,
            population,
            target: read.target,
            comparator: read.comparator,
            unit: read.unit,
            decimals: read.decimals,
            direction: read.direction,
            value: read.value,
            reference: read.reference,
            period: read.period,
            rest: read.rest,
            rest_spans: read
                .rest_spans
                .into_iter()
                .map(|(start, end)| TextSpan { start, end })
                .collect(),
        }
    }
}
