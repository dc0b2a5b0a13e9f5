//! Clients for the stores, made on first use and shared by all locations of a process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, resolve_bucket_region};
use object_store::client::{HttpClient, HttpConnector as _};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::multipart::MultipartStore;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, HeaderMap, HeaderValue, ObjectStore, RetryConfig,
};
use tokio::sync::{OnceCell, Semaphore};

use super::address::{Address, Scheme};
use super::credentials::Aws;
use super::endpoint;
use super::http::Connector;
use super::request::{Signer, Signing};
use super::{azure, google};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::threads;

/// What requests say who sends them.
pub(super) const AGENT: &str = concat!("holotype/", env!("CARGO_PKG_VERSION"));

/// How long connecting may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// How often a request is tried unless `AWS_MAX_ATTEMPTS` says otherwise.
const ATTEMPTS: usize = 8;

/// The first pause before a request is tried again, and the milliseconds of the longest.
const SHORTEST: Duration = Duration::from_millis(100);
const PAUSE: u64 = 5_000;

/// How long a request is tried again in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that wait in memory for the network, over all transfers of a client, in KiB.
pub(super) const MEMORY: u32 = 160 * 1024;

/// Requests under way at once.
pub(super) const REQUESTS: usize = 48;

/// A connection to one bucket.
pub(super) struct Client {
    pub(super) store: Arc<dyn ObjectStore>,
    /// Uploads in parts that can be taken up again; not every store has them.
    pub(super) parts: Option<Arc<dyn MultipartStore>>,
    /// Lists of which no more is asked than wanted.
    pub(super) pages: Option<Arc<dyn PaginatedListStore>>,
    /// Requests of our own to the same server.
    pub(super) http: HttpClient,
    /// Signs them, where the store is asked for what the library does not know.
    pub(super) signer: Option<Arc<Signer>>,
    /// Whether the store itself compares what it gets with what was signed, or with a sum that goes along.
    pub(super) signed: bool,
    /// Who talks to the store, for messages.
    pub(super) who: String,
    /// Where the bucket lies, for messages and for the registry.
    pub(super) endpoint: String,
    pub(super) region: Option<String>,
    /// Set once a store has proved to make its tags from something else than MD5.
    pub(super) foreign_tags: AtomicBool,
    /// Whether the store puts parts together under conditions, once it was tried.
    pub(super) conditions: OnceCell<bool>,
    pub(super) memory: Arc<Semaphore>,
}

type Shared = Mutex<HashMap<u64, Arc<Client>>>;

static CLIENTS: LazyLock<Shared> = LazyLock::new(Shared::default);
static HASH: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Client {
    /// Returns the client for an address, connected when it is asked the first time.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for settings that cannot be used.
    pub(super) async fn of(address: &Address, root: &str, env: &Env) -> Result<Arc<Client>> {
        let aws = match address.scheme {
            Scheme::S3 => Some(Aws::find(env)?),
            _ => None,
        };
        // Two sessions of a process may see different variables; a fork must not use its parent's connections.
        let vars: Vec<_> = env.vars.iter().filter(|(name, _)| matters(name)).collect();
        let server = (address.scheme, &address.bucket, &address.endpoint, &address.revision, &address.query);
        let key =
            HASH.hash_one((std::process::id(), server, aws.as_ref().map(Aws::identity), vars, &env.home));
        let clients = || threads::entered(CLIENTS.lock());
        if let Some(known) = clients().get(&key) {
            return Ok(known.clone());
        }
        let made = Arc::new(connect(address, root, aws, env).await.map_err(|error| match error {
            Failure::Ours(error) => error,
            Failure::Theirs(error) => {
                Error::value(format!("The storage location {root} cannot be used: {error}")).because(error)
            }
        })?);
        Ok(clients().entry(key).or_insert(made).clone())
    }
}

