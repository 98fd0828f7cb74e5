//! Requests, counted by the template of their path: the number of series is bounded, whatever callers send.
//!
//! A request finds its series without a lock, and leaves three numbers there.

use std::{collections::HashMap, fmt, sync::OnceLock, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        gauge::Gauge,
        histogram::Histogram,
    },
};

/// The methods that have a label of their own.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER];
/// The statuses that have a label of their own: those the service gives.
const STATUSES: [u16; 25] = [
    200, 201, 204, 206, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 428, 429, 500,
    503, 504,
];
/// The label of everything else.
const OTHER: &str = "other";
/// Buckets from 0.1 ms to 10 s.
const SECONDS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Buckets from 256 bytes to 8 MiB.
const BYTES: [f64; 6] = [256.0, 2048.0, 16_384.0, 131_072.0, 1_048_576.0, 8_388_608.0];

/// The requests so far.
#[derive(Debug, Default)]
pub struct Requests {
    /// Requests that have no answer yet.
    pub under_way: Gauge,
    known: OnceLock<HashMap<String, Methods>>,
    unknown: Methods,
}

/// The series of one path, by method; methods that nobody calls take no memory.
type Methods = [OnceLock<Box<Served>>; METHODS.len()];

/// The series of one path and method.
#[derive(Debug)]
struct Served {
    statuses: [Counter; STATUSES.len()],
    other: Counter,
    seconds: Histogram,
    bytes: Histogram,
}

impl Served {
    fn new() -> Self {
        Self {
            statuses: Default::default(),
            other: Counter::default(),
            seconds: Histogram::new(SECONDS),
            bytes: Histogram::new(BYTES),
        }
    }

    fn statuses(&self) -> impl Iterator<Item = (String, u64)> {
        let named = STATUSES.iter().map(u16::to_string).zip(&self.statuses);
        named
            .chain([(OTHER.to_owned(), &self.other)])
            .map(|(status, count)| (status, count.get()))
            .filter(|(_, count)| *count > 0)
    }
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Requests {
    /// Sets the templates of known paths; all other paths are counted under one label. Only the first call counts.
    pub fn know<'a>(&self, templates: impl IntoIterator<Item = &'a str>) {
        self.known.get_or_init(|| {
            let templates = templates.into_iter();
            templates.map(|path| (path.to_owned(), Methods::default())).collect()
        });
    }

    /// Counts a request as under way.
    #[must_use]
    pub fn begin(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// Counts an answered request: by the template of its path, with the length of its body if that is known.
    pub fn count(&self, template: &str, method: &str, status: u16, took: Duration, bytes: Option<u64>) {
        let methods = self.known.get().and_then(|known| known.get(template));
        let methods = methods.unwrap_or(&self.unknown);
        let place = METHODS.iter().position(|known| *known == method);
        let Some(served) = methods.get(place.unwrap_or(METHODS.len() - 1)) else {
            return;
        };
        let served = served.get_or_init(|| Box::new(Served::new()));
        let place = STATUSES.iter().position(|known| *known == status);
        place
            .and_then(|place| served.statuses.get(place))
            .unwrap_or(&served.other)
            .inc();
        served.seconds.observe(took.as_secs_f64());
        if let Some(bytes) = bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
            served.bytes.observe(bytes.into());
        }
    }

    /// The series that have requests, with their labels.
    fn served(&self) -> impl Iterator<Item = ([(&str, &str); 2], &Served)> {
        let known = self.known.get().into_iter().flatten();
        known
            .map(|(template, methods)| (template.as_str(), methods))
            .chain([(OTHER, &self.unknown)])
            .flat_map(|(template, methods)| {
                METHODS.iter().zip(methods).filter_map(move |(method, served)| {
                    let labels = [("route", template), ("method", *method)];
                    served.get().map(|served| (labels, &**served))
                })
            })
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut requests = encoder.encode_descriptor("requests", "Requests answered", None, MetricType::Counter)?;
        for ([route, method], served) in self.served() {
            for (status, count) in served.statuses() {
                let labels = [route, method, ("status", &status)];
                ConstCounter::new(count).encode(requests.encode_family(&labels)?)?;
            }
        }
        let mut seconds = encoder.encode_descriptor(
            "request_seconds",
            "Time to the answer; to its first bytes where it is streamed",
            None,
            MetricType::Histogram,
        )?;
        for (labels, served) in self.served() {
            served.seconds.encode(seconds.encode_family(&labels)?)?;
        }
        let mut bytes = encoder.encode_descriptor(
            "response_bytes",
            "Length of the body, where it is not streamed",
            None,
            MetricType::Histogram,
        )?;
        for (labels, served) in self.served() {
            served.bytes.encode(bytes.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::KINDS;

    #[test]
    fn every_kind_of_problem_is_told_apart() {
        for (status, ..) in KINDS {
            assert!(STATUSES.contains(&status.as_u16()), "{status}");
        }
    }
}
