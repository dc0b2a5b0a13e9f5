//! Azure Blob Storage for the tests: the emulator that Microsoft publishes.

use std::ffi::OsString;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::stores::server::{Server, free_port, program, start, with_vars};

/// The one account of the emulator, with its key.
pub const ACCOUNT: &str = "holotype";
pub const KEY: &str = "aG9sb3R5cGUga2V5IG9mIHRoZSB0ZXN0cywgMzIgQi4=";

/// Tokens made with the key: to do anything, and to look and read only.
const ALL: &str = "sv=2021-12-02&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A00Z&spr=https%2Chttp&\
                   sig=%2FyEITYIxBDBiEoR1hw64NuKPW%2BmcRMSIJ6ZArbUuL2Q%3D";
pub const READ: &str = "sv=2021-12-02&ss=b&srt=sco&sp=rl&se=2099-01-01T00%3A00%3A00Z&spr=https%2Chttp&\
                        sig=%2F78cp7Bcmq3fm8vZsUgO3BBjZ9VQnLAE0kEvLcaBEM0%3D";

pub static AZURE: LazyLock<Server> = LazyLock::new(|| {
    let port = free_port();
    let words =
        ["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--inMemoryPersistence", "--silent"];
    let words: Vec<OsString> = words
        .into_iter()
        .chain(["--skipApiVersionCheck", "--disableTelemetry"])
        .map(OsString::from)
        .collect();
    let accounts = format!("{ACCOUNT}:{KEY}");
    let watchdog =
        start(&program("azurite-blob", "AZURITE"), &words, &[("AZURITE_ACCOUNTS", &accounts)], port);
    Server { port, folder: None, _watchdog: watchdog }
});

/// Makes a container and returns a root in it that nobody else uses.
pub fn root() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let container = format!("container-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let made = ask("PUT", &format!("{container}?restype=container"), b"");
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    format!("az://{container}/some/prefix")
}

/// Returns a root of the server that is reached by another address.
pub fn root_at(endpoint: &str) -> String {
    format!("{}?azure_storage_endpoint={endpoint}/{ACCOUNT}", root())
}

/// Sends a request with a token to do anything; the path, with a query, begins with the container.
pub fn ask(method: &str, path: &str, body: &[u8]) -> String {
    AZURE.ask(method, &format!("/{ACCOUNT}/{path}&{ALL}"), body)
}

/// Returns where the account is served.
pub fn endpoint() -> String {
    format!("{}/{ACCOUNT}", AZURE.endpoint())
}

/// Returns an environment that knows the account and its key.
pub fn env() -> holotype::Env {
    let connection = format!("AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={}", endpoint());
    with_vars(&[("AZURE_STORAGE_CONNECTION_STRING", &connection)])
}

/// Returns an environment that knows the account and its key, and not where it is served.
pub fn account() -> holotype::Env {
    with_vars(&[("AZURE_STORAGE_ACCOUNT", ACCOUNT), ("AZURE_STORAGE_KEY", KEY)])
}
