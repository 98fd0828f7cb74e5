//! What can go wrong with a request. [`crate::http::problem`] makes the response of an error.

use std::{
    borrow::Cow,
    env,
    io::{self, ErrorKind},
};

use crate::value::{Time, language::Bilingual, work};

/// Result of anything that ends in a response.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no token.
    #[error("not authenticated")]
    Unauthenticated,
    /// The token is not a valid one.
    #[error("not a valid token")]
    InvalidToken,
    /// The ticket is not a valid one, or has been used.
    #[error("not a valid ticket")]
    InvalidTicket,
    /// The token does not allow this: it lacks this scope.
    #[error("forbidden without {0}")]
    Forbidden(String),
    /// Pages of this origin may not make this request.
    #[error("pages of {0} may not do this")]
    ForeignOrigin(String),
    /// The cursor of the change feed is from a history that no longer exists.
    #[error("gone")]
    Gone,
    /// The path names a thing of this kind that does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The path names a thing of this kind that does not exist, by a name that is like another.
    #[error("no such {0}: {1:?}")]
    Misnamed(&'static str, Box<Violation>),
    /// The path does not have this method; it has these.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The request could not be read.
    #[error("malformed request: {0:?}")]
    Malformed(Vec<Violation>),
    /// The request was read and breaks rules of its own.
    #[error("invalid request: {0:?}")]
    Invalid(Vec<Violation>),
    /// The request contradicts what is stored.
    #[error("conflict: {0:?}")]
    Conflict(Vec<Violation>),
    /// The resource was changed since the caller read it, or exists where the caller would create it.
    #[error("precondition failed")]
    PreconditionFailed,
    /// The caller says by a weak tag which state it changes, and weak tags never match.
    #[error("weak tag")]
    WeakTag,
    /// The caller must say which state it changes; or, where the operation creates, that it creates.
    #[error("precondition required")]
    PreconditionRequired {
        /// Whether the operation creates too.
        creates: bool,
    },
    /// The caller accepts nothing the service can answer with.
    #[error("not acceptable")]
    NotAcceptable,
    /// The body is not of the media type this operation takes.
    #[error("unsupported media type, {0} is")]
    UnsupportedMediaType(&'static str),
    /// The body is longer than this many bytes.
    #[error("body too large, at most {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive in time.
    #[error("body too slow")]
    Timeout,
    /// The caller sends too many requests, or has too many open at once.
    #[error("the {whose} asks too often")]
    TooMany {
        /// Seconds after which the caller may ask again.
        seconds: u64,
        /// Whose requests are too many: those of a `token`, or of an `address`.
        whose: &'static str,
    },
    /// The service or its database is busy or away; the same request may succeed later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The disk has no room for the file of the response, or cannot be written.
    #[error("no room on disk for a file")]
    NoRoom,
    /// The database rolled the transaction back for a reason of its own; repeating the request may succeed at once.
    #[error("undone: {0}")]
    Undone(String),
    /// The database did not say whether it has committed the work.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    /// The data of the requested moment may still change; the data until this moment is settled.
    #[error("not settled yet: only until {0:?}")]
    Unsettled(Time),
    /// The framework refused the request before any of our code saw it.
    #[error("refused by the framework: {0}")]
    Framework(u16),
    /// Our fault.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where in a request a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the body, at this JSON pointer (RFC 6901).
    Body(String),
    /// In this parameter of the query or of the path.
    Parameter(String),
    /// In this request header.
    Header(&'static str),
}

/// Most bytes of a suggestion. A longer one only repeats what the caller sent, and is left out.
const LONGEST_SUGGESTION: usize = 1_000;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where the rule is broken.
    pub place: Place,
    /// Which rule, for programs.
    pub code: &'static str,
    /// Which rule, for people.
    pub detail: Bilingual,
    /// The nearest right name or value, if there is one.
    pub suggestion: Option<String>,
}

impl Violation {
    /// A broken rule of the body.
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: Bilingual) -> Self {
        Self {
            place: Place::Body(pointer.into()),
            code,
            detail,
            suggestion: None,
        }
    }

    /// A broken rule of a query parameter.
    pub fn of(parameter: impl Into<String>, code: &'static str, detail: Bilingual) -> Self {
        Self {
            place: Place::Parameter(parameter.into()),
            code,
            detail,
            suggestion: None,
        }
    }

    /// A broken rule of a header.
    #[must_use]
    pub fn in_header(header: &'static str, code: &'static str, detail: Bilingual) -> Self {
        Self {
            place: Place::Header(header),
            code,
            detail,
            suggestion: None,
        }
    }

    /// Adds the name or value that was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion.filter(|text| text.len() <= LONGEST_SUGGESTION);
        self
    }

    /// The violation of a part of a body, as one of the whole: `prefix` points to the part.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        if let Place::Body(pointer) = &mut self.place {
            pointer.insert_str(0, prefix);
        }
        self
    }
}

