//! A database and an application of a test's own, and answers that keep the contract.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::Path,
    pin::Pin,
    process,
    rc::Rc,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use actix_web::{
    body::to_bytes,
    dev::Service,
    http::{
        Method,
        header::{HeaderMap, HeaderValue},
    },
    test::{TestRequest, init_service},
    web::Bytes,
};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_types::Text};
use flate2::read::GzDecoder;
use serde_json::Value;
use ward_policy::{
    db::{self, Bounds, Database, embedded::Embedded},
    http::limits::Limits,
    resources::HOOKS,
    server::{app, state::AppState},
};

use crate::contract::openapi::CONTRACT;

pub(crate) mod factories;
pub(crate) mod generated;
pub(crate) mod sample;
pub(crate) mod secrets;
pub(crate) mod years;

/// Connections an application may have; more than one, so that requests really meet.
const POOL: u32 = 8;

/// Longer than any machine takes.
const LONG: Duration = Duration::from_secs(300);

/// Bounds that no machine is too slow for: a test that is about one of them sets it.
pub(crate) fn patient() -> Bounds {
    Bounds {
        pool: POOL,
        wait: LONG,
        statement: LONG,
        lock: LONG,
        read: LONG,
        write: LONG,
        followers: 16_000,
        ..Bounds::default()
    }
}

/// Room for answers to the public.
pub(crate) const CACHE: usize = 4 << 20;

/// Where the databases of this run are.
enum Server {
    /// A private one, which ends with the process.
    Private(Embedded),
    /// The one that `TEST_DATABASE_URL` names.
    Given(String),
}

static SERVER: LazyLock<Server> = LazyLock::new(|| match std::env::var("TEST_DATABASE_URL") {
    Ok(url) => Server::Given(url),
    Err(_) => Server::Private(Embedded::temporary().expect("a PostgreSQL for the tests")),
});

/// The address of a database on the server.
fn url(database: &str) -> String {
    match &*SERVER {
        Server::Private(server) => server.url(database),
        Server::Given(url) => {
            let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
            let authority = address.find("://").map_or(0, |at| at + 3);
            let end = address[authority..]
                .find('/')
                .map_or(address.len(), |at| authority + at);
            format!("{}/{database}?{parameters}", &address[..end])
        }
    }
}

/// The address of the database from which others are made.
fn administration() -> String {
    match &*SERVER {
        Server::Private(server) => server.url("postgres"),
        Server::Given(url) => url.clone(),
    }
}

/// A connection to it.
fn administrator() -> PgConnection {
    PgConnection::establish(&administration()).expect("the test server answers")
}

/// The token of requests that do not say otherwise; it may do everything.
pub(crate) const TOKEN: &str = "wardpolicy_000000000000_secret";
const ADMINISTRATOR: &str = "begin; select begin_write('test', '', '', ''); \
    insert into tokens (id, name, handle, hash, scopes) values \
    ('01900000-0000-7000-8000-000000000000', 'administrator', '000000000000', sha256('secret'), '{admin}'); commit";

/// A migrated database that nobody enters, named after the migrations it holds; made by whoever comes first.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let name = format!("ward_policy_template_{:016x}", schema_hash());
    let mut admin = administrator();
    admin.batch_execute("select pg_advisory_lock(20240401)").unwrap();
    let sealed = format!("select 1 from pg_database where datname = '{name}' and datistemplate");
    if diesel::sql_query(sealed).execute(&mut admin).unwrap() == 0 {
        admin.batch_execute(&format!("drop database if exists {name}")).unwrap();
        admin.batch_execute(&format!("create database {name}")).unwrap();
        let mut fresh = PgConnection::establish(&url(&name)).unwrap();
        db::migrate(&mut fresh).unwrap();
        fresh.batch_execute(ADMINISTRATOR).unwrap();
        drop(fresh);
        admin
            .batch_execute(&format!(
                "alter database {name} is_template true allow_connections false"
            ))
            .unwrap();
    }
    admin.batch_execute("select pg_advisory_unlock(20240401)").unwrap();
    name
});

