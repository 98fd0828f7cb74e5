//! Which changes a caller follows, from where, how many at a time.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use utoipa::{
    IntoParams,
    openapi::{
        RefOr, Type,
        path::{Parameter, ParameterIn},
        schema::{ObjectBuilder, Schema},
    },
};

use super::{ChangeType, cursor::Cursor};
use crate::{
    error::{Error, Result, Violation},
    http::{
        middleware::authentication::TICKET,
        pagination::Limit,
        query::{AnyOf, Fault, FromParams, Param, Params, document},
    },
    value::{OrganizationKey, language::Bilingual},
};

/// Items on a page that does not say how many.
const DEFAULT_LIMIT: i64 = 100;
/// Longest wait, in seconds.
const LONGEST_WAIT: u64 = 60;

/// Which changes; by default all of them.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Changes of these types.
    pub types: Vec<ChangeType>,
    /// Changes of the organizations that go, or once went, by these keys.
    pub organizations: Vec<OrganizationKey>,
}

/// Which changes to stream, from where.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// Where to begin.
    pub cursor: Option<Cursor>,
    /// Which changes.
    pub filter: Filter,
}

/// Who streams, where a ticket says so: the authentication layer has taken it.
#[derive(Debug, Clone)]
pub struct Ticket {
    is_given: bool,
}

impl Ticket {
    /// Fails where a token is given too: that may be another caller's.
    pub fn must_be_alone(&self, headers: &HeaderMap) -> Result<()> {
        if self.is_given && headers.contains_key(AUTHORIZATION) {
            let detail = Bilingual::new(
                "Authorization とは一緒に使えません。どちらか一方にしてください",
                "cannot be given together with Authorization: give one of them",
            );
            return Err(Error::malformed(Violation::of(TICKET, "both", detail)));
        }
        Ok(())
    }
}

/// Which changes to list, from where, how many, and how long to wait for one.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Where to begin.
    pub cursor: Option<Cursor>,
    /// Which changes.
    pub filter: Filter,
    /// How many changes at most.
    pub limit: i64,
    /// Seconds to wait for a change.
    pub wait: u64,
}

impl FromParams for Streamed {
    fn take(params: &mut Params) -> Option<Self> {
        let cursor = params.take("cursor");
        let types = params.take::<AnyOf<ChangeType>>("type");
        let organizations = params.take::<AnyOf<OrganizationKey>>("organization");
        Some(Self {
            cursor: cursor?,
            filter: Filter {
                types: types?.0,
                organizations: organizations?.0,
            },
        })
    }
}

impl FromParams for Ticket {
    fn take(params: &mut Params) -> Option<Self> {
        let ticket = params.take::<Option<TicketText>>(TICKET)?;
        Some(Self {
            is_given: ticket.is_some(),
        })
    }
}

impl FromParams for Feed {
    fn take(params: &mut Params) -> Option<Self> {
        let streamed = Streamed::take(params);
        let limit = Limit::<DEFAULT_LIMIT>::take(params);
        let wait = params.take::<Option<Wait>>("wait");
        let (Streamed { cursor, filter }, limit, wait) = (streamed?, limit?, wait?);
        Some(Self {
            cursor,
            filter,
            limit,
            wait: wait.map_or(0, |Wait(wait)| wait),
        })
    }
}

impl IntoParams for Streamed {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            document::<Option<Cursor>>(
                "cursor",
                "Where to go on: a `next`, the `id` of an event, or the `cursor` of a snapshot or of the head. Without it, \
                 from the beginning of the history.",
            ),
            document::<AnyOf<ChangeType>>("type", "Only what happened to these types of things."),
            document::<AnyOf<OrganizationKey>>(
                "organization",
                "Only what happened to these organizations and what is theirs, by slug or municipality code, one they no \
                 longer go by included.",
            ),
        ]
    }
}

impl IntoParams for Ticket {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![document::<Option<TicketText>>(
            TICKET,
            "A ticket, for browsers' `EventSource`, which cannot send a token: `POST /v1/changes/tickets` gives one. It is good \
             once, for a minute; 401 after that.",
        )]
    }
}

impl IntoParams for Feed {
    fn into_params(given: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = Streamed::into_params(given);
        parameters.extend([
            Limit::<DEFAULT_LIMIT>::document(),
            document::<Option<Wait>>(
                "wait",
                "Seconds to wait while there is nothing. The answer comes as soon as there is something; empty when the time \
                 is up, or when the service is about to stop.",
            ),
        ]);
        parameters
    }
}

/// Reads a number within a range, in its one spelling.
fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display + Copy>(
    text: &str,
    code: &'static str,
    (least, most): (T, T),
) -> Result<T, Fault> {
    let number = text
        .parse()
        .ok()
        .filter(|n: &T| *n >= least && *n <= most && n.to_string() == text);
    number.ok_or_else(|| {
        Fault::new(
            code,
            Bilingual::new(
                format!("{least}から{most}までにしてください"),
                format!("must be {least} to {most}"),
            ),
        )
    })
}

struct Wait(u64);

impl Param for Wait {
    fn read(text: &str) -> Result<Self, Fault> {
        number(text, "wait", (0, LONGEST_WAIT)).map(Self)
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(60))
            .default(Some(0.into()))
            .into()
    }
}

/// A ticket as it stands in an address.
#[derive(Debug, Clone)]
struct TicketText;

impl Param for TicketText {
    fn read(_: &str) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(100))
            .into()
    }
}

/// The number of a change.
#[derive(Debug, Clone, Copy)]
pub struct Seq(pub i64);

impl Param for Seq {
    fn read(text: &str) -> Result<Self, Fault> {
        number(text, "seq", (0, i64::MAX)).map(Self)
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(i64::MAX))
            .into()
    }
}
