//! Connections to Azure Blob Storage.

use std::sync::Arc;
use std::time::Duration;

use object_store::azure::{AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder};
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, RetryConfig, StaticCredentialProvider};

use super::address::Address;
use super::azure_blocks::Blocks;
use super::client::{self, Client, Failure};
use super::http::Connector;
use super::request::Signing;
use crate::env::Env;
use crate::error::{Error, Result};

/// How long a machine's metadata service may take to say which identity it has.
const METADATA: Duration = Duration::from_secs(2);

/// Names that the programmes of Azure use beside those of the builder; the last is where its services give identities.
const ALIASES: [(&str, AzureConfigKey); 3] = [
    ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
    ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint),
];

/// Holds what the portal of Azure shows to connect by.
const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";

/// Account and key of the emulator that `UseDevelopmentStorage=true` stands for; they are no secret.
const EMULATOR: [(&str, &str); 3] = [
    ("AccountName", "devstoreaccount1"),
    (
        "AccountKey",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ),
    ("BlobEndpoint", "http://127.0.0.1:10000/devstoreaccount1"),
];

/// Connects to a container.
pub(super) async fn connect(
    address: &Address,
    root: &str,
    env: &Env,
    options: ClientOptions,
    retry: RetryConfig,
) -> Result<Client, Failure> {
    let Settings { found, container } = Settings::find(address, env)?;
    let value = |key: AzureConfigKey| {
        found.iter().rev().find(|(named, _)| *named == key).map(|(_, value)| value.as_str())
    };
    let Some(account) = value(AzureConfigKey::AccountName) else {
        return Err(Failure::Ours(Error::value(format!(
            "{root} names no storage account: set {CONNECTION}, or AZURE_STORAGE_ACCOUNT_NAME with \
             AZURE_STORAGE_ACCOUNT_KEY, or write az://container@account.blob.core.windows.net"
        ))));
    };
    let is_on = |key| value(key).is_some_and(|text| ON.contains(&text.to_ascii_lowercase().as_str()));
    let host =
        if is_on(AzureConfigKey::UseFabricEndpoint) { "fabric.microsoft.com" } else { "core.windows.net" };
    let endpoint = value(AzureConfigKey::Endpoint).map_or_else(
        || format!("https://{account}.blob.{host}"),
        |endpoint| endpoint.trim_end_matches('/').to_owned(),
    );
    let builder = found
        .iter()
        .fold(MicrosoftAzureBuilder::new(), |builder, (key, value)| builder.with_config(*key, value))
        .with_container_name(&container);
    // Last, since settings of the client among the variables would replace them.
    let mut builder = builder
        .with_client_options(options.clone())
        .with_http_connector(Connector::default())
        .with_retry(retry.clone());
    let mut who = format!("with the Azure credentials of the account '{account}'");
    let mut unsigned = is_on(AzureConfigKey::SkipSignature);
    if !SIGNING.iter().any(|key| value(*key).is_some()) {
        match machine_identity(builder.clone()).await {
            Some(identity) => {
                builder = builder.with_credentials(identity);
                who = format!("with this machine's identity at the account '{account}'");
            }
            None => {
                builder = builder.with_skip_signature(true);
                unsigned = true;
                who = format!(
                    "anonymously, because no Azure credentials were found: set {CONNECTION}, or \
                     AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN for the account '{account}'"
                );
            }
        }
    }
    let store = builder.build()?;
    let credentials = match unsigned {
        // A token that says nothing: requests bear their date and no signature.
        true => Arc::new(StaticCredentialProvider::new(AzureCredential::SASToken(Vec::new()))),
        false => store.credentials().clone(),
    };
    let signing = Signing::Azure(credentials, account.to_owned());
    let mut client = client::writer(store, &options)?;
    client.set_signer(signing, format!("{endpoint}/{container}"), retry);
    client.parts = client.signer.clone().map(|signer| Arc::new(Blocks(signer)) as Arc<dyn MultipartStore>);
    // The MD5 of every block goes along.
    client.signed = true;
    client.who = who;
    client.endpoint = endpoint;
    Ok(client)
}

/// What stands for yes in a variable.
const ON: [&str; 5] = ["1", "true", "on", "yes", "y"];

/// Settings of which any one says how requests are signed.
const SIGNING: [AzureConfigKey; 8] = [
    AzureConfigKey::AccessKey,
    AzureConfigKey::SasKey,
    AzureConfigKey::Token,
    AzureConfigKey::ClientSecret,
    AzureConfigKey::FederatedTokenFile,
    AzureConfigKey::UseAzureCli,
    AzureConfigKey::SkipSignature,
    AzureConfigKey::FabricTokenServiceUrl,
];

/// What variables and the root say; of several values of one setting the last counts.
struct Settings {
    found: Vec<(AzureConfigKey, String)>,
    container: String,
}

