//! Load: `wrk` over HTTP, `pgbench` on the database.

use std::{path::Path, process::Command};

use crate::{Outcome, statements::Scripts};

/// As many ask at a time.
pub(crate) const CLIENTS: &str = "8";

/// What one round gave: how many a second, and how long half of them and all but one in a hundred took, in ms.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// The medians of rounds.
pub(crate) fn medians(rounds: &[Rate]) -> Rate {
    let of = |pick: fn(&Rate) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Rate {
        per_second: of(|rate| rate.per_second),
        p50: of(|rate| rate.p50),
        p99: of(|rate| rate.p99),
    }
}

/// One round of `wrk`, with a script that says what to ask for. Fails where an answer is no success.
pub(crate) fn wrk(url: &str, script: &Path, seconds: u32) -> Outcome<Rate> {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", CLIENTS, "--latency", "--timeout", "30", "-d"])
        .arg(format!("{seconds}s"))
        .arg("-s")
        .arg(script)
        .arg(url)
        .output()
        .map_err(|e| format!("wrk: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let after = |label: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(label));
        line.and_then(|line| line.split_whitespace().nth(1))
    };
    if said.contains("Non-2xx") || said.contains("Socket errors") || !output.status.success() {
        return Err(format!("{url}: {said}").into());
    }
    Ok(Rate {
        per_second: after("Requests/sec:").ok_or("wrk gave no rate")?.parse()?,
        p50: millis(after("50%").unwrap_or_default())?,
        p99: millis(after("99%").unwrap_or_default())?,
    })
}

fn millis(text: &str) -> Outcome<f64> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .ok_or("wrk gave no latency")?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse()?;
    Ok(match unit {
        "us" => number / 1000.0,
        "ms" => number,
        "s" => number * 1000.0,
        _ => return Err(format!("{text} is no time").into()),
    })
}

/// One round of `pgbench`, which takes one script after the other at random.
pub(crate) fn pgbench(database: &str, scripts: &Scripts, seconds: u32) -> Outcome<Rate> {
    let log = tempfile::tempdir()?;
    let mut command = Command::new("pgbench");
    command
        .args(["-n", "-M", "prepared", "-j", "1", "-c", CLIENTS, "-T"])
        .arg(seconds.to_string())
        .args(["-l", "--log-prefix"])
        .arg(log.path().join("log"));
    for (n, value) in (1..).zip(&scripts.values) {
        command.arg("-D").arg(format!("v{n}={value}"));
    }
    for script in &scripts.files {
        command.arg("-f").arg(script);
    }
    let output = command.arg(database).output().map_err(|e| format!("pgbench: {e}"))?;
    if !output.status.success() {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps
        .and_then(|rest| rest.split(' ').next())
        .ok_or("pgbench gave no rate")?;
    let mut took = Vec::new();
    for file in std::fs::read_dir(log.path())? {
        let lines = std::fs::read_to_string(file?.path())?;
        // Client, number, microseconds …
        took.extend(
            lines
                .lines()
                .filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
        );
    }
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default() / 1000.0;
    Ok(Rate {
        per_second: tps.parse()?,
        p50: at(50),
        p99: at(99),
    })
}
