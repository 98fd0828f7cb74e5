//! Lines of indicators as forms print them, a name and a target: 地域活動協議会を知っている区民の割合：40%以上.

use super::target::ReadTarget;
use crate::value::FiscalYear;

/// A printed line of an indicator, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadIndicator {
    /// The name, without the bullet.
    pub name: String,
    /// Who is asked or counted, where the name says so.
    pub population: Option<String>,
    /// The target; nothing where the line has only a name.
    pub target: Option<ReadTarget>,
}

/// Reads a line of an indicator in the policy of a fiscal year.
#[must_use]
pub fn read(_line: &str, _year: FiscalYear) -> ReadIndicator {
    unimplemented!()
}