impl Client {
    /// Lets requests of our own go to the bucket at this URL.
    pub(super) fn set_signer(&mut self, signing: Signing, bucket: String, retry: RetryConfig) {
        self.signer = Some(Arc::new(Signer { signing, bucket, http: self.http.clone(), retry }));
    }
}

/// Returns true for variables that a client looks at.
fn matters(name: &str) -> bool {
    const PREFIXES: [&str; 10] = [
        "AWS_",
        "GOOGLE_",
        "GCE_",
        "NO_GCE_CHECK",
        "K_SERVICE",
        "STORAGE_EMULATOR",
        "AZURE_",
        "IDENTITY_",
        "HF_",
        "SSL_CERT",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Why a client cannot be made.
pub(super) enum Failure {
    Ours(Error),
    Theirs(object_store::Error),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Failure::Theirs(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Ours(error)
    }
}

async fn connect(address: &Address, root: &str, aws: Option<Aws>, env: &Env) -> Result<Client, Failure> {
    let options = options(env)?;
    let retry = retry(env);
    match (address.scheme, aws) {
        (Scheme::S3, Some(aws)) => s3(address, root, aws, env, options, retry).await,
        (Scheme::S3, None) | (Scheme::Http | Scheme::Hf, _) => web(address, root, env, options, retry),
        (Scheme::Gs, _) => google::connect(address, root, env, options, retry).await,
        (Scheme::Az, _) => azure::connect(address, root, env, options, retry).await,
    }
}

fn options(env: &Env) -> Result<ClientOptions> {
    let mut options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(CONNECT)
        .with_pool_max_idle_per_host(REQUESTS)
        .with_user_agent(HeaderValue::from_static(AGENT));
    if let Some(path) = env.vars.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let path = env.absolute(path);
        let pem = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        let bundle = Certificate::from_pem_bundle(&pem).map_err(|error| {
            Error::value(format!("AWS_CA_BUNDLE names {}, which holds no certificates", path.display()))
                .because(error)
        })?;
        options = bundle.into_iter().fold(options, ClientOptions::with_root_certificate);
    }
    Ok(options)
}

fn retry(env: &Env) -> RetryConfig {
    let attempts = env.vars.get("AWS_MAX_ATTEMPTS").and_then(|text| text.parse::<usize>().ok());
    let longest = Duration::from_millis(faults::limit("object.pause", PAUSE).max(1));
    let backoff = BackoffConfig { init_backoff: longest.min(SHORTEST), max_backoff: longest, base: 2.5 };
    RetryConfig { backoff, max_retries: attempts.unwrap_or(ATTEMPTS).max(1) - 1, retry_timeout: PATIENCE }
}

/// Returns a client of a store that can be written to.
pub(super) fn writer<S: ObjectStore + MultipartStore + PaginatedListStore>(
    store: S,
    options: &ClientOptions,
) -> Result<Client, Failure> {
    let store = Arc::new(store);
    let mut client = reader(store.clone(), options)?;
    client.pages = Some(store.clone());
    client.parts = Some(store);
    Ok(client)
}

fn reader(store: Arc<dyn ObjectStore>, options: &ClientOptions) -> Result<Client, Failure> {
    Ok(Client {
        store,
        parts: None,
        pages: None,
        http: Connector::default().connect(options)?,
        signer: None,
        signed: false,
        who: String::new(),
        endpoint: String::new(),
        region: None,
        foreign_tags: AtomicBool::new(false),
        conditions: OnceCell::new(),
        memory: Arc::new(Semaphore::new(MEMORY as usize)),
    })
}

async fn s3(
    address: &Address,
    root: &str,
    mut aws: Aws,
    env: &Env,
    options: ClientOptions,
    retry: RetryConfig,
) -> Result<Client, Failure> {
    let endpoint = address.endpoint.clone().or_else(|| aws.endpoint.clone());
    let said = match &address.endpoint {
        Some(_) => "endpoint_url",
        None => "AWS_ENDPOINT_URL, or the profile of AWS,",
    };
    endpoint::check(endpoint.as_deref(), said, &address.bucket, root)?;
    let mut region = aws.region.clone();
    if endpoint.is_none() && !address.bucket.contains('.') {
        // Requests to the wrong region are refused. Without an answer the setting, or the first region of all, must do.
        let asked = resolve_bucket_region(&address.bucket, &options);
        if let Ok(Ok(found)) = tokio::time::timeout(Duration::from_secs(10), asked).await {
            region = Some(found);
        }
    }
    let query = address.query.iter().find(|(name, _)| name == "region").map(|(_, value)| value);
    let signed_for = query.or(region.as_ref()).map_or("us-east-1", String::as_str).to_owned();
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&address.bucket)
        .with_region(&signed_for)
        .with_client_options(options.clone())
        .with_http_connector(Connector::direct(env))
        .with_retry(retry.clone());
    if let Some(endpoint) = &endpoint {
        builder = builder.with_endpoint(endpoint).with_virtual_hosted_style_request(false);
    }
    let builder = aws.sign(builder, env, endpoint.is_none()).await?;
    let store = builder.build()?;
    let server = endpoint.clone().unwrap_or_else(|| format!("https://s3.{signed_for}.amazonaws.com"));
    let bucket = format!("{}/{}", server.trim_end_matches('/'), address.bucket);
    let signed = aws.who.signs();
    let signing = match signed {
        true => Signing::Signature(store.credentials().clone(), signed_for),
        false => Signing::Nobody,
    };
    let mut client = writer(store, &options)?;
    client.set_signer(signing, bucket, retry);
    client.signed = signed;
    client.who = aws.who.words();
    client.endpoint = endpoint.unwrap_or_else(|| "AWS".to_owned());
    client.region = region;
    Ok(client)
}

