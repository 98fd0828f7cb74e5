//! Where it is measured: a database with so many indicators, kept from run to run, and services on it.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use ward_policy::db::embedded::Embedded;

use crate::{Outcome, files::Folder};

/// A token that may do everything.
pub(crate) const TOKEN: &str = "wardpolicy_000000000000_secret";
const HOLDER: &str = "begin; select begin_write('bench', '', '', ''); \
    insert into tokens (id, name, handle, hash, scopes) values \
    (gen_random_uuid(), 'bench', '000000000000', sha256('secret'), '{admin}') on conflict do nothing; commit";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

/// A database, and where its server logs.
pub(crate) struct Place {
    pub(crate) folder: Folder,
    /// How many indicators there are.
    pub(crate) size: usize,
    data: PathBuf,
    embedded: Embedded,
}

impl Place {
    /// The database with so many indicators; generated when it is not there yet.
    pub(crate) fn with(size: u32) -> Outcome<Self> {
        let parent = env::var_os("BENCH_DATA").map_or_else(|| env::temp_dir().join("ward-policy-bench"), PathBuf::from);
        DirBuilder::new().recursive(true).mode(0o755).create(&parent)?;
        let data = parent.join(size.to_string());
        let embedded = Embedded::start(&data)?;
        let place = Self {
            folder: Folder::new()?,
            size: usize::try_from(size)?,
            data,
            embedded,
        };
        let done = place.data.join("generated");
        if !done.exists() {
            place.command(&["migrate"]).status()?;
            let begun = Instant::now();
            let generated = place
                .command_of(env!("CARGO_BIN_EXE_generate"), &["--indicators", &size.to_string()])
                .status()?;
            if !generated.success() {
                return Err(format!("delete {} and begin again", place.data.display()).into());
            }
            place.connect()?.batch_execute(HOLDER)?;
            fs::write(&done, format!("{} s", begun.elapsed().as_secs()))?;
        }
        Ok(place)
    }

    pub(crate) fn url(&self) -> String {
        self.embedded.url("ward_policy")
    }

    pub(crate) fn connect(&self) -> Outcome<PgConnection> {
        Ok(PgConnection::establish(&self.url())?)
    }

    /// The only column of a query, which must be called `value`.
    pub(crate) fn values(&self, sql: &str) -> Outcome<Vec<String>> {
        let rows: Vec<Row> = sql_query(sql).load(&mut self.connect()?)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// What the server has logged since the log was last emptied.
    pub(crate) fn log(&self) -> Outcome<Vec<u8>> {
        Ok(fs::read(self.data.join("server.log"))?)
    }

    /// Empties its log, as is done of itself when it is long: that shall not happen in the middle of something.
    pub(crate) fn empty_log(&self) -> Outcome<()> {
        let log = File::options().write(true).open(self.data.join("server.log"))?;
        Ok(log.set_len(0)?)
    }

    /// The service's program on this database.
    fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_ward-policy"), arguments)
    }

    /// A program on this database.
    fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DATABASE_URL", self.url())
            // All callers of the bench are one address.
            .env("WARD_POLICY_RATE", "0")
            .env("RUST_LOG", "error")
            .stdin(Stdio::null());
        command
    }

    /// A service on it, with these settings.
    pub(crate) fn serve(&self, name: &str, settings: &[(&str, &str)]) -> Outcome<Process> {
        let port = free_port()?;
        let mut command = self.command(&["--no-sample"]);
        command
            .env("WARD_POLICY_BIND", format!("127.0.0.1:{port}"))
            .envs(settings.iter().copied());
        Process::start(command, port, &self.folder.path().join(format!("{name}.log")))
    }
}

/// A process that answers on a port, and ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
    /// How long it took to answer.
    pub(crate) ready: Duration,
}

impl Process {
    pub(crate) fn start(mut command: Command, port: u16, log: &Path) -> Outcome<Self> {
        let begun = Instant::now();
        let mut child = command.stderr(File::create(log)?).spawn()?;
        while begun.elapsed() < Duration::from_secs(20) {
            if let Ok(answer) = ask(port, "/readyz", &[]) {
                let ready = begun.elapsed();
                if answer.status < 500 {
                    return Ok(Self { child, port, ready });
                }
            }
            if let Some(status) = child.try_wait()? {
                return Err(format!("{status}: {}", fs::read_to_string(log)?).into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        Err("does not answer".into())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn get(&self, path: &str) -> Outcome<Answer> {
        let answer = ask(self.port, path, &[])?;
        if answer.status == 200 {
            Ok(answer)
        } else {
            Err(format!("{path}: {}", answer.status).into())
        }
    }

    /// Its resident memory, in MiB.
    pub(crate) fn resident(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or("0")
            .parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer: its status, its head without what every server says for itself, its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Outcome<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// Asks once, on a connection of its own.
pub(crate) fn ask(port: u16, path: &str, headers: &[(&str, &str)]) -> Outcome<Answer> {
    request(port, "GET", path, headers, b"")
}

/// Any request.
pub(crate) fn request(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(600)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("no answer")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .ok_or("no status")?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Ok(Answer {
        status: status.parse()?,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_vec(),
    })
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