impl Settings {
    fn find(address: &Address, env: &Env) -> Result<Settings> {
        let mut found = Vec::new();
        let set = |name: &str| env.vars.get(name).filter(|value| !value.is_empty());
        if let Some(text) = set(CONNECTION) {
            found.extend(connection(text)?);
        }
        if set("AZURE_STORAGE_USE_EMULATOR").is_some_and(|value| value == "true") {
            found.extend(connection("UseDevelopmentStorage=true")?);
        }
        found.extend(ALIASES.iter().filter_map(|(name, key)| Some((*key, set(name)?.clone()))));
        let named = env.vars.iter().filter(|(name, value)| name.starts_with("AZURE_") && !value.is_empty());
        let named = named.map(|(name, value)| (name.to_ascii_lowercase(), value));
        let asked = address.query.iter().map(|(name, value)| (name.clone(), value));
        found
            .extend(named.chain(asked).filter_map(|(name, value)| Some((name.parse().ok()?, value.clone()))));
        // It stands for the settings above; the builder would look for more of them by itself.
        found.retain(|(key, _)| *key != AzureConfigKey::UseEmulator);
        let (container, host) = match address.bucket.split_once('@') {
            Some((container, host)) => (container, Some(host)),
            None => (address.bucket.as_str(), None),
        };
        if let Some(account) = host.and_then(|host| host.split('.').next()) {
            found.push((AzureConfigKey::AccountName, account.to_owned()));
        }
        Ok(Settings { found, container: container.to_owned() })
    }
}

/// Takes a connection string apart, as the portal of Azure shows it.
fn connection(text: &str) -> Result<Vec<(AzureConfigKey, String)>> {
    let mut pairs = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(Error::value(format!(
                "{CONNECTION} is no list of name=value pairs with semicolons between: copy it anew from the portal"
            )));
        };
        pairs.push((name.trim(), value.trim()));
    }
    if named(&pairs, "UseDevelopmentStorage") == Some("true") {
        pairs = EMULATOR.to_vec();
    }
    let value = |wanted| named(&pairs, wanted);
    let mut found = Vec::new();
    for (name, key) in [
        ("AccountName", AzureConfigKey::AccountName),
        ("AccountKey", AzureConfigKey::AccessKey),
        ("SharedAccessSignature", AzureConfigKey::SasKey),
        ("BlobEndpoint", AzureConfigKey::Endpoint),
    ] {
        found.extend(value(name).map(|value| (key, value.trim_end_matches('/').to_owned())));
    }
    if let (None, Some(account), Some(suffix)) =
        (value("BlobEndpoint"), value("AccountName"), value("EndpointSuffix"))
    {
        let protocol = value("DefaultEndpointsProtocol").unwrap_or("https");
        found.push((AzureConfigKey::Endpoint, format!("{protocol}://{account}.blob.{suffix}")));
    }
    Ok(found)
}

/// Returns the value of a pair; upper and lower case are one.
fn named<'a>(pairs: &[(&str, &'a str)], wanted: &str) -> Option<&'a str> {
    pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
}

/// Asks the machine itself, briefly: away from Azure nobody answers.
async fn machine_identity(builder: MicrosoftAzureBuilder) -> Option<AzureCredentialProvider> {
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 0, retry_timeout: METADATA };
    let store = builder.with_retry(retry).build().ok()?;
    let identity = store.credentials().clone();
    match tokio::time::timeout(METADATA, identity.get_credential()).await {
        Ok(Ok(_)) => Some(identity),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_are_taken_apart() {
        let found = |text: &str| -> Vec<(AzureConfigKey, String)> { connection(text).unwrap() };
        let portal = "DefaultEndpointsProtocol=https;AccountName=lab;AccountKey=a2V5Cg==;EndpointSuffix=core.windows.net";
        assert_eq!(
            found(portal),
            [
                (AzureConfigKey::AccountName, "lab".to_owned()),
                (AzureConfigKey::AccessKey, "a2V5Cg==".to_owned()),
                (AzureConfigKey::Endpoint, "https://lab.blob.core.windows.net".to_owned()),
            ]
        );
        let token = "BlobEndpoint=https://lab.blob.core.windows.net/;SharedAccessSignature=sv=2022&sig=x%3D";
        assert_eq!(
            found(token),
            [
                (AzureConfigKey::SasKey, "sv=2022&sig=x%3D".to_owned()),
                (AzureConfigKey::Endpoint, "https://lab.blob.core.windows.net".to_owned()),
            ]
        );
        assert!(
            found("UseDevelopmentStorage=true")
                .contains(&(AzureConfigKey::AccountName, EMULATOR[0].1.to_owned()))
        );
        assert!(connection("nonsense").unwrap_err().message().contains("AZURE_STORAGE_CONNECTION_STRING"));
    }
}
