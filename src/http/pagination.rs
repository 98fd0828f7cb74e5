//! Pages of a list: a limit, an order from a closed list, and a cursor that keeps its place during writes.
//!
//! A query asks for one row more than the page holds. If that row exists, the page has a next cursor.

use std::{borrow::Cow, collections::BTreeMap};

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::LoadQuery,
    sql_types::BigInt,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    IntoParams, IntoResponses, PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Ref, RefOr, Response, SchemaFormat, Type,
        path::{Parameter, ParameterIn},
        schema::{ArrayBuilder, ObjectBuilder, Schema},
    },
};

use super::{
    limits::MAX_LIMIT,
    query,
    query::{Fault, FromParams, Param, Params},
    respond::Answer,
};
use crate::{
    error::{Error, Result, Violation},
    value::{Codes, Id, language::Bilingual},
};

pub use groups::{GroupPaging, GroupSort};
pub use linked::{Continued, Linked};

mod groups;
mod linked;

/// Items on a page that does not say how many.
pub const DEFAULT_LIMIT: i64 = 50;
/// Usual numbers of items on a page are multiples of this.
const USUAL: i64 = 50;

/// Which part of a list, in which order `S`; `DEFAULT` items if the caller gives no limit.
#[derive(Debug, Clone)]
pub struct Paging<S, const DEFAULT: i64 = DEFAULT_LIMIT> {
    /// Items on the page.
    pub limit: i64,
    /// The order.
    pub sort: S,
    /// Whether to count all rows.
    pub include_total: bool,
    after: Option<Cursor>,
}

/// A place in a list: the last row seen, by the key of the order and its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(String, Value, Id);

impl<S: Codes + ToSchema, const DEFAULT: i64> FromParams for Paging<S, DEFAULT> {
    fn take(params: &mut Params) -> Option<Self> {
        let limit = Limit::<DEFAULT>::take(params);
        let text = params.take::<Option<CursorText>>("cursor");
        let sort = params.take::<Option<S>>("sort");
        let include_total = params.take::<bool>("include_total");
        let (limit, text, sort, include_total) = (limit?, text?, sort?, include_total?);
        let after = text.map(|CursorText(cursor)| cursor);
        let sort = sort.or_else(|| S::ALL.first().copied())?;
        if after
            .as_ref()
            .is_some_and(|Cursor(made_for, ..)| made_for != sort.code())
        {
            params.fault(
                "cursor",
                Fault::new(
                    "cursor",
                    Bilingual::new("カーソルは別の並び順のものです", "the cursor was made for another sort"),
                ),
            );
            return None;
        }
        Some(Self {
            limit,
            sort,
            include_total,
            after,
        })
    }
}

impl<S: Codes> Paging<S> {
    /// Whether the order is the usual one.
    pub(crate) fn is_usual(&self) -> bool {
        S::ALL.first().is_some_and(|usual| usual.code() == self.sort.code())
    }
}

impl<S, const DEFAULT: i64> Paging<S, DEFAULT> {
    /// Rows to ask the database for.
    #[must_use]
    pub const fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The next usual number of items: one statement serves several limits.
    #[must_use]
    pub const fn usual(&self) -> i64 {
        (self.limit + USUAL - 1) / USUAL * USUAL
    }

    /// Loads the rows of the page, and one row more.
    pub fn load<'q, Q, T>(&self, conn: &mut PgConnection, query: Q) -> Result<Vec<T>>
    where
        Limited<Q>: LoadQuery<'q, PgConnection, T>,
    {
        let rows = self.fetch();
        let usual = self.limit % USUAL == 0;
        Ok(Limited { query, rows, usual }.load(conn)?)
    }

    /// The key and id of the last row of the page before.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<(K, Id)>> {
        let Some(Cursor(_, key, id)) = &self.after else {
            return Ok(None);
        };
        match serde_json::from_value(key.clone()) {
            Ok(key) => Ok(Some((key, *id))),
            Err(_) => Err(Error::Malformed(vec![Violation::of("cursor", "cursor", unreadable())])),
        }
    }

    /// Counts all rows, if the caller asks for the total.
    pub fn total(
        &self,
        conn: &mut PgConnection,
        count: impl FnOnce(&mut PgConnection) -> Result<i64>,
    ) -> Result<Option<i64>> {
        self.include_total.then(|| count(conn)).transpose()
    }

    /// Cuts fetched rows to one page; `place` gives the key and id of a row in this order.
    pub fn cut<T, K: Serialize>(
        &self,
        mut items: Vec<T>,
        total: Option<i64>,
        place: impl Fn(&T) -> (K, Id),
    ) -> Result<Page<T>>
    where
        S: Codes,
    {
        let full = usize::try_from(self.limit).map_err(Error::internal)?;
        let more = items.len() > full;
        items.truncate(full);
        let last = items.last().filter(|_| more).map(place);
        let next_cursor = match last {
            None => None,
            Some((key, id)) => {
                let key = serde_json::to_value(key).map_err(Error::internal)?;
                let cursor =
                    serde_json::to_vec(&Cursor(self.sort.code().to_owned(), key, id)).map_err(Error::internal)?;
                Some(BASE64_URL_SAFE_NO_PAD.encode(cursor))
            }
        };
        Ok(Page {
            items,
            next_cursor,
            total,
        })
    }
}

/// A query for so many rows. Usual numbers are literals in the statement: with a bind parameter, PostgreSQL plans the
/// statement each time anew, and planning takes longer than finding so few rows.
#[derive(Debug, Clone)]
pub struct Limited<Q> {
    query: Q,
    rows: i64,
    usual: bool,
}

