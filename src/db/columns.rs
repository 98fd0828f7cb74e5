//! Columns whose text is written once. diesel writes the statement of a boxed query anew each time, and its columns are most of it.

use std::{
    any::TypeId,
    collections::HashMap,
    marker::PhantomData,
    sync::{PoisonError, RwLock},
};

use diesel::{
    AppearsOnTable, Expression, SelectableExpression,
    dsl::SqlTypeOf,
    expression::ValidGrouping,
    pg::{Pg, PgQueryBuilder},
    prelude::*,
    query_builder::{AstPass, QueryBuilder as _, QueryFragment, QueryId},
};

/// The columns of `T`, which have no bind parameters.
pub struct WrittenColumns<T>(PhantomData<T>);

impl<T: Selectable<Pg>> WrittenColumns<T> {
    /// The columns.
    #[must_use]
    pub const fn all() -> Self {
        Self(PhantomData)
    }
}

/// The texts that were written so far, by the types whose columns they are.
static TEXTS: RwLock<Option<HashMap<TypeId, &'static str>>> = RwLock::new(None);

/// The text of the columns of `T`; it is kept for ever, as the program has so many types and no more.
fn text<T: 'static + Selectable<Pg, SelectExpression: QueryFragment<Pg>>>() -> QueryResult<&'static str> {
    let of = TypeId::of::<T>();
    let texts = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = texts.as_ref().and_then(|texts| texts.get(&of)) {
        return Ok(text);
    }
    drop(texts);
    let mut written = PgQueryBuilder::default();
    T::construct_selection().to_sql(&mut written, &Pg)?;
    let text = written.finish().leak();
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    Ok(texts.get_or_insert_default().entry(of).or_insert(text))
}

impl<T: Selectable<Pg>> Expression for WrittenColumns<T>
where
    T::SelectExpression: Expression,
{
    type SqlType = SqlTypeOf<T::SelectExpression>;
}

impl<T: 'static + Selectable<Pg, SelectExpression: QueryFragment<Pg>>> QueryFragment<Pg> for WrittenColumns<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(text::<T>()?);
        Ok(())
    }
}

impl<QS, T: Selectable<Pg>> AppearsOnTable<QS> for WrittenColumns<T>
where
    T::SelectExpression: AppearsOnTable<QS>,
    Self: Expression,
{
}
impl<QS, T: Selectable<Pg>> SelectableExpression<QS> for WrittenColumns<T>
where
    T::SelectExpression: SelectableExpression<QS>,
    Self: AppearsOnTable<QS>,
{
}

impl<GB, T: Selectable<Pg>> ValidGrouping<GB> for WrittenColumns<T>
where
    T::SelectExpression: ValidGrouping<GB>,
{
    type IsAggregate = <T::SelectExpression as ValidGrouping<GB>>::IsAggregate;
}

impl<T: Selectable<Pg>> QueryId for WrittenColumns<T>
where
    T::SelectExpression: QueryId,
{
    type QueryId = <T::SelectExpression as QueryId>::QueryId;
    const HAS_STATIC_QUERY_ID: bool = <T::SelectExpression as QueryId>::HAS_STATIC_QUERY_ID;
}
