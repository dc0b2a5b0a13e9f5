//! The service account that Google gives its machines, functions and containers.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::gcp::{GcpCredential, GcpCredentialProvider};
use object_store::{CredentialProvider, Error, Result};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::env::Env;

/// How long the metadata server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where it answers unless a variable names another place.
const USUAL: &str = "169.254.169.254";

/// Variables that name the place, as Google's own libraries know them.
const PLACES: [&str; 3] = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"];

/// What the maker of the machine wrote into it.
const MAKER: &str = "/sys/class/dmi/id/product_name";

/// A token is renewed when it lasts no longer than this; the server gives a new one five minutes before its end.
const MARGIN: Duration = Duration::from_secs(240);

/// Returns where the metadata server is named to be.
pub(super) fn named(env: &Env) -> Option<&str> {
    PLACES.iter().find_map(|name| env.vars.get(*name)).map(String::as_str).filter(|host| !host.is_empty())
}

/// Returns true on machines that say that they are Google's.
fn is_google(env: &Env) -> bool {
    if env.vars.get("NO_GCE_CHECK").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return false;
    }
    // The second is set where the machine itself is hidden.
    std::fs::read_to_string(MAKER).is_ok_and(|maker| maker.starts_with("Google"))
        || env.vars.contains_key("K_SERVICE")
}

/// Returns the account of this machine if it has one; only machines that are Google's are asked, and briefly.
pub(super) async fn account(env: &Env, http: HttpClient) -> Option<GcpCredentialProvider> {
    let host = match named(env) {
        Some(host) => host,
        None if is_google(env) => USUAL,
        None => return None,
    };
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
    let account = Account { http, url, kept: Mutex::default() };
    account.get_credential().await.ok()?;
    Some(Arc::new(account))
}

/// Asks the metadata server for tokens and keeps the last.
#[derive(Debug)]
struct Account {
    http: HttpClient,
    url: String,
    kept: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    credential: Arc<GcpCredential>,
    end: Instant,
}

#[async_trait::async_trait]
impl CredentialProvider for Account {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> Result<Arc<GcpCredential>> {
        let mut kept = self.kept.lock().await;
        let lasts = |margin| kept.as_ref().filter(|token| token.end > Instant::now() + margin);
        if let Some(token) = lasts(MARGIN) {
            return Ok(token.credential.clone());
        }
        let asked = tokio::time::timeout(PATIENCE, self.ask()).await;
        match asked.unwrap_or_else(|_| Err(self.fail("it said nothing"))) {
            Ok(token) => {
                let credential = token.credential.clone();
                *kept = Some(token);
                Ok(credential)
            }
            Err(error) => lasts(Duration::ZERO).map(|token| token.credential.clone()).ok_or(error),
        }
    }
}

impl Account {
    async fn ask(&self) -> Result<Token> {
        let request = Request::get(&self.url)
            .header("Metadata-Flavor", "Google")
            .body(HttpRequestBody::empty())
            .map_err(|error| self.fail(error))?;
        let answer = self.http.execute(request).await.map_err(|error| self.fail(error))?;
        if !answer.status().is_success() {
            return Err(self.fail(format!("it answered with status {}", answer.status().as_u16())));
        }
        let bytes = answer.into_body().bytes().await.map_err(|error| self.fail(error))?;
        let said: Value = serde_json::from_slice(&bytes).map_err(|error| self.fail(error))?;
        match (said["access_token"].as_str(), said["expires_in"].as_u64()) {
            (Some(bearer), Some(seconds)) => Ok(Token {
                credential: Arc::new(GcpCredential { bearer: bearer.to_owned() }),
                end: Instant::now() + Duration::from_secs(seconds),
            }),
            _ => Err(self.fail("it gave no token")),
        }
    }

    fn fail(&self, what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let what = what.into();
        let source = format!("The metadata server at {} gives no token: {what}", self.url).into();
        Error::Generic { store: "GCS", source }
    }
}