/// A hash of what the migrations and definitions say.
fn schema_hash() -> u64 {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = |folder: &str| {
        std::fs::read_dir(project.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let migrations = entries("migrations")
        .map(|folder| folder.join("up.sql"))
        .filter(|file| file.exists());
    let mut files: Vec<_> = migrations.chain(entries("src/db/definitions")).collect();
    files.sort();
    let mut hash = DefaultHasher::new();
    ADMINISTRATOR.hash(&mut hash);
    for file in files {
        (file.strip_prefix(project).unwrap(), std::fs::read(&file).unwrap()).hash(&mut hash);
    }
    hash.finish()
}

/// A database of one test's own, dropped with it.
pub(crate) struct TestDb {
    name: String,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    value: String,
}

impl TestDb {
    /// One that has every migration, and no rows.
    pub(crate) fn new() -> Self {
        Self::copied(&TEMPLATE)
    }

    /// One without any table.
    pub(crate) fn empty() -> Self {
        Self::copied("template0")
    }

    fn copied(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ward_policy_test_{}_{count}", process::id());
        let mut admin = administrator();
        admin
            .batch_execute(&format!("drop database if exists {name} with (force)"))
            .unwrap();
        admin
            .batch_execute(&format!(
                "create database {name} template {template} strategy file_copy"
            ))
            .unwrap();
        Self { name }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        url(&self.name)
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url()).unwrap()
    }

    /// A connection to its server, but not to it.
    pub(crate) fn beside() -> PgConnection {
        administrator()
    }

    /// The only column of a query, which must be called `value`.
    pub(crate) fn values(&self, sql: &str) -> Vec<String> {
        let cells: Vec<Cell> = diesel::sql_query(sql).load(&mut self.connect()).unwrap();
        cells.into_iter().map(|cell| cell.value).collect()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let name = self.name.clone();
        // It waits for connections to end, and no test waits for it. A database left behind is no reason to fail: the server ends
        // with the run, or another run drops it.
        thread::spawn(move || {
            let dropped = PgConnection::establish(&administration());
            let _ =
                dropped.map(|mut admin| admin.batch_execute(&format!("drop database if exists {name} with (force)")));
        });
    }
}

/// A request to make.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    token: Option<String>,
    body: Option<Bytes>,
}

impl Call {
    /// A request without headers or body. What a path cannot hold is percent-encoded.
    pub(crate) fn new(method: &str, path: impl AsRef<str>) -> Self {
        Self {
            method: method.parse().unwrap(),
            path: encoded(path.as_ref()),
            headers: Vec::new(),
            token: Some(TOKEN.to_owned()),
            body: None,
        }
    }

    /// By somebody without a token.
    pub(crate) fn anonymous(self) -> Self {
        Self { token: None, ..self }
    }

    /// By whoever holds this token.
    pub(crate) fn by(self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self
        }
    }

    /// For a reason.
    pub(crate) fn because(self, reason: &str) -> Self {
        self.header("change-reason", encoded(&reason.replace('%', "%25")))
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body of this media type.
    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", media_type)
    }

    /// With a JSON body; that of a PATCH is a merge patch.
    pub(crate) fn json(self, body: &Value) -> Self {
        let media_type = if self.method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        self.body(media_type, body.to_string())
    }
}

fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A body without its coding.
fn decoded(coding: Option<&HeaderValue>, sent: Bytes) -> Bytes {
    let mut plain = Vec::new();
    match coding.map(HeaderValue::as_bytes) {
        // A HEAD says how it would have come.
        _ if sent.is_empty() => return sent,
        None => return sent,
        Some(b"zstd") => plain = zstd::decode_all(&*sent).unwrap(),
        Some(b"br") => brotli::BrotliDecompress(&mut &*sent, &mut plain).unwrap(),
        Some(b"gzip") => io::copy(&mut GzDecoder::new(&*sent), &mut plain).map(drop).unwrap(),
        Some(other) => panic!("nobody asked for {}", String::from_utf8_lossy(other)),
    }
    plain.into()
}

type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// The application over a database of its own.
pub(crate) struct Api {
    service: Box<dyn Fn(Call) -> Answering>,
    /// What succeeded so far, as `METHOD /path/{template}`.
    pub(crate) exercised: RefCell<BTreeSet<String>>,
    /// The database.
    pub(crate) db: Rc<TestDb>,
    /// What the application works with.
    pub(crate) state: AppState,
}

