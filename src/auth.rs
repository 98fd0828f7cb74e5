//! Who calls, and what they may do: tokens and scopes.
//!
//! One predicate of the database decides what a caller may *see* (`sees_drafts` in the migrations); this module only
//! tells the database whose drafts the caller sees.

use std::{fmt, sync::Arc};

use crate::{
    error::{Error, Result},
    value::Id,
};

mod caller_key;
mod required_permission;
pub mod ticket;
pub mod token;

pub use caller_key::{CallerKey, network};
pub use required_permission::RequiredPermission;

/// The header that says why something public changes.
pub const CHANGE_REASON: &str = "Change-Reason";
/// The header whose key makes it safe to repeat a request.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The name of the service itself in the history; no token has this name.
pub const SERVICE: &str = "ward-policy";
/// Tells the database that a caller sees all drafts.
pub const EVERY_DRAFT: &str = "*";
/// Most characters of a reason.
pub const LONGEST_REASON: usize = 1000;

/// What a token allows its holder to do in an organization. A holder who may edit or publish sees the drafts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Write drafts, and correct what is public.
    Edit,
    /// Publish and withdraw.
    Publish,
    /// See drafts.
    ReadDrafts,
}

impl Permission {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Edit, "edit"),
        (Self::Publish, "publish"),
        (Self::ReadDrafts, "read_drafts"),
    ];

    /// The permission with this name.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == code)
            .map(|(permission, _)| *permission)
    }

    /// The names of all permissions.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, code)| *code)
    }

    /// The name of the permission in scopes.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(permission, _)| *permission == self)
            .map_or("", |(_, code)| code)
    }
}

/// One permission of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything, and the tokens themselves.
    Admin,
    /// One permission, in one organization or in all.
    On(Permission, Option<Id>),
}

impl Scope {
    /// Reads a scope as stored: `admin`, `edit:*`, `edit:` with an organization's id.
    #[must_use]
    pub fn parse(stored: &str) -> Option<Self> {
        if stored == "admin" {
            return Some(Self::Admin);
        }
        let (permission, place) = stored.split_once(':')?;
        let organization = if place == "*" { None } else { Some(place.parse().ok()?) };
        Some(Self::On(Permission::named(permission)?, organization))
    }
}

/// Writes a scope as stored.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::On(permission, None) => write!(f, "{}:*", permission.code()),
            Self::On(permission, Some(organization)) => write!(f, "{}:{organization}", permission.code()),
        }
    }
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    token: Option<Id>,
    key: CallerKey,
    scopes: Arc<[Scope]>,
}

impl Caller {
    /// Somebody without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(String::new(), None, Arc::default())
    }

    /// The service itself: for its own jobs, and for commands run on its machine.
    #[must_use]
    pub fn service() -> Self {
        Self {
            key: CallerKey::Service,
            ..Self::new(SERVICE.to_owned(), None, [Scope::Admin].into())
        }
    }

    /// Somebody with a token of this name.
    #[must_use]
    pub fn new(name: String, token: Option<Id>, scopes: Arc<[Scope]>) -> Self {
        Self {
            name,
            token,
            key: token.map_or(CallerKey::UNKNOWN, CallerKey::Token),
            scopes,
        }
    }

    /// The name of the caller in the history; empty without a token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the caller's token.
    #[must_use]
    pub const fn token(&self) -> Option<Id> {
        self.token
    }

    /// The key of the caller: for whom the caller's requests are counted, and in whose queue they wait.
    #[must_use]
    pub const fn caller_key(&self) -> CallerKey {
        self.key
    }

    /// The caller with another key.
    #[must_use]
    pub fn counted_for(self, key: CallerKey) -> Self {
        Self { key, ..self }
    }

    /// Whether the caller has no token.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether the caller may do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }

    /// Whether the caller may do this in an organization; without one, in all of them.
    #[must_use]
    pub fn may(&self, permission: Permission, organization: Option<Id>) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Admin => true,
            Scope::On(allowed, place) => *allowed == permission && (place.is_none() || *place == organization),
        })
    }

    /// Fails unless the caller may do what an operation needs in at least one organization.
    pub fn must_satisfy(&self, need: RequiredPermission) -> Result<()> {
        let enough = |scope: &Scope| match (scope, need) {
            (Scope::Admin, _) | (_, RequiredPermission::AnyToken) => true,
            (Scope::On(allowed, _), RequiredPermission::Scope(permission)) => *allowed == permission,
            (Scope::On(..), _) => false,
        };
        match need {
            RequiredPermission::Nothing => Ok(()),
            _ if self.is_anonymous() => Err(Error::Unauthenticated),
            _ if self.scopes.iter().any(enough) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }

    /// Whether the caller sees the drafts of an organization.
    #[must_use]
    pub fn sees_drafts(&self, organization: Id) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Admin => true,
            Scope::On(_, place) => place.is_none_or(|place| place == organization),
        })
    }

    /// The organizations whose drafts the caller sees, as the database gets them: their ids, or `*`.
    #[must_use]
    pub fn drafts(&self) -> String {
        let every = |scope: &Scope| matches!(scope, Scope::Admin | Scope::On(_, None));
        if self.scopes.iter().any(every) {
            return EVERY_DRAFT.to_owned();
        }
        let places = self.scopes.iter().filter_map(|scope| match scope {
            Scope::On(_, Some(organization)) => Some(organization.to_string()),
            Scope::On(_, None) | Scope::Admin => None,
        });
        places.collect::<Vec<_>>().join(",")
    }
}
