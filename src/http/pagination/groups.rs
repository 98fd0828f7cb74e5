//! Pages of groups: rows are aggregated as a whole, and the groups are returned by pages.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{Page, Paging};
use crate::{
    error::{Error, Result},
    http::limits::MAX_LIMIT,
    text_enum,
    value::{Codes, Id},
};

text_enum! {
    /// How groups are ordered.
    pub enum GroupSort in "group_sort" {
        /// By what they have in common.
        Key = "key" ("集計単位の順", "what they have in common"),
    }
}

/// Paging of groups: by default a page holds the most items there may be, since groups are few as a rule.
pub type GroupPaging = Paging<GroupSort, MAX_LIMIT>;

impl<S, const DEFAULT: i64> Paging<S, DEFAULT> {
    /// Cuts groups, in the order of their keys, to one page.
    pub fn cut_groups<K, V>(&self, groups: BTreeMap<K, V>) -> Result<Page<(K, V)>>
    where
        S: Codes,
        K: Clone + Ord + Serialize + DeserializeOwned,
    {
        let total = i64::try_from(groups.len()).map_err(Error::internal)?;
        let after = self.after::<K>()?.map(|(key, _)| key);
        let rest = groups.into_iter().filter(|(key, _)| Some(key) > after.as_ref());
        let some = rest.take(usize::try_from(self.fetch()).map_err(Error::internal)?);
        let total = self.include_total.then_some(total);
        self.cut(some.collect(), total, |(key, _)| (key.clone(), Id(Uuid::nil())))
    }
}