fn web(
    address: &Address,
    root: &str,
    env: &Env,
    options: ClientOptions,
    retry: RetryConfig,
) -> Result<Client, Failure> {
    let mut options = options;
    let url = match address.scheme {
        Scheme::Hf => {
            if let Some(token) = env.vars.get("HF_TOKEN").filter(|token| !token.is_empty()) {
                let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| {
                    Error::value("HF_TOKEN holds characters that no token has").because(error)
                })?;
                bearer.set_sensitive(true);
                let mut headers = HeaderMap::new();
                headers.insert("authorization", bearer);
                options = options.with_default_headers(headers);
            }
            endpoint::check(Some(&hf_endpoint(env)), "HF_ENDPOINT", &address.bucket, root)?;
            let revision = address.revision.as_deref().unwrap_or("main").replace('/', "%2F");
            format!("{}/{}/resolve/{revision}", hf_endpoint(env), address.bucket)
        }
        _ => address.bucket.clone(),
    };
    let store = HttpBuilder::new()
        .with_url(&url)
        .with_client_options(options.clone())
        .with_http_connector(Connector::default())
        .with_retry(retry)
        .build()?;
    let mut client = reader(Arc::new(store), &options)?;
    client.who = match (address.scheme, env.vars.contains_key("HF_TOKEN")) {
        (Scheme::Hf, false) => "anonymously: set HF_TOKEN for private repositories".to_owned(),
        (Scheme::Hf, true) => "with HF_TOKEN".to_owned(),
        _ => "without credentials".to_owned(),
    };
    client.endpoint = url;
    Ok(client)
}

/// Returns where repositories are served.
pub(super) fn hf_endpoint(env: &Env) -> String {
    let named = env.vars.get("HF_ENDPOINT").filter(|value| !value.is_empty());
    named.map_or("https://huggingface.co", String::as_str).trim_end_matches('/').to_owned()
}

/// Returns the error for what only reading works on.
pub(super) fn read_only(root: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{root} can only be read: save to a local folder or an s3://, gs:// or az:// location"),
    )
}
