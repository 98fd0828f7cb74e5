//! How the log is written: a line for people, or a JSON object a line for programs.

use std::{
    fmt::Display,
    io::{self, Write},
    panic,
};

use env_logger::{Builder, Env, Logger};
use log::{
    Level, Metadata, Record,
    kv::{self, Key, Value, VisitSource, VisitValue},
};
use serde::Serialize;
use serde_json::{Map, Number, Value as Json};

use super::config::LogFormat;

/// What is logged where `RUST_LOG` says nothing.
const FILTER: &str = "warn,ward_policy=info";

/// Begins the log, on standard error.
pub fn start(format: LogFormat) {
    let mut builder = Builder::from_env(Env::default().default_filter_or(FILTER));
    if format == LogFormat::Json {
        builder.format(|out, record| {
            let time = out.timestamp_millis();
            write_json(out, &time, record)
        });
        // The log has a panic in one line of its format: a program that reads JSON would fail on plain text.
        panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    }
    let logger = builder.build();
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(Log(logger))).is_ok() {
        log::set_max_level(level);
    }
}

/// The log, in which no caller can raise an alarm: a request that the framework cannot read is no error of the service.
struct Log(Logger);

/// Where the framework logs what it could not read, as an error.
const UNREAD: (&str, &str) = ("actix_http::h1::dispatcher", "stream error: ");

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() != UNREAD.0 || !record.args().to_string().starts_with(UNREAD.1) {
            return self.0.log(record);
        }
        let mut quiet = record.to_builder();
        self.0.log(&quiet.level(Level::Debug).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// The fields that every line begins with.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    target: &'a str,
    message: String,
    #[serde(flatten)]
    fields: Fields,
}

/// The fields of a line beside its message, by name.
#[derive(Serialize, Default)]
struct Fields(Map<String, Json>);

fn write_json(out: &mut impl Write, time: &impl Display, record: &Record<'_>) -> io::Result<()> {
    let mut fields = Fields::default();
    record.key_values().visit(&mut fields).map_err(io::Error::other)?;
    let line = Line {
        time: time.to_string(),
        level: record.level().as_str(),
        target: record.target(),
        message: record.args().to_string(),
        fields,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut json = AsJson(Json::Null);
        value.visit(&mut json)?;
        self.0.insert(key.to_string(), json.0);
        Ok(())
    }
}

/// A value as JSON: numbers and booleans as such, anything else as text.
struct AsJson(Json);

impl VisitValue<'_> for AsJson {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0 = Json::String(value.to_string());
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0 = Number::from_f64(value).map_or(Json::Null, Json::Number);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use log::Level;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_it_says() {
        let mut out = Vec::new();
        let fields = [
            ("status", Value::from(503_u16)),
            ("ms", Value::from(0.5_f64)),
            ("route", Value::from("/v1/\"x\"")),
        ];
        let record = Record::builder()
            .level(Level::Warn)
            .target("t")
            .args(format_args!("two\nlines \u{1b}[31m \"quoted\""))
            .key_values(&fields)
            .build();
        write_json(&mut out, &"2024-04-01T00:00:00.000Z", &record).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert_eq!(
            serde_json::from_str::<Json>(&text).unwrap(),
            json!({"time": "2024-04-01T00:00:00.000Z", "level": "WARN", "target": "t",
                   "message": "two\nlines \u{1b}[31m \"quoted\"", "status": 503, "ms": 0.5, "route": "/v1/\"x\""})
        );
    }
}
