//! What an operation needs.

use super::Verb;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No token.
    Nothing,
    /// A token that allows this somewhere; where exactly, the operation finds out.
    Scope(Verb),
    /// A token that allows everything.
    Admin,
}
