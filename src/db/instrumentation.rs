//! Instruments SQL: counts failures, logs slow statements, never logs bind values.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    sync::Arc,
    time::Instant,
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

use super::{in_one_line, metrics::Queries};

/// Most bytes of a statement in the log.
const LONGEST: usize = 4000;
/// Diesel writes the bind values after this text. They may be secret.
const VALUES: &str = " -- binds: ";

thread_local! {
    /// The request that this thread works for.
    static REQUEST: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Marks this thread as working for a request, until it is dropped.
pub(super) struct RequestScope(());

impl RequestScope {
    pub(super) fn request(id: Arc<str>) -> Self {
        REQUEST.set(Some(id));
        Self(())
    }
}

impl Drop for RequestScope {
    fn drop(&mut self) {
        REQUEST.set(None);
    }
}

/// Instruments one connection.
pub(super) struct Watch {
    queries: Queries,
    since: Option<Instant>,
}

impl Watch {
    pub(super) const fn new(queries: Queries) -> Self {
        Self { queries, since: None }
    }
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.since = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                if let Some(error) = error {
                    self.queries.statement_failed(error);
                }
                let Some(took) = self.since.take().map(|since| since.elapsed()) else {
                    return;
                };
                if self.queries.is_slow(took) {
                    let (sql, ms) = (sql(query), took.as_millis());
                    let request = REQUEST.with_borrow(|id| id.clone().unwrap_or_else(|| "-".into()));
                    log::warn!(
                        target: "ward_policy::slow",
                        request_id = &*request, ms = u64::try_from(ms).unwrap_or(u64::MAX);
                        "{request} a slow query, {ms}ms: {sql}"
                    );
                }
            }
            _ => {}
        }
    }
}

/// The text of a statement in one line, without bind values.
fn sql(query: &(impl fmt::Display + ?Sized)) -> String {
    let mut text = Beginning(String::new());
    // The writer refuses text beyond the limit, which is no failure.
    let _ = write!(text, "{query}");
    in_one_line(&text.0.split(VALUES).next().unwrap_or_default())
}

/// Collects the beginning of a statement, without formatting all values of a bulk write.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= room;
        let end = part
            .char_indices()
            .take_while(fits)
            .map(|(at, char)| at + char.len_utf8())
            .last();
        self.0.push_str(part.get(..end.unwrap_or(0)).unwrap_or_default());
        if part.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_shown_however_long_the_statement_is() {
        assert_eq!(sql("select  $1\n from x -- binds: [\"secret\"]"), "select $1 from x");
        for length in LONGEST - 40..LONGEST + 10 {
            let statement = format!("{} -- binds: [\"secret\"]", "x".repeat(length));
            assert!(!sql(&statement).contains("sec"), "{length}");
        }
        assert_eq!(sql(&"年".repeat(2000)).chars().count(), LONGEST / 3);
    }
}
