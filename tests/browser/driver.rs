//! A browser without a window, driven through chromedriver as <https://www.w3.org/TR/webdriver2/> says.

use std::{
    env,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    Outcome, http,
    process::{Process, eventually},
};

/// The names a browser may go by.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What a page is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Desk,
    Phone,
}

/// A browser, which ends with its test.
pub(crate) struct Browser {
    driver: SocketAddr,
    session: String,
    _process: Process,
    _log: Removed,
}

/// A file that is removed.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Where a program is; an error that says how to get it.
fn installed(names: &[&str]) -> Outcome<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file());
    let lacking = || format!("there is no {}: `.ci/setup test` installs it", names.join(", no "));
    found.ok_or_else(|| lacking().into())
}

impl Browser {
    /// Starts a browser with an empty profile.
    pub(crate) fn start(screen: Screen) -> Outcome<Self> {
        let (driver, browser) = (installed(&["chromedriver"])?, installed(&BROWSERS)?);
        let log = env::temp_dir().join(format!("ward-policy-driver-{}.log", uuid::Uuid::now_v7()));
        let process = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(Stdio::null())
            .spawn()?;
        let (process, log) = (Process(process), Removed(log));
        let port: u16 = eventually(|| {
            let said = fs::read_to_string(&log.0)?;
            let port = said
                .split_once("successfully on port ")
                .and_then(|(_, rest)| rest.split_once('.'));
            Ok(port.map(|(port, _)| port.parse()).transpose()?)
        })?;
        let driver = SocketAddr::from(([127, 0, 0, 1], port));
        let session = command(driver, "POST", "/session", Some(&capabilities(&browser, screen)))?;
        let session = session["sessionId"].as_str().ok_or("no session")?.to_owned();
        Ok(Self {
            driver,
            session,
            _process: process,
            _log: log,
        })
    }

    fn command(&self, method: &str, what: &str, body: Option<&Value>) -> Outcome<Value> {
        command(self.driver, method, &format!("/session/{}{what}", self.session), body)
    }

