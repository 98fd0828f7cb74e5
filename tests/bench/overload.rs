//! More than the service can do: it turns the rest away early, so that what it takes on is done about as fast as ever.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use actix_web::rt::{System, net::TcpStream, time::sleep};
use futures_util::future::join_all;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::{
    Outcome, Plan,
    place::{Place, Process},
};

/// Those who ask, when they are too many.
const CROWD: u32 = 128;
/// Those who ask as much as can be done, and none of whom is turned away.
const ENOUGH: u32 = 8;
/// Those who ask when hardly anybody does.
const FEW: u32 = 2;

/// What callers saw.
struct Seen {
    /// How long those took who got what they asked for, the quickest first.
    took: Vec<f64>,
    refused: usize,
    seconds: f64,
}

impl Seen {
    /// In milliseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let at = self.took.len() * percent / 100;
        self.took.get(at).copied().unwrap_or_default()
    }

    fn a_second(&self, number: usize) -> f64 {
        u32::try_from(number).map_or(f64::INFINITY, f64::from) / self.seconds
    }

    fn line(&self, name: &str) {
        println!(
            "  {name:<28} {:>8.0} accepted/s {:>8.0} refused/s   p50 {:>7.2} ms   p99 {:>7.2} ms",
            self.a_second(self.took.len()),
            self.a_second(self.refused),
            self.percentile(50),
            self.percentile(99),
        );
    }
}

/// The status of an answer, which is read whole.
async fn status(reader: &mut (impl AsyncBufRead + Unpin)) -> Outcome<u16> {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).ok_or("no answer")?.parse()?;
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line).await?;
        if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = given.trim().parse()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).await?;
    Ok(status)
}

/// Callers who ask again as soon as they are answered; or all together so many times a second. They share a thread, so that there is
/// no crowd of threads before the processors that the service needs.
fn load(port: u16, path: &str, seconds: u32, callers: u32, a_second: Option<f64>) -> Outcome<Seen> {
    let (begun, next) = (Instant::now(), AtomicU64::new(0));
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\n\r\n");
    let caller = async || -> Outcome<(Vec<f64>, usize)> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let (mut took, mut refused) = (Vec::new(), 0);
        loop {
            if let Some(a_second) = a_second {
                let turn = Duration::from_secs(next.fetch_add(1, Ordering::AcqRel)).div_f64(a_second);
                sleep(turn.saturating_sub(begun.elapsed())).await;
            }
            if begun.elapsed() > Duration::from_secs(seconds.into()) {
                return Ok((took, refused));
            }
            let asked = Instant::now();
            stream.write_all(request.as_bytes()).await?;
            match status(&mut stream).await? {
                200 => took.push(asked.elapsed().as_secs_f64() * 1000.0),
                503 => refused += 1,
                other => return Err(format!("{path}: {other}").into()),
            }
        }
    };
    let ended = System::new().block_on(join_all((0..callers).map(|_| caller())));
    let mut seen = Seen {
        took: Vec::new(),
        refused: 0,
        seconds: begun.elapsed().as_secs_f64(),
    };
    for caller in ended {
        let (took, refused) = caller?;
        seen.took.extend(took);
        seen.refused += refused;
    }
    seen.took.sort_by(f64::total_cmp);
    Ok(seen)
}

/// Few callers, as many as can be served, and four times as much.
pub(crate) fn run(plan: &Plan, place: &Place, path: &str) -> Outcome<()> {
    let settings = [("WARD_POLICY_CACHE_BYTES", "0"), ("RUST_LOG", "off")];
    let service: Process = place.serve("overload", &settings)?;
    let load = |callers, a_second| load(service.port, path, 2 * plan.seconds, callers, a_second);
    load(FEW, None)?;
    let unloaded = load(FEW, None)?;
    let capacity = load(ENOUGH, None)?;
    let all = capacity.a_second(capacity.took.len());
    let over = load(CROWD, Some(4.0 * all))?;
    unloaded.line("overload: 2 callers");
    capacity.line("overload: 8 callers");
    over.line("overload: 4 times as much");
    let ratio = over.percentile(99) / unloaded.percentile(99);
    println!("  p99 of the accepted at 4 times as much: {ratio:.1} times that of 2 callers");
    Ok(())
}
