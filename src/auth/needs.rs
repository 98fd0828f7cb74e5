//! What an operation needs.

use super::Permission;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredPermission {
    /// No token.
    Nothing,
    /// A token that allows this somewhere; where exactly, the operation finds out.
    Scope(Permission),
    /// A token that allows everything.
    Admin,
}
