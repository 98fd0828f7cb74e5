//! Narrowing a list to what its filters name.

/// Narrows a boxed query to rows whose column has any of a parameter's values, or to rows of the organizations it
/// names; without values, not at all. A single value is compared by `=`: PostgreSQL then knows how few rows that may
/// be, and keeps its plan.
#[macro_export]
macro_rules! narrow {
    ($query:ident, organization in $keys:expr) => {
        if let Some(keys) = $keys.some() {
            $query = match keys {
                [one] => $query.filter($crate::resources::organizations::is(one.as_str())),
                several => $query.filter($crate::resources::organizations::is_any_of(several.to_vec())),
            };
        }
    };
    ($query:ident, $column:expr, $values:expr) => {
        if let Some(values) = $values.some() {
            $query = match values {
                [one] => $query.filter($column.eq(one)),
                several => $query.filter($column.eq_any(several)),
            };
        }
    };
}
