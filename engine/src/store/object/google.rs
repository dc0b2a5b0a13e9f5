//! Connections to Google Cloud Storage.

use std::sync::Arc;

use object_store::client::HttpConnector as _;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{ClientOptions, RetryConfig, StaticCredentialProvider};

use super::address::Address;
use super::client::{self, Client, Failure};
use super::endpoint;
use super::google_machine;
use super::http::Connector;
use super::request::Signing;
use crate::env::Env;

const SERVER: &str = "https://storage.googleapis.com";

/// Where `gcloud auth application-default login` leaves what it got, below the home.
const USUAL: &str = ".config/gcloud/application_default_credentials.json";

/// Connects to a bucket.
pub(super) async fn connect(
    address: &Address,
    root: &str,
    env: &Env,
    options: ClientOptions,
    retry: RetryConfig,
) -> Result<Client, Failure> {
    let var = |name: &str| env.vars.get(name).filter(|value| !value.is_empty());
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&address.bucket)
        .with_client_options(options.clone())
        .with_http_connector(Connector::default())
        .with_retry(retry.clone());
    let emulator = var("STORAGE_EMULATOR_HOST");
    let usual = env.home.join(USUAL);
    let server = match emulator {
        Some(host) if host.contains("://") => host.clone(),
        Some(host) => format!("http://{host}"),
        None => SERVER.to_owned(),
    };
    endpoint::check(Some(&server), "STORAGE_EMULATOR_HOST", &address.bucket, root)?;
    if emulator.is_some() {
        builder = builder.with_base_url(&server);
    }
    let who = if emulator.is_some() && google_machine::named(env).is_none() {
        builder = unsigned(builder);
        "without credentials, as STORAGE_EMULATOR_HOST wants it".to_owned()
    } else if let Some(key) = var("GOOGLE_SERVICE_ACCOUNT_KEY") {
        builder = builder.with_service_account_key(key);
        "with the key in GOOGLE_SERVICE_ACCOUNT_KEY".to_owned()
    } else if let Some(path) = var("GOOGLE_APPLICATION_CREDENTIALS").or_else(|| var("GOOGLE_SERVICE_ACCOUNT"))
    {
        let path = env.absolute(path);
        builder = builder.with_application_credentials(path.to_string_lossy());
        format!("with the Google credentials in {}", path.display())
    } else if usual.is_file() {
        builder = builder.with_application_credentials(usual.to_string_lossy());
        format!("with the Google credentials in {}", usual.display())
    } else if let Some(account) = google_machine::account(env, Connector::default().connect(&options)?).await
    {
        builder = builder.with_credentials(account);
        "with the service account of this machine".to_owned()
    } else {
        builder = unsigned(builder);
        "anonymously, because no Google credentials were found: set GOOGLE_APPLICATION_CREDENTIALS or run \
         `gcloud auth application-default login`"
            .to_owned()
    };
    let store = builder.build()?;
    let signing = Signing::Token(store.credentials().clone());
    let bucket = format!("{}/{}", server.trim_end_matches('/'), address.bucket);
    let mut client = client::writer(store, &options)?;
    client.set_signer(signing, bucket, retry);
    client.who = who;
    client.endpoint = emulator.cloned().unwrap_or_else(|| "Google Cloud Storage".to_owned());
    Ok(client)
}

/// Lets the builder sign nothing: without credentials at hand its writes would look for the role of the machine.
fn unsigned(builder: GoogleCloudStorageBuilder) -> GoogleCloudStorageBuilder {
    let nobody = StaticCredentialProvider::new(GcpCredential { bearer: String::new() });
    builder.with_credentials(Arc::new(nobody)).with_skip_signature(true)
}
