//! Query parameters: a closed list for every operation, every mistake reported at once.
//!
//! A parameter is declared once, in [`query!`](crate::query!): name, type and documentation. Its type reads, checks and documents it.

use std::collections::BTreeMap;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::NaiveDate;
use std::future::{Ready, ready};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
        schema::{ArrayBuilder, ObjectBuilder, Schema},
    },
};

use crate::{
    domain::fiscal_year,
    error::{Error, Result, Violation, nearest},
    language::Bilingual,
    value::{Codes, FiscalYear, Id, today},
};

/// Most values one parameter may list.
const MAX_VALUES: usize = 200;

/// Why a parameter cannot be read.
pub struct Fault {
    code: &'static str,
    detail: Bilingual,
    suggestion: Option<String>,
}

impl Fault {
    /// A fault with this code and sentence.
    #[must_use]
    pub fn new(code: &'static str, detail: Bilingual) -> Self {
        Self {
            code,
            detail,
            suggestion: None,
        }
    }
}

/// One value of a parameter.
pub trait Param: Sized {
    /// Reads it from its text.
    fn read(text: &str) -> Result<Self, Fault>;
    /// Its schema.
    fn schema() -> RefOr<Schema>;
}

/// All a request says of one parameter.
pub trait Field: Sized {
    /// Reads it from its text, or from its absence.
    fn read(text: Option<&str>) -> Result<Self, Fault>;
    /// Its documentation, but for name and words.
    fn document(parameter: ParameterBuilder) -> ParameterBuilder;
}

impl<T: Param> Field for Option<T> {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map(T::read).transpose()
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        parameter.schema(Some(T::schema()))
    }
}

/// Any of several values, separated by commas; empty where the parameter is absent.
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
impl Field for bool {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        match text {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Fault::new(
                "type",
                Bilingual::new("true か false にしてください", "must be true or false"),
            )),
        }
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
            let codes = || T::ALL.iter().map(|code| code.code());
            let list = codes().collect::<Vec<_>>().join(", ");
            Fault {
                code: "unknown_code",
                detail: Bilingual::new(
                    format!("次のいずれかにしてください: {list}"),
                    format!("must be one of: {list}"),
                ),
                suggestion: nearest(text, codes()),
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
param_from_str!(Id, crate::value::OrganizationKey, crate::value::GoalCode);

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
            .filter(|date| date.to_string() == text);
        date.ok_or_else(wrong)
    }
    fn schema() -> RefOr<Schema> {
        <crate::value::Date as PartialSchema>::schema()
    }
}

/// The date to judge by; today in Japan where the parameter is absent.
#[derive(Debug, Clone, Copy)]
pub struct On(pub NaiveDate);

impl Default for On {
    fn default() -> Self {
        Self(today())
    }
}

impl Field for On {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        text.map_or_else(|| Ok(Self::default()), |text| NaiveDate::read(text).map(Self))
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        parameter.schema(Some(NaiveDate::schema()))
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
        Ok(Self(text.to_owned()))
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

/// The parameters of one request, as given.
pub struct Params {
    given: BTreeMap<String, String>,
    known: Vec<&'static str>,
    faults: Vec<Violation>,
}

impl Params {
    #[expect(clippy::disallowed_types, reason = "the one place that wraps actix's own")]
    fn of(query: &str) -> Self {
        let mut params = Self {
            given: BTreeMap::new(),
            known: Vec::new(),
            faults: Vec::new(),
        };
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query).map(web::Query::into_inner);
        match pairs {
            Err(_) => params.fault(
                "",
                Fault::new(
                    "encoding",
                    Bilingual::new("クエリを読み取れません", "the query string cannot be read"),
                ),
            ),
            Ok(pairs) => {
                for (name, value) in pairs {
                    if params.given.insert(name.clone(), value).is_some() {
                        params.fault(
                            &name,
                            Fault::new(
                                "repeated",
                                Bilingual::new(
                                    "一度だけ指定してください",
                                    "must be given once; separate values with commas",
                                ),
                            ),
                        );
                    }
                }
            }
        }
        params
    }

    /// Takes one parameter.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        match T::read(self.given.remove(name).as_deref()) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(name, fault);
                None
            }
        }
    }

    /// Records what is wrong with a parameter.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        self.faults
            .push(Violation::of(name, fault.code, fault.detail).suggesting(fault.suggestion));
    }

    /// Fails with everything that is wrong, parameters nobody asked for included.
    fn finish(mut self) -> Result<()> {
        for name in self.given.keys() {
            let detail = Bilingual::new(
                format!("「{name}」というパラメーターはありません"),
                format!("there is no parameter named {name}"),
            );
            self.faults.push(
                Violation::of(name, "unknown_parameter", detail).suggesting(nearest(name, self.known.iter().copied())),
            );
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Malformed(self.faults))
        }
    }
}

/// What can be read from the query string; several read together as a tuple.
pub trait FromParams: Sized {
    /// Takes its parameters; nothing if any of them is wrong.
    fn take(params: &mut Params) -> Option<Self>;
}

impl FromParams for () {
    fn take(_: &mut Params) -> Option<Self> {
        Some(())
    }
}

impl<A: FromParams, B: FromParams> FromParams for (A, B) {
    fn take(params: &mut Params) -> Option<Self> {
        let (a, b) = (A::take(params), B::take(params));
        Some((a?, b?))
    }
}

impl<A: FromParams, B: FromParams, C: FromParams> FromParams for (A, B, C) {
    fn take(params: &mut Params) -> Option<Self> {
        let (a, b, c) = (A::take(params), B::take(params), C::take(params));
        Some((a?, b?, c?))
    }
}

/// The query string, read as a whole: a parameter that `T` does not know is refused.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: FromParams> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut params = Params::of(req.query_string());
        let value = T::take(&mut params);
        ready(params.finish().and_then(|()| {
            value
                .map(Self)
                .ok_or_else(|| Error::internal("a parameter failed without a fault"))
        }))
    }
}

/// Documents one parameter.
#[must_use]
pub fn document<T: Field>(name: &str, words: &str) -> Parameter {
    T::document(
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(words.trim())),
    )
    .build()
}

/// Declares a set of query parameters once: the struct, how it is read, and its documentation.
#[macro_export]
macro_rules! query {
    ($(#[doc = $doc:literal])+ pub struct $name:ident { $($(#[doc = $words:literal])+ pub $field:ident: $type:ty,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default)]
        pub struct $name { $($(#[doc = $words])+ pub $field: $type,)+ }

        impl $crate::query::FromParams for $name {
            fn take(params: &mut $crate::query::Params) -> Option<Self> {
                $(let $field = params.take(stringify!($field));)+
                Some(Self { $($field: $field?,)+ })
            }
        }
        impl utoipa::IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$($crate::query::document::<$type>(stringify!($field), concat!($($words),+))),+]
            }
        }
    };
}

/// Nothing: an operation that takes no parameters refuses all.
#[derive(Debug)]
pub struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Query::<()>::from_request(req, payload).into_inner().map(|_| Self))
    }
}
