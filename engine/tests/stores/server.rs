//! Object stores on this machine, started by the tests and ended with them.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use holotype::Env;
use tempfile::TempDir;

use crate::support;

/// A server that answers like S3.
pub struct Server {
    pub port: u16,
    /// Where it keeps buckets as folders, if it does.
    pub folder: Option<TempDir>,
    pub _watchdog: Child,
}

pub const KEY: &str = "holotype-key";
pub const SECRET: &str = "holotype-secret";

/// Semantics as S3 has them, in memory; asks nobody for a password.
pub static MOTO: LazyLock<Server> = LazyLock::new(|| moto(&[]));

/// The same, with parts of uploads as small as anybody likes.
pub static SMALL_PARTS: LazyLock<Server> = LazyLock::new(|| moto(&[("S3_UPLOAD_PART_MIN_SIZE", "1")]));

fn moto(vars: &[(&str, &str)]) -> Server {
    let port = free_port();
    let words = ["-H".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port.to_string()];
    let watchdog = start(&program("moto_server", "MOTO_SERVER"), &words.map(OsString::from), vars, port);
    Server { port, folder: None, _watchdog: watchdog }
}

/// Checks signatures.
pub static S3S: LazyLock<Server> = LazyLock::new(|| {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let words =
        ["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", KEY, "--secret-key", SECRET];
    let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
    words.push(folder.path().into());
    let watchdog = start(&program("s3s-fs", "S3S_FS"), &words, &[], port);
    Server { port, folder: Some(folder), _watchdog: watchdog }
});

impl Server {
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket and returns a root in it that nobody else uses.
    pub fn root(&self) -> String {
        self.root_at(&self.endpoint())
    }

    /// Returns a root of this server that is reached by another address.
    pub fn root_at(&self, endpoint: &str) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let bucket = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        match &self.folder {
            Some(folder) => std::fs::create_dir_all(folder.path().join(&bucket)).unwrap(),
            None => assert!(self.ask("PUT", &format!("/{bucket}"), b"").starts_with("HTTP/1.1 200")),
        }
        format!("s3://{bucket}/some/prefix?endpoint_url={endpoint}")
    }

    /// Sends a request without a signature and returns the answer.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let size = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n",
            self.port
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Returns an environment that knows the keys of the servers and nothing else.
pub fn env() -> Env {
    with_vars(&[("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)])
}

pub fn with_vars(vars: &[(&str, &str)]) -> Env {
    support::env().with_vars(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// Returns a port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns the path of a server programme: named by a variable, installed by `make test`, or on the path.
pub fn program(name: &str, variable: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let installed = [root.join(".venv/bin").join(name), root.join(".tools/bin").join(name)];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::var_os(variable)
        .map(PathBuf::from)
        .into_iter()
        .chain(installed)
        .chain(std::env::split_paths(&path).map(|folder| folder.join(name)))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: run `make servers`, or set {variable} to where it is installed")
    })
}

/// Starts a server under a watchdog and waits until it answers; the watchdog ends it when this process, however it ends,
/// closes the other end of its input.
pub fn start(program: &Path, words: &[OsString], vars: &[(&str, &str)], port: u16) -> Child {
    let watched = Command::new("sh")
        .args(["-c", r#""$0" "$@" >/dev/null 2>&1 </dev/null & pid=$!; cat >/dev/null; kill "$pid""#])
        .arg(program)
        .args(words)
        .env_remove("AWS_CA_BUNDLE")
        .envs(vars.iter().copied())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "{} does not answer on port {port}", program.display());
        sleep(Duration::from_millis(50));
    }
    watched
}