impl Api {
    /// With an empty database and the limits of a service.
    pub(crate) async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    /// With these limits.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::on(Rc::new(TestDb::new()), CACHE, limits, patient()).await
    }

    /// With these bounds on the use of the database.
    pub(crate) async fn with_bounds(bounds: Bounds) -> Self {
        Self::on(Rc::new(TestDb::new()), CACHE, Limits::default(), bounds).await
    }

    /// Another instance on the same database, with so much room for answers.
    pub(crate) async fn beside(&self, cache_bytes: usize) -> Self {
        Self::on(Rc::clone(&self.db), cache_bytes, Limits::default(), patient()).await
    }

    async fn on(db: Rc<TestDb>, cache_bytes: usize, limits: Limits, bounds: Bounds) -> Self {
        let database = Database::new(&db.url(), &[], bounds, HOOKS);
        database.set_ready();
        let limits = Limits { work: LONG, ..limits };
        Self::of(db, AppState::new(database, cache_bytes, 0, limits)).await
    }

    /// With an empty database and settings of its own.
    pub(crate) async fn set(set: impl FnOnce(&mut AppState)) -> Self {
        let mut api = Self::new().await;
        set(&mut api.state);
        Self::of(api.db, api.state).await
    }

    async fn of(db: Rc<TestDb>, state: AppState) -> Self {
        let app = app::build(state.clone());
        let service = Rc::new(init_service(app).await);
        let service = move |call: Call| -> Answering {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let mut request = TestRequest::with_uri(&call.path).method(call.method);
                for (name, value) in call.headers {
                    request = request.append_header((name, value));
                }
                if let Some(token) = call.token {
                    request = request.append_header(("authorization", format!("Bearer {token}")));
                }
                if let Some(body) = call.body {
                    request = request.set_payload(body);
                }
                let response = service.call(request.to_request()).await.expect("an answer");
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let sent = to_bytes(response.into_body()).await.unwrap();
                let length = sent.len();
                let bytes = decoded(headers.get("content-encoding"), sent);
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                Answer {
                    status,
                    headers,
                    body,
                    bytes,
                    length,
                }
            })
        };
        Self {
            service: Box::new(service),
            exercised: RefCell::default(),
            db,
            state,
        }
    }

    /// Answers a request, and holds the answer against the contract.
    pub(crate) async fn send(&self, call: Call) -> Answer {
        let (method, path) = (call.method.clone(), call.path.clone());
        let answer = (self.service)(call).await;
        let operation = CONTRACT.check(method.as_str(), &path, &answer);
        if let (Some(operation), 200..=299) = (operation, answer.status) {
            self.exercised.borrow_mut().insert(operation);
        }
        answer
    }

    /// GET.
    pub(crate) async fn get(&self, path: impl AsRef<str>) -> Answer {
        self.send(Call::new("GET", path)).await
    }

    /// The items of a list.
    pub(crate) async fn list(&self, path: impl AsRef<str>) -> Vec<Value> {
        let mut page = self.get(path).await.must_be(200).body;
        serde_json::from_value(page["items"].take()).unwrap()
    }

    /// POST.
    pub(crate) async fn post(&self, path: impl AsRef<str>, body: &Value) -> Answer {
        self.send(Call::new("POST", path).json(body)).await
    }

    /// PUT over the state with this tag.
    pub(crate) async fn put(&self, path: impl AsRef<str>, read: &str, body: &Value) -> Answer {
        self.send(
            Call::new("PUT", path)
                .header("if-match", read)
                .because("試験")
                .json(body),
        )
        .await
    }

    /// PUT that only creates.
    pub(crate) async fn create(&self, path: impl AsRef<str>, body: &Value) -> Answer {
        self.send(Call::new("PUT", path).header("if-none-match", "*").json(body))
            .await
    }

    /// PATCH of the state with this tag.
    pub(crate) async fn patch(&self, path: impl AsRef<str>, read: &str, body: &Value) -> Answer {
        self.send(
            Call::new("PATCH", path)
                .header("if-match", read)
                .because("試験")
                .json(body),
        )
        .await
    }

    /// DELETE of the state with this tag.
    pub(crate) async fn delete(&self, path: impl AsRef<str>, read: &str) -> Answer {
        self.send(Call::new("DELETE", path).header("if-match", read).because("試験"))
            .await
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// The body, whatever coding it came in.
    pub(crate) bytes: Bytes,
    /// How many bytes were sent.
    pub(crate) length: usize,
}

impl Answer {
    /// Itself, if it has this status.
    #[track_caller]
    pub(crate) fn must_be(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The lines of an answer that has one JSON object a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.bytes.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// A header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// Its tag.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        let tag = self.header("etag");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "no strong tag: {tag}");
        tag.to_owned()
    }

    /// The identifier of what it shows.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.text("id")
    }

    /// A member that is text.
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> String {
        self.body[key].as_str().expect(key).to_owned()
    }

    /// Its body for a snapshot, without what differs from run to run.
    pub(crate) fn shown(&self) -> String {
        let mut body = self.body.clone();
        for (key, value) in body.as_object_mut().unwrap() {
            if key == "id" || key.ends_with("_id") || key.ends_with("_at") {
                *value = Value::String(format!("[{key}]"));
            }
        }
        serde_json::to_string_pretty(&body).unwrap()
    }

    /// The broken rules it names, as (place, code), in the order of the places.
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut faults: Vec<_> = errors
            .iter()
            .map(|error| {
                let place = ["pointer", "parameter", "header"]
                    .iter()
                    .find_map(|kind| error[kind].as_str())
                    .unwrap_or_default();
                (place.to_owned(), error["code"].as_str().unwrap().to_owned())
            })
            .collect();
        faults.sort();
        faults
    }

    /// Fails unless it has this status and names exactly these broken rules.
    #[track_caller]
    pub(crate) fn must_refuse(&self, status: u16, faults: &[(&str, &str)]) {
        let expected: BTreeSet<_> = faults
            .iter()
            .map(|(place, code)| ((*place).to_owned(), (*code).to_owned()))
            .collect();
        let named: BTreeSet<_> = self.faults().into_iter().collect();
        assert_eq!(
            (self.status, named),
            (status, expected),
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
    }

    /// What it suggests instead of what was at this place.
    pub(crate) fn suggestion(&self, place: &str) -> Option<String> {
        let errors = self.body["errors"].as_array()?;
        let error = errors
            .iter()
            .find(|e| e["pointer"] == place || e["parameter"] == place)?;
        error["suggestion"].as_str().map(str::to_owned)
    }
}