impl<Q> Limited<Q> {
    /// A query for so many rows, always as a literal.
    #[must_use]
    pub fn to(rows: i64, query: Q) -> Self {
        Self {
            query,
            rows,
            usual: true,
        }
    }
}

impl<Q: Query> Query for Limited<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<PgConnection> for Limited<Q> {}

impl<Q> QueryId for Limited<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Limited<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        if self.usual {
            out.push_sql(&self.rows.to_string());
            Ok(())
        } else {
            out.push_bind_param::<BigInt, _>(&self.rows)
        }
    }
}

/// Orders a boxed query by a column and the id, or by the id alone, and starts it after the cursor.
#[macro_export]
macro_rules! keyset {
    ($query:expr, $paging:expr, $id:expr) => {{
        let query = $query.order($id.asc());
        match $paging.after::<Id>()? {
            Some((_, id)) => query.filter($id.gt(id)),
            None => query,
        }
    }};
    ($query:expr, $paging:expr, $id:expr, asc $column:expr, $key:ty) => {{
        let query = $query.order(($column.asc(), $id.asc()));
        match $paging.after::<$key>()? {
            Some((key, id)) => query.filter($column.ge(key.clone()).and($column.gt(key).or($id.gt(id)))),
            None => query,
        }
    }};
    ($query:expr, $paging:expr, $id:expr, desc $column:expr, $key:ty) => {{
        let query = $query.order(($column.desc(), $id.asc()));
        match $paging.after::<$key>()? {
            Some((key, id)) => query.filter($column.le(key.clone()).and($column.lt(key).or($id.gt(id)))),
            None => query,
        }
    }};
}

/// How many items a page may have; `DEFAULT` if the caller gives no limit.
pub struct Limit<const DEFAULT: i64>(i64);

impl<const DEFAULT: i64> Limit<DEFAULT> {
    /// Takes the number of items on a page.
    pub fn take(params: &mut Params) -> Option<i64> {
        let most = params.most_items();
        let limit = params.take::<Option<Self>>("limit")?.map_or(DEFAULT, |Self(n)| n);
        if limit > most {
            params.fault("limit", not_within(most));
            return None;
        }
        Some(limit)
    }

    /// The documentation of the parameter in a set.
    #[must_use]
    pub fn document(set: &str) -> Parameter {
        query::document::<Option<Self>>(
            set,
            "limit",
            "Items on the page. More than the maximum, or than the service is set to give, is refused, not cut.",
        )
    }
}

fn not_within(most: i64) -> Fault {
    Fault::new(
        "limit",
        Bilingual::new(format!("1から{most}までにしてください"), format!("must be 1 to {most}")),
    )
}

impl<const DEFAULT: i64> Param for Limit<DEFAULT> {
    fn read(text: &str) -> Result<Self, Fault> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let limit = text.parse().ok().filter(|n| digits && (1..=MAX_LIMIT).contains(n));
        limit.map(Self).ok_or_else(|| not_within(MAX_LIMIT))
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT.into()))
            .into()
    }
}

struct CursorText(Cursor);

fn unreadable() -> Bilingual {
    Bilingual::new(
        "カーソルを読み取れません。一覧の next_cursor をそのまま渡してください",
        "is not a cursor; pass the next_cursor of a list as it is",
    )
}

impl Param for CursorText {
    fn read(text: &str) -> Result<Self, Fault> {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            // No key holds NUL, which the database cannot store.
            .filter(|Cursor(_, key, _)| !key.as_str().is_some_and(|text| text.contains('\0')))
            .map(Self)
            .ok_or_else(|| Fault::new("cursor", unreadable()))
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(2000))
            .into()
    }
}

impl<S: Codes + ToSchema, const DEFAULT: i64> IntoParams for Paging<S, DEFAULT> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let of_groups = if DEFAULT == DEFAULT_LIMIT { "" } else { "Group" };
        let sorted = S::NAME.trim_end_matches("_sort");
        vec![
            Limit::<DEFAULT>::document(of_groups),
            query::document::<Option<CursorText>>(
                "",
                "cursor",
                "Where the page starts: the `next_cursor` of the page before, with the same filters and sort.",
            ),
            query::document::<Option<S>>(sorted, "sort", "The order; the id breaks ties."),
            query::document::<bool>("", "include_total", "Whether to count all items that match."),
        ]
    }
}

/// Part of a list.
///
/// Responses name a page by an alias (`type GoalPage = Page<Goal>`): utoipa inlines generic
/// arguments (utoipa #1586), and the schema below refers to them instead.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// How many items match in all; null unless asked for.
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
            total: self.total,
        }
    }
}

impl<T: Serialize + Send + 'static> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        Linked(self).respond_to(req)
    }
}

impl<T: ToSchema> IntoResponses for Page<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        <Answer<Self> as IntoResponses>::responses()
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let nullable =
            |kind| ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::from_iter([kind, Type::Null]));
        ObjectBuilder::new()
            .description(Some("Part of a list."))
            .property(
                "items",
                ArrayBuilder::new()
                    .items(Ref::from_schema_name(T::name()))
                    .max_items(usize::try_from(MAX_LIMIT).ok()),
            )
            .required("items")
            .property(
                "next_cursor",
                nullable(Type::String)
                    .max_length(Some(2000))
                    .description(Some("Pass it as `cursor` for the next page; null on the last one.")),
            )
            .required("next_cursor")
            .property(
                "total",
                nullable(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some(0))
                    .description(Some("How many items match in all; null without `include_total=true`.")),
            )
            .required("total")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