/// The errors by which a system says that the disk is full.
const NO_ROOM: [ErrorKind; 3] = [
    ErrorKind::StorageFull,
    ErrorKind::QuotaExceeded,
    ErrorKind::FileTooLarge,
];

/// Most violations collected for one request: reading stops there.
pub const MOST_VIOLATIONS: usize = 10_000;
/// Most names per request that get a suggestion: nobody mistypes more, and each is compared with every known name.
pub const MOST_SUGGESTIONS: usize = 20;
/// Most bytes of a mistyped name: the time of a comparison grows with the lengths of both names.
const LONGEST_NAME: usize = 100;
/// Most characters of an unknown name that a message repeats.
const REPEATED: usize = 60;

/// The name nearest to a mistyped one, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|k| {
            work::spend(name.len() * k.len());
            (strsim::normalized_damerau_levenshtein(&name, &k.to_lowercase()), k)
        })
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, k)| k.to_owned())
}

/// As much of an unknown name as a message repeats.
#[must_use]
pub fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}

/// Turns "not found" into `None`; every other error stays an error.
pub fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

impl Error {
    /// Whether the error is no fault of the caller's: the requested change may have happened or not.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::NoRoom
            | Self::Undone(_)
            | Self::OutcomeUnknown(_)
            | Self::Unsettled(_)
            | Self::Internal(_) => true,
            Self::Framework(status) => *status >= 500,
            _ => false,
        }
    }

    /// A file could not be made, for this reason.
    #[must_use]
    pub fn no_room(e: &io::Error) -> Self {
        log::error!("no file in {}: {e}", env::temp_dir().display());
        Self::NoRoom
    }

    /// A file could not be written to its end.
    pub fn unwritten(e: impl Into<io::Error>) -> Self {
        match e.into().downcast::<Self>() {
            Ok(e) => e,
            Err(e) if NO_ROOM.contains(&e.kind()) => Self::no_room(&e),
            Err(e) => Self::internal(e),
        }
    }

    /// Wraps a failure that is not the caller's.
    pub fn internal(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(e.into())
    }

    /// The body could not be read, for this reason.
    #[must_use]
    pub fn malformed(violation: Violation) -> Self {
        Self::Malformed(vec![violation])
    }

    /// Fails with all violations at once, or not at all.
    pub fn refuse(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(violations))
        }
    }

    /// Fails with the violations of both, or with whatever else went wrong.
    pub fn all<T>(result: Result<T>, rest: Result<()>) -> Result<T> {
        match (result, rest) {
            (Err(Self::Invalid(violations)), Err(Self::Invalid(more))) => {
                Err(Self::Invalid([violations, more].concat()))
            }
            (result, rest) => result.and_then(|it| rest.map(|()| it)),
        }
    }

    /// Fails with all contradictions to what is stored at once, or not at all.
    pub fn contradict(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self::Conflict(violations))
        }
    }
}
