//! The permission that an operation needs.

use super::Permission;

/// The permission that an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredPermission {
    /// No token.
    Nothing,
    /// A token, whatever it allows.
    AnyToken,
    /// A token that allows this permission in some organization; the operation checks in which one.
    Scope(Permission),
    /// A token that allows everything.
    Admin,
}