    /// Opens a page and waits until it is there.
    pub(crate) fn go(&self, address: &str) -> Outcome {
        self.command("POST", "/url", Some(&json!({ "url": address })))
            .map(|_| ())
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Outcome<Value> {
        self.command("POST", "/execute/sync", Some(&json!({ "script": script, "args": [] })))
    }

    /// Waits until a script returns something else than null and false.
    pub(crate) fn until(&self, script: &str) -> Outcome<Value> {
        eventually(|| {
            let found = self.run(script)?;
            Ok((!found.is_null() && found != json!(false)).then_some(found))
        })
        .map_err(|e| format!("{script}: {e}").into())
    }

    /// The first element of a selector, as the driver names it.
    fn element(&self, selector: &str) -> Outcome<String> {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.command("POST", "/element", Some(&wanted))?;
        let id = found
            .as_object()
            .and_then(|found| found.values().next())
            .and_then(Value::as_str);
        Ok(format!("/element/{}", id.ok_or("no element")?))
    }

    /// What the first element of a selector is to those who cannot see it.
    pub(crate) fn role(&self, selector: &str) -> Outcome<Value> {
        self.command("GET", &format!("{}/computedrole", self.element(selector)?), None)
    }

    /// Clicks on the first element of a selector.
    pub(crate) fn click(&self, selector: &str) -> Outcome {
        let element = self.element(selector)?;
        self.command("POST", &format!("{element}/click"), Some(&json!({})))
            .map(|_| ())
    }

    /// Types a text instead of what the first element of a selector holds.
    pub(crate) fn fill(&self, selector: &str, text: &str) -> Outcome {
        // Control and A, then Delete.
        let typed = json!({ "text": format!("\u{e009}a\u{e000}\u{e017}{text}") });
        let element = self.element(selector)?;
        self.command("POST", &format!("{element}/value"), Some(&typed))
            .map(|_| ())
    }

    /// Types keys where the focus is, one after the other.
    pub(crate) fn press(&self, keys: &str) -> Outcome {
        let stroke = |key: char| {
            let key = key.to_string();
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        };
        let strokes: Vec<Value> = keys.chars().flat_map(stroke).collect();
        let typed = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.command("POST", "/actions", Some(&typed)).map(|_| ())
    }

    /// Goes back to where it was before.
    pub(crate) fn back(&self) -> Outcome {
        self.command("POST", "/back", Some(&json!({}))).map(|_| ())
    }

    /// Goes into the first frame of the page.
    pub(crate) fn enter_frame(&self) -> Outcome {
        self.command("POST", "/frame", Some(&json!({ "id": 0 }))).map(|_| ())
    }

    /// The whole page as PNG; it stays among the build's files, for whoever wants to look at it.
    pub(crate) fn picture(&self, screen: Screen) -> Outcome<Vec<u8>> {
        self.pictured(&format!("form-{screen:?}.png").to_lowercase(), json!({}))
    }

    /// A part of the page as PNG, a little smaller and with a little around it; it stays, too.
    pub(crate) fn picture_of(&self, selector: &str, name: &str) -> Outcome<Vec<u8>> {
        let clip = self.run(&format!(
            r#"
            const part = document.querySelector("{selector}").getBoundingClientRect();
            return {{ x: part.x + scrollX - 16, y: part.y + scrollY - 8, width: part.width + 32, height: part.height + 24, scale: 0.9 }};
            "#
        ))?;
        self.pictured(name, json!({ "clip": clip }))
    }

    pub(crate) fn pictured(&self, name: &str, mut params: Value) -> Outcome<Vec<u8>> {
        params["format"] = json!("png");
        params["captureBeyondViewport"] = json!(true);
        let wanted = json!({ "cmd": "Page.captureScreenshot", "params": params });
        let picture = self.command("POST", "/goog/cdp/execute", Some(&wanted))?;
        kept(name, &picture["data"])
    }

    /// The page printed on A4, as PDF; it stays, too.
    pub(crate) fn paper(&self, name: &str) -> Outcome<Vec<u8>> {
        let margin = json!({ "top": 1.4, "bottom": 1.4, "left": 1.2, "right": 1.2 });
        let wanted = json!({ "page": { "width": 21.0, "height": 29.7 }, "margin": margin });
        kept(name, &self.command("POST", "/print", Some(&wanted))?)
    }

    /// The errors and warnings of the browser's console, since it was last asked.
    pub(crate) fn complaints(&self) -> Outcome<Vec<String>> {
        let said = self.command("POST", "/se/log", Some(&json!({ "type": "browser" })))?;
        let said = said.as_array().ok_or("no log")?;
        Ok(said.iter().map(|line| line["message"].to_string()).collect())
    }

    /// Fails where the browser's console holds an error or a warning.
    pub(crate) fn complained_of_nothing(&self) -> Outcome {
        assert_eq!(self.complaints()?, Vec::<String>::new());
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver alone knows the browser's processes.
        let _ = self.command("DELETE", "", None);
    }
}

/// What a browser is started with.
fn capabilities(browser: &Path, screen: Screen) -> Value {
    // Without a sandbox, which neither root has nor who is in a container: the pages are our own.
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1280,960",
    ];
    let mut options = json!({ "binary": browser, "args": arguments });
    if screen == Screen::Phone {
        options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0 } });
    }
    json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "WARNING" }
    } } })
}

fn command(driver: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
    let request = format!("{method} {path}");
    let (status, answer) = http::call(driver, None, &request, &[("Content-Type", "application/json")], body)?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    if status != 200 {
        return Err(format!("{request}: {status} {}", answer["value"]["message"]).into());
    }
    Ok(answer["value"].take())
}

/// Decodes a file and keeps it.
fn kept(name: &str, data: &Value) -> Outcome<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(data.as_str().ok_or("no data")?)?;
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), &bytes)?;
    Ok(bytes)
}
