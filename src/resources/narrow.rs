//! Narrowing a list to what its filters name.

/// Narrows a boxed query to rows in whose column there is any of the values that a parameter names, if it names any; or to those
/// of organizations. A single value is compared as such: PostgreSQL knows then how few rows that may be, and keeps its plan.
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
