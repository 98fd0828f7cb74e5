//! The kinds of values that parameters take.

use chrono::{Datelike, NaiveDate};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Type,
        path::{ParameterBuilder, ParameterStyle},
        schema::{ArrayBuilder, ObjectBuilder, Schema},
    },
};

use super::{Fault, Field, Param};
use crate::{
    domain::fiscal_year,
    http::validation::{meant, one_of},
    value::{Codes, FiscalYear, GoalCode, Id, OrganizationKey, Time, composed, language::Bilingual},
};

/// Most values one parameter may list.
const MAX_VALUES: usize = 200;

impl<T: Param> Field for Option<T> {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map(T::read).transpose()
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        parameter.schema(Some(T::schema()))
    }
}

/// Any of several values, separated by commas or given by the parameter several times; empty if the parameter is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyOf<T>(pub Vec<T>);

impl<T> Default for AnyOf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> AnyOf<T> {
    /// The values, unless the parameter is absent.
    #[must_use]
    pub fn some(&self) -> Option<&[T]> {
        (!self.0.is_empty()).then_some(self.0.as_slice())
    }
}

impl<T: Param> Field for AnyOf<T> {
    const IS_LIST: bool = true;

    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map_or(Ok(Self::default()), |text| {
            listed(text)?.map(T::read).collect::<Result<_, _>>().map(Self)
        })
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        list_of(parameter, T::schema())
    }
}

/// Fiscal years: `2024`, `R6`, `令和6`, ranges (`2022..2024`) and lists of these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Years(pub Vec<FiscalYear>);

impl Years {
    /// The years, unless the parameter is absent.
    #[must_use]
    pub fn some(&self) -> Option<&[FiscalYear]> {
        (!self.0.is_empty()).then_some(self.0.as_slice())
    }

    /// Whether a row of this year is asked for.
    #[must_use]
    pub fn hold(&self, year: FiscalYear) -> bool {
        self.0.is_empty() || self.0.contains(&year)
    }
}

impl FromIterator<FiscalYear> for Years {
    fn from_iter<I: IntoIterator<Item = FiscalYear>>(years: I) -> Self {
        Self(years.into_iter().collect())
    }
}

impl Field for Years {
    const IS_LIST: bool = true;

    fn read(text: Option<&str>) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self::default()) };
        let mut years = Vec::new();
        for part in listed(text)? {
            let (from, to) = part.split_once("..").unwrap_or((part, part));
            let (from, to) = (FiscalYear::read(from)?, FiscalYear::read(to)?);
            if from > to {
                return Err(Fault::new(
                    "range",
                    Bilingual::new(
                        format!("範囲 {part} が逆です"),
                        format!("the range {part} runs backwards"),
                    ),
                ));
            }
            years.extend((from.get()..=to.get()).filter_map(FiscalYear::new));
        }
        years.sort_unstable();
        years.dedup();
        Ok(Self(years))
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        let year = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(30))
            .description(Some("A fiscal year or a range: 2024, R6, 令和6, 2022..2024."))
            .examples([serde_json::json!("2024")]);
        list_of(parameter, year.into())
    }
}

fn listed(text: &str) -> Result<impl Iterator<Item = &str>, Fault> {
    let values = text.split(',').count();
    if values > MAX_VALUES {
        return Err(Fault::new(
            "too_many",
            Bilingual::new(
                format!("値は{MAX_VALUES}個までです"),
                format!("at most {MAX_VALUES} values"),
            ),
        ));
    }
    Ok(text.split(',').map(str::trim))
}

fn list_of(parameter: ParameterBuilder, item: RefOr<Schema>) -> ParameterBuilder {
    parameter
        .style(Some(ParameterStyle::Form))
        .explode(Some(false))
        .schema(Some(ArrayBuilder::new().items(item).max_items(Some(MAX_VALUES))))
}

/// `true` or `false`.
impl Param for bool {
    fn read(text: &str) -> Result<Self, Fault> {
        text.parse().map_err(|_error| {
            Fault::new(
                "type",
                Bilingual::new("true か false にしてください", "must be true or false"),
            )
        })
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

/// `true` or `false`, which it is if the parameter is absent.
impl Field for bool {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map_or(Ok(false), <Self as Param>::read)
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        parameter.schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .default(Some(false.into())),
        ))
    }
}

impl<T: Codes + ToSchema> Param for T {
    fn read(text: &str) -> Result<Self, Fault> {
        T::from_code(text).ok_or_else(|| {
            let codes = T::labels();
            Fault {
                code: "unknown_code",
                detail: one_of(&codes),
                suggestion: meant(text, &codes),
            }
        })
    }
    fn schema() -> RefOr<Schema> {
        <T as PartialSchema>::schema()
    }
}

/// Types that read themselves with `FromStr`, and fail with a sentence.
macro_rules! param_from_str {
    ($($name:ty),+) => { $(
        impl Param for $name {
            fn read(text: &str) -> Result<Self, Fault> {
                text.parse().map_err(|detail| Fault::new("format", detail))
            }
            fn schema() -> RefOr<Schema> {
                <$name as PartialSchema>::schema()
            }
        }
    )+ };
}
param_from_str!(Id, OrganizationKey, GoalCode);

impl Param for FiscalYear {
    fn read(text: &str) -> Result<Self, Fault> {
        fiscal_year::parse(text, None).map_err(|detail| Fault::new("fiscal_year", detail))
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(10))
            .description(Some("A fiscal year: 2024, R6 or 令和6."))
            .examples([serde_json::json!("2024")])
            .into()
    }
}

impl Param for NaiveDate {
    fn read(text: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::new(
                "date",
                Bilingual::new("YYYY-MM-DD の日付にしてください", "must be a date, YYYY-MM-DD"),
            )
        };
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|date| date.to_string() == text && (1900..2200).contains(&date.year()));
        date.ok_or_else(wrong)
    }
    fn schema() -> RefOr<Schema> {
        <crate::value::Date as PartialSchema>::schema()
    }
}

/// The evaluation date, if the parameter gives one.
#[derive(Debug, Clone, Copy, Default)]
pub struct On(pub Option<NaiveDate>);

impl On {
    /// The date given, else the day of the data that is read.
    #[must_use]
    pub fn or(self, day: NaiveDate) -> NaiveDate {
        self.0.unwrap_or(day)
    }
}

impl Field for On {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map(NaiveDate::read).transpose().map(Self)
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        parameter.schema(Some(NaiveDate::schema()))
    }
}

impl Param for Time {
    fn read(text: &str) -> Result<Self, Fault> {
        Self::read(text).ok_or_else(|| {
            Fault::new(
                "time",
                Bilingual::new(
                    "2024-04-01T09:00:00+09:00 の形の日時（+ は %2B）にしてください",
                    "must be a moment like 2024-04-01T09:00:00+09:00 (the + as %2B)",
                ),
            )
        })
    }
    fn schema() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }
}

/// Text to search for, 1 to 100 characters.
#[derive(Debug, Clone)]
pub struct SearchText(pub String);

impl Param for SearchText {
    fn read(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
            return Err(Fault::new(
                "text",
                Bilingual::new(
                    "1文字から100文字までの語にしてください",
                    "must be 1 to 100 characters, none of them control characters",
                ),
            ));
        }
        Ok(Self(composed(text).into_owned()))
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(100))
            .examples([serde_json::json!("区民アンケート")])
            .into()
    }
}
