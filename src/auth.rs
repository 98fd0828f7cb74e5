//! Who calls, and what they may do: tokens and scopes.
//!
//! What a caller may *see* is decided in the database, by one predicate (`sees_drafts` in the migrations); here is only
//! what it is told.

use std::{fmt, sync::Arc};

use crate::{
    error::{Error, Result},
    value::Id,
};

mod needs;
pub mod token;
mod who;

pub use needs::RequiredPermission;
pub use who::{CallerKey, network};

/// The header that says why something public changes.
pub const CHANGE_REASON: &str = "Change-Reason";
/// The header under which a request may be repeated.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The name that history knows the service itself by; no token has it.
pub const SERVICE: &str = "ward-policy";
/// How the database is told of a caller who sees all drafts.
pub const EVERY_DRAFT: &str = "*";
/// Most characters of a reason.
pub const LONGEST_REASON: usize = 1000;

/// What a token allows to do in an organization. Whoever may edit or publish sees the drafts too.
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

    /// The verb with this name.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == code)
            .map(|(verb, _)| *verb)
    }

    /// The names of all.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, code)| *code)
    }

    /// Its name in scopes.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(verb, _)| *verb == self)
            .map_or("", |(_, code)| code)
    }
}

/// One permission of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything, and the tokens themselves.
    Admin,
    /// Something, in one organization or in all.
    On(Permission, Option<Id>),
}

impl Scope {
    /// Reads it from the form in which it is stored: `admin`, `edit:*`, `edit:` with an organization's id.
    #[must_use]
    pub fn parse(stored: &str) -> Option<Self> {
        if stored == "admin" {
            return Some(Self::Admin);
        }
        let (verb, place) = stored.split_once(':')?;
        let organization = if place == "*" { None } else { Some(place.parse().ok()?) };
        Some(Self::On(Permission::named(verb)?, organization))
    }
}

/// In the form in which it is stored.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::On(verb, None) => write!(f, "{}:*", verb.code()),
            Self::On(verb, Some(organization)) => write!(f, "{}:{organization}", verb.code()),
        }
    }
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    token: Option<Id>,
    who: CallerKey,
    scopes: Arc<[Scope]>,
}

impl Caller {
    /// Somebody without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(String::new(), None, Arc::default())
    }

    /// The service itself, for what it does unasked and for whoever commands its machine.
    #[must_use]
    pub fn service() -> Self {
        Self {
            who: CallerKey::Service,
            ..Self::new(SERVICE.to_owned(), None, [Scope::Admin].into())
        }
    }

    /// Somebody with a token of this name.
    #[must_use]
    pub fn new(name: String, token: Option<Id>, scopes: Arc<[Scope]>) -> Self {
        Self {
            name,
            token,
            who: token.map_or(CallerKey::UNKNOWN, CallerKey::Token),
            scopes,
        }
    }

    /// The name that history knows the caller by; empty for somebody without a token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> Option<Id> {
        self.token
    }

    /// Whom the requests of the caller are counted for, and whose queue they wait in.
    #[must_use]
    pub const fn who(&self) -> CallerKey {
        self.who
    }

    /// The same caller, whose requests are counted for this one.
    #[must_use]
    pub fn counted_for(self, who: CallerKey) -> Self {
        Self { who, ..self }
    }

    /// Whether this is nobody in particular.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether everything is allowed.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }

    /// Whether something is allowed in an organization; in all of them where none is given.
    #[must_use]
    pub fn may(&self, verb: Permission, organization: Option<Id>) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Admin => true,
            Scope::On(allowed, place) => *allowed == verb && (place.is_none() || *place == organization),
        })
    }

    /// Fails unless the caller may do anywhere at all what an operation needs.
    pub fn must_satisfy(&self, need: RequiredPermission) -> Result<()> {
        let enough = |scope: &Scope| match (scope, need) {
            (Scope::Admin, _) => true,
            (Scope::On(allowed, _), RequiredPermission::Scope(verb)) => *allowed == verb,
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

    /// The organizations whose drafts the caller sees, as the database is told: their ids, or `*`.
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
