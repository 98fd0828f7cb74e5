//! Query parameters: a closed list for every operation, and all mistakes reported at once.
//!
//! [`query!`](crate::query!) declares a parameter once: name, type and words. Its type reads, checks and documents it.

use std::{
    collections::BTreeMap,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use percent_encoding::percent_decode_str;
use utoipa::openapi::{
    RefOr, Required,
    extensions::ExtensionsBuilder,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::Schema,
};

use super::limits::limits;
use crate::{
    error::{Error, MOST_SUGGESTIONS, Result, Violation, nearest, shortened},
    value::language::Bilingual,
};

pub use values::{AnyOf, On, SearchText, Years};

mod values;

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

    /// The fault, with what may have been meant.
    #[must_use]
    pub fn suggesting(self, suggestion: Option<String>) -> Self {
        Self { suggestion, ..self }
    }
}

/// One value of a parameter.
pub trait Param: Sized {
    /// Reads a value from its text.
    fn read(text: &str) -> Result<Self, Fault>;
    /// The schema of a value.
    fn schema() -> RefOr<Schema>;
}

/// All that a request says of one parameter.
pub trait Field: Sized {
    /// Whether it is a list: given several times, it is the list of all.
    const IS_LIST: bool = false;
    /// Reads the parameter from its text, or from its absence.
    fn read(text: Option<&str>) -> Result<Self, Fault>;
    /// Adds the schema to the parameter's documentation, which has name and words already.
    fn document(parameter: ParameterBuilder) -> ParameterBuilder;
}

/// The parameters of one request, as given.
pub struct Params {
    most_items: i64,
    given: BTreeMap<String, Vec<String>>,
    known: Vec<&'static str>,
    faults: Vec<Violation>,
}

impl Params {
    #[expect(clippy::disallowed_types, reason = "the one place that wraps actix's own")]
    fn of(query: &str, most_items: i64) -> Self {
        let mut params = Self {
            most_items,
            given: BTreeMap::new(),
            known: Vec::new(),
            faults: Vec::new(),
        };
        // A pair that decodes to invalid UTF-8 would be read as another text.
        for pair in query
            .split('&')
            .filter(|pair| percent_decode_str(pair).decode_utf8().is_err())
        {
            let name = pair.split('=').next().unwrap_or_default();
            let name = percent_decode_str(name).decode_utf8().unwrap_or_default();
            params.fault(
                &name,
                Fault::new(
                    "encoding",
                    Bilingual::new("UTF-8をパーセント符号化してください", "must be UTF-8, percent-encoded"),
                ),
            );
        }
        if !params.faults.is_empty() {
            return params;
        }
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
                    params.given.entry(name).or_default().push(value);
                }
            }
        }
        params
    }

    /// Most items on a page.
    #[must_use]
    pub const fn most_items(&self) -> i64 {
        self.most_items
    }

    /// Takes one parameter.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Option<T> {
        let name = plain(name);
        self.known.push(name);
        let given = self.given.remove(name);
        if !T::IS_LIST && given.as_ref().is_some_and(|given| given.len() > 1) {
            let detail = Bilingual::new(
                "一つの値だけを取るパラメーターです。一度だけ指定してください",
                "takes one value: it must be given once",
            );
            self.fault(name, Fault::new("repeated", detail));
            return None;
        }
        let text = given.map(|given| given.join(","));
        match T::read(text.as_deref()) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(name, fault);
                None
            }
        }
    }

    /// Records a fault of a parameter.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        self.faults
            .push(Violation::of(name, fault.code, fault.detail).suggesting(fault.suggestion));
    }

    /// Fails with all faults, unknown parameters included.
    fn finish(mut self) -> Result<()> {
        for (n, name) in self.given.keys().enumerate() {
            let shown = shortened(name);
            let detail = Bilingual::new(
                format!("「{shown}」というパラメーターはありません"),
                format!("there is no parameter named {shown}"),
            );
            let meant = (n < MOST_SUGGESTIONS).then(|| nearest(name, self.known.iter().copied()));
            self.faults
                .push(Violation::of(shown, "unknown_parameter", detail).suggesting(meant.flatten()));
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Malformed(self.faults))
        }
    }
}

/// A set of parameters that can be read from the query string; several sets are read together as a tuple.
pub trait FromParams: Sized {
    /// Takes the parameters of the set; `None` if any of them is wrong.
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

impl<A: FromParams, B: FromParams, C: FromParams, D: FromParams> FromParams for (A, B, C, D) {
    fn take(params: &mut Params) -> Option<Self> {
        let (a, b, c, d) = (A::take(params), B::take(params), C::take(params), D::take(params));
        Some((a?, b?, c?, d?))
    }
}

impl<A: FromParams, B: FromParams, C: FromParams, D: FromParams, E: FromParams> FromParams for (A, B, C, D, E) {
    fn take(params: &mut Params) -> Option<Self> {
        let (first, last) = (<(A, B, C, D)>::take(params), E::take(params));
        let (a, b, c, d) = first?;
        Some((a, b, c, d, last?))
    }
}

/// The query string, read as a whole: a parameter that `T` does not know is refused.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: FromParams> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut params = Params::of(req.query_string(), limits(req).page_items);
        let value = T::take(&mut params);
        ready(params.finish().and_then(|()| {
            value
                .map(Self)
                .ok_or_else(|| Error::internal("a parameter failed without a fault"))
        }))
    }
}

/// The name of a parameter; one that is a keyword of Rust is declared as `r#name`.
fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The extension by which a parameter says in which set it is declared: in the document, parameters that share a name are
/// told apart by it.
pub const SET: &str = "x-set";

/// Documents one parameter of a set.
#[must_use]
pub fn document<T: Field>(set: &str, name: &str, words: &str) -> Parameter {
    T::document(
        ParameterBuilder::new()
            .name(plain(name))
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(words.trim()))
            .extensions(Some(ExtensionsBuilder::new().add(SET, set).build())),
    )
    .build()
}

/// Declares a set of query parameters once: the struct, its reader and its documentation.
#[macro_export]
macro_rules! query {
    ($(#[doc = $doc:literal])+ pub struct $name:ident { $($(#[doc = $words:literal])+ pub $field:ident: $type:ty,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default)]
        pub struct $name { $($(#[doc = $words])+ pub $field: $type,)+ }

        impl $crate::http::query::FromParams for $name {
            fn take(params: &mut $crate::http::query::Params) -> Option<Self> {
                $(let $field = params.take(stringify!($field));)+
                Some(Self { $($field: $field?,)+ })
            }
        }
        impl utoipa::IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$($crate::http::query::document::<$type>(stringify!($name), stringify!($field), concat!($($words),+))),+]
            }
        }
    };
}

/// No parameters: an operation that takes none refuses all.
#[derive(Debug)]
pub struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Query::<()>::from_request(req, payload).into_inner().map(|_| Self))
    }
}
