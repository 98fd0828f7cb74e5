//! Which columns of a table a file has.

use std::{collections::HashSet, marker::PhantomData};

use utoipa::openapi::{
    Type,
    path::{ParameterBuilder, ParameterStyle},
    schema::{ArrayBuilder, ObjectBuilder},
};

use super::tables::{BUDGETS, EVALUATIONS, INDICATORS, RESULTS};
use crate::{
    error::nearest,
    http::query::{Fault, Field},
    query,
    sheet::Column,
    value::language::Bilingual,
};

/// A table, as a type.
pub trait OfTable {
    /// All of its columns.
    fn columns() -> &'static [Column];
}

/// Declares the parameter `columns` of a table.
macro_rules! columns_of {
    ($($table:ident, $marker:ident, $params:ident;)+) => { $(
        /// The table, as a type.
        #[derive(Debug, Clone, Default)]
        pub struct $marker;

        impl OfTable for $marker {
            fn columns() -> &'static [Column] {
                $table.columns
            }
        }

        query! {
            /// Which columns the file has.
            pub struct $params {
                /// The columns of the file, by their codes, in this order; all of them by default. The notes of a workbook, and the
                /// licence in the header `Link`, stay whichever they are.
                pub columns: Columns<$marker>,
            }
        }
    )+ };
}
columns_of! {
    INDICATORS, OfIndicators, IndicatorColumns;
    RESULTS, OfResults, ResultColumns;
    BUDGETS, OfBudgets, BudgetColumns;
    EVALUATIONS, OfEvaluations, EvaluationColumns;
}

/// The columns that are asked for, by their places in the table; none if the parameter is absent.
#[derive(Debug, Clone)]
pub struct Columns<T> {
    /// Their places.
    pub places: Option<Vec<usize>>,
    table: PhantomData<T>,
}

impl<T> Default for Columns<T> {
    fn default() -> Self {
        Self {
            places: None,
            table: PhantomData,
        }
    }
}

fn codes<T: OfTable>() -> impl Iterator<Item = &'static str> {
    T::columns().iter().map(|(code, _)| *code)
}

impl<T: OfTable> Field for Columns<T> {
    const IS_LIST: bool = true;

    fn read(text: Option<&str>) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self::default()) };
        let mut seen = HashSet::new();
        let mut places = Vec::new();
        for asked in text.split(',').map(str::trim) {
            let Some(place) = codes::<T>().position(|code| code == asked) else {
                let list = codes::<T>().collect::<Vec<_>>().join(", ");
                let detail = Bilingual::new(
                    format!("次のいずれかにしてください: {list}"),
                    format!("must be one of: {list}"),
                );
                return Err(Fault::new("unknown_code", detail).suggesting(nearest(asked, codes::<T>())));
            };
            if !seen.insert(place) {
                let detail = Bilingual::new("同じ列が二度あります", "names a column twice");
                return Err(Fault::new("repeated", detail));
            }
            places.push(place);
        }
        Ok(Self {
            places: Some(places),
            table: PhantomData,
        })
    }

    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        let code = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(codes::<T>()));
        let most = T::columns().len();
        parameter
            .style(Some(ParameterStyle::Form))
            .explode(Some(false))
            .schema(Some(ArrayBuilder::new().items(code).max_items(Some(most))))
    }
}
