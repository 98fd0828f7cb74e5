//! Narrowing a list to what its filters name.

/// Narrows a boxed query to rows whose column has any of a parameter's values, to rows of the organizations it names, or to
/// rows whose text holds each of its words; without values, not at all. A single value is compared by `=`: PostgreSQL then knows how few rows that may
/// be, and keeps its plan.
#[macro_export]
macro_rules! narrow {
    ($query:ident, organization in $keys:expr) => {
        if let Some(keys) = $keys.some() {
            $query = match keys {
                [one] => $query.filter($crate::db::is_organization(one.as_str())),
                several => $query.filter($crate::resources::organizations::is_any_of(several.to_vec())),
            };
        }
    };
    ($query:ident, words of $text:expr, in $q:expr) => {
        if let Some($crate::http::query::SearchText(words)) = &$q {
            for word in words.split_whitespace() {
                let found = $crate::db::schema::strpos(
                    $crate::db::schema::search_folded($text),
                    $crate::db::schema::search_folded(word),
                );
                $query = $query.filter(found.gt(0));
            }
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
