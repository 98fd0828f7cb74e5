//! What is printed.

use std::{fs, process::Command};

use crate::{Outcome, load::Rate};

/// The machine, in a line.
pub(crate) fn machine() -> Outcome<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("?", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let postgres = Command::new("pgbench").arg("--version").output()?;
    let postgres = String::from_utf8_lossy(&postgres.stdout).trim().to_owned();
    Ok(format!("{model}, {cores} cores; {postgres}"))
}

pub(crate) fn head(size: u32) {
    println!("{size} indicators");
    println!(
        "{:<34} {:>10} {:>9} {:>9} {:>8}   {:<26} {:>10} {:>6}",
        "workload", "a second", "p50 ms", "p99 ms", "MiB", "limit", "a second", "ratio"
    );
}

/// A line: what was measured, the memory of the service after it, and the limit it is held against.
pub(crate) fn line(name: &str, service: Rate, resident: f64, limit: Option<(&str, Rate)>) {
    print!(
        "{name:<34} {:>10.0} {:>9.2} {:>9.2} {resident:>8.1}",
        service.per_second, service.p50, service.p99
    );
    match limit {
        Some((what, rate)) => {
            let ratio = service.per_second / rate.per_second;
            println!("   {what:<26} {:>10.0} {ratio:>6.2}", rate.per_second);
        }
        None => println!(),
    }
}
