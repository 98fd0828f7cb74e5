//! Where a finding stands in the list.

use crate::{domain::finding::FindingKind, value::Id};

/// The place of a finding in the list: its part, then the id of its subject, then its kind.
pub(super) type FindingPosition = (u8, Id, FindingKind);

pub(super) const INDICATORS: u8 = 0;
pub(super) const BUDGETS: u8 = 1;
