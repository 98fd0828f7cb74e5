//! The permission that an operation needs.

use super::Verb;

/// The permission that an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No token.
    Nothing,
    /// A token that allows this verb in some organization; the operation checks in which one.
    Scope(Verb),
    /// A token that allows everything.
    Admin,
}
