//! Subqueries about the row that a statement reads. diesel has no words for the rows of a subquery as an array, and never keeps
//! a statement with SQL of somebody's own as prepared; the text of a subquery here never changes, so PostgreSQL plans its statement once.

use std::{marker::PhantomData, num::NonZeroU32, ops::Range};

use diesel::{
    AppearsOnTable, Expression, SelectableExpression,
    deserialize::{self, FromSql, FromSqlRow},
    dsl::SqlTypeOf,
    expression::{TypedExpressionType, ValidGrouping, is_aggregate},
    pg::{Pg, PgValue},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::{Field, PartialRow, Row, RowIndex, RowSealed},
    sql_types::{Array, Record, SqlType},
};

/// The text of a subquery. It may name the tables of the statement around it. The text follows from the type, so that diesel knows
/// a statement by its type alone and need not write it out to find it prepared.
pub trait Text: 'static {
    /// The text: of a value all of it, of rows what follows their columns, from `from` on.
    const TEXT: &'static str;
}

/// Names texts of subqueries.
#[macro_export]
macro_rules! subqueries {
    ($($(#[$about:meta])* $name:ident: $text:expr;)+) => {
        $($(#[$about])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::db::Text for $name {
            const TEXT: &'static str = $text;
        })+
    };
}

/// A subquery with one value of type `ST`.
#[derive(Debug, Clone, Copy)]
pub struct Subquery<ST, S>(PhantomData<(ST, S)>);

impl<ST, S: Text> Subquery<ST, S> {
    /// The subquery with this text.
    pub const VALUE: Self = Self(PhantomData);
}

/// The rows of a subquery, with the columns of `T`, as an array: [`NestedRows`].
pub struct RowsOf<T: Selectable<Pg>, S> {
    columns: T::SelectExpression,
    text: PhantomData<S>,
}

impl<T: Selectable<Pg>, S: Text> RowsOf<T, S> {
    /// The subquery with this text.
    #[must_use]
    pub fn all() -> Self {
        let (columns, text) = (T::construct_selection(), PhantomData);
        Self { columns, text }
    }
}

impl<ST: 'static + SqlType + TypedExpressionType, S> Expression for Subquery<ST, S> {
    type SqlType = ST;
}
impl<T: Selectable<Pg>, S> Expression for RowsOf<T, S>
where
    SqlTypeOf<T::SelectExpression>: 'static,
    Record<SqlTypeOf<T::SelectExpression>>: SqlType,
{
    type SqlType = Array<Record<SqlTypeOf<T::SelectExpression>>>;
}

impl<ST, S: Text> QueryFragment<Pg> for Subquery<ST, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        out.push_sql(S::TEXT);
        out.push_sql(")");
        Ok(())
    }
}
impl<T: Selectable<Pg, SelectExpression: QueryFragment<Pg>>, S: Text> QueryFragment<Pg> for RowsOf<T, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("array(select row(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(S::TEXT);
        out.push_sql(")");
        Ok(())
    }
}

impl<QS, ST, S> AppearsOnTable<QS> for Subquery<ST, S> where Self: Expression {}
impl<QS, ST, S> SelectableExpression<QS> for Subquery<ST, S> where Self: Expression {}
impl<QS, T: Selectable<Pg>, S> AppearsOnTable<QS> for RowsOf<T, S> where Self: Expression {}
impl<QS, T: Selectable<Pg>, S> SelectableExpression<QS> for RowsOf<T, S> where Self: Expression {}

impl<GB, ST, S> ValidGrouping<GB> for Subquery<ST, S> {
    type IsAggregate = is_aggregate::Never;
}
impl<GB, T: Selectable<Pg>, S> ValidGrouping<GB> for RowsOf<T, S> {
    type IsAggregate = is_aggregate::Never;
}

impl<ST: 'static, S: Text> QueryId for Subquery<ST, S> {
    type QueryId = Self;
}
impl<T: Selectable<Pg, SelectExpression: QueryId>, S: Text> QueryId for RowsOf<T, S> {
    type QueryId = (<T::SelectExpression as QueryId>::QueryId, PhantomData<S>);
    const HAS_STATIC_QUERY_ID: bool = <T::SelectExpression as QueryId>::HAS_STATIC_QUERY_ID;
}

/// The rows of [`RowsOf`], before they become a `Vec`.
#[derive(Debug, FromSqlRow)]
pub struct NestedRows<T>(Vec<Nested<T>>);

/// A row within a row.
#[derive(Debug)]
struct Nested<T>(T);

impl<ST, T> FromSql<Array<Record<ST>>, Pg> for NestedRows<T>
where
    ST: 'static,
    T: FromSqlRow<ST, Pg>,
{
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Vec<Nested<T>> as FromSql<Array<Record<ST>>, Pg>>::from_sql(value).map(Self)
    }
}

impl<T> From<NestedRows<T>> for Vec<T> {
    fn from(NestedRows(rows): NestedRows<T>) -> Self {
        rows.into_iter().map(|Nested(row)| row).collect()
    }
}

impl<ST, T: FromSqlRow<ST, Pg>> FromSql<Record<ST>, Pg> for Nested<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        T::build_from_row(&Columns::of(value.as_bytes())?).map(Self)
    }
}

/// The columns of a record, as PostgreSQL sends it: their number, then each one's type, length and bytes; the length -1 is null.
struct Columns<'a>(Vec<Column<'a>>);

struct Column<'a> {
    of_type: NonZeroU32,
    bytes: Option<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(bytes: &'a [u8]) -> deserialize::Result<Self> {
        let mut rest = Bytes(bytes);
        let number = rest.number()?;
        let mut columns = Vec::with_capacity(usize::try_from(number)?);
        for _ in 0..number {
            let of_type = NonZeroU32::try_from(rest.number()?.cast_unsigned())?;
            let bytes = match rest.number()? {
                -1 => None,
                length => Some(rest.take(usize::try_from(length)?)?),
            };
            columns.push(Column { of_type, bytes });
        }
        Ok(Self(columns))
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> deserialize::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("a record ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> deserialize::Result<i32> {
        let (number, rest) = self.0.split_first_chunk().ok_or("a record ends too early")?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*number))
    }
}

impl RowIndex<usize> for Columns<'_> {
    fn idx(&self, n: usize) -> Option<usize> {
        (n < self.0.len()).then_some(n)
    }
}

impl RowIndex<&str> for Columns<'_> {
    /// The columns of a record have no names.
    fn idx(&self, _: &str) -> Option<usize> {
        None
    }
}

impl RowSealed for Columns<'_> {}

impl<'a> Row<'a, Pg> for Columns<'a> {
    type Field<'f>
        = &'f Column<'a>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.0.len()
    }

    fn get<'b, I>(&'b self, n: I) -> Option<&'b Column<'a>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        self.0.get(self.idx(n)?)
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl<'f> Field<'f, Pg> for &'f Column<'_> {
    fn field_name(&self) -> Option<&str> {
        None
    }

    fn value(&self) -> Option<PgValue<'_>> {
        self.bytes.map(|bytes| PgValue::new(bytes, &self.of_type))
    }
}
