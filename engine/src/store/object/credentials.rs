//! Who talks to AWS: the environment, the shared files and profiles, roles, else nobody in particular.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider};
use object_store::{BackoffConfig, RetryConfig};

use crate::env::Env;
use crate::error::{Error, Result};

/// How long a machine's metadata service may take to say which role it has.
const METADATA: Duration = Duration::from_secs(2);

/// Variables that name roles and tokens, as the builder knows them.
const ROLES: [&str; 6] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// What environment and files say about AWS.
pub(super) struct Aws {
    pub(super) who: Who,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
    /// Profile that was asked for or found.
    profile: String,
}

/// How requests are signed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Keys, and where they were found.
    Keys { id: String, secret: String, token: Option<String>, from: String },
    /// A role that variables name.
    Role(Vec<(String, String)>),
    /// Nobody, as a setting wants it.
    Nobody,
    /// Nothing was found: the machine may have a role.
    Unknown,
}

impl Who {
    /// Returns words for messages: who asked, and what to do if that was wrong.
    pub(super) fn words(&self) -> String {
        match self {
            Who::Keys { from, .. } => format!("with the keys from {from}"),
            Who::Role(_) => "with the role that AWS_ROLE_ARN or AWS_CONTAINER_CREDENTIALS_* name".to_owned(),
            Who::Nobody => {
                "anonymously, because LAMIN_S3_ANON is set: unset it to use your credentials".to_owned()
            }
            Who::Unknown => "anonymously, because no AWS credentials were found: set AWS_ACCESS_KEY_ID and \
                             AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run `aws configure`"
                .to_owned(),
        }
    }

    /// Returns true when requests are signed.
    pub(super) fn signs(&self) -> bool {
        !matches!(self, Who::Nobody | Who::Unknown)
    }
}

impl Aws {
    /// Looks at variables first, then at the shared files.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when a profile is asked for that is not there or cannot be used.
    pub(super) fn find(env: &Env) -> Result<Aws> {
        let var = |name: &str| env.vars.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let asked = var("AWS_PROFILE").or_else(|| var("AWS_DEFAULT_PROFILE"));
        let profile = asked.unwrap_or("default").to_owned();
        let path = |name: &str, usual: &str| -> PathBuf {
            var(name).map_or_else(|| env.home.join(".aws").join(usual), |path| env.absolute(path))
        };
        let (shared, config) =
            (path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), path("AWS_CONFIG_FILE", "config"));
        let (keys, settings) = (section(&shared, &profile), section(&config, &profile));
        if let Some(asked) = asked
            && keys.is_none()
            && settings.is_none()
            && var("AWS_ACCESS_KEY_ID").is_none()
        {
            return Err(Error::value(format!(
                "AWS_PROFILE names the profile '{asked}', which is neither in {} nor in {}: correct the name or add the \
                 profile",
                shared.display(),
                config.display()
            )));
        }
        let merged: BTreeMap<String, String> =
            settings.unwrap_or_default().into_iter().chain(keys.unwrap_or_default()).collect();
        let setting = |name: &str| merged.get(name).cloned().filter(|value| !value.is_empty());
        let region = var("AWS_REGION")
            .or_else(|| var("AWS_DEFAULT_REGION"))
            .map(str::to_owned)
            .or_else(|| setting("region"));
        let endpoint = var("AWS_ENDPOINT_URL_S3")
            .or_else(|| var("AWS_ENDPOINT_URL"))
            .map(str::to_owned)
            .or_else(|| setting("endpoint_url"));
        let who = match (var("AWS_ACCESS_KEY_ID"), var("AWS_SECRET_ACCESS_KEY")) {
            _ if is_true(env.var("LAMIN_S3_ANON")) => Who::Nobody,
            (Some(id), Some(secret)) => Who::Keys {
                id: id.to_owned(),
                secret: secret.to_owned(),
                token: var("AWS_SESSION_TOKEN").map(str::to_owned),
                from: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
            },
            (Some(_), None) => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
            (None, Some(_)) => return Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
            (None, None) => match (setting("aws_access_key_id"), setting("aws_secret_access_key")) {
                (Some(id), Some(secret)) => Who::Keys {
                    id,
                    secret,
                    token: setting("aws_session_token"),
                    from: format!("profile '{profile}' in {}", shared.display()),
                },
                _ => roles(env, &merged, &profile)?,
            },
        };
        Ok(Aws { who, region, endpoint: endpoint.map(|url| url.trim_end_matches('/').to_owned()), profile })
    }

    /// Returns the builder with whatever signs its requests; `asks_machine` lets the machine's own role count.
    ///
    /// # Errors
    /// What the builder finds wrong.
    pub(super) async fn sign(
        &mut self,
        builder: AmazonS3Builder,
        env: &Env,
        asks_machine: bool,
    ) -> object_store::Result<AmazonS3Builder> {
        let var = |name: &str| env.vars.get(name).map(String::as_str);
        Ok(match &self.who {
            Who::Keys { id, secret, token, .. } => {
                let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
                match token {
                    Some(token) => builder.with_token(token),
                    None => builder,
                }
            }
            Who::Role(variables) => variables.iter().fold(builder, |builder, (name, value)| {
                match name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                }
            }),
            Who::Unknown if asks_machine && !is_true(var("AWS_EC2_METADATA_DISABLED")) => {
                match machine_role(env).await {
                    Some(role) => {
                        self.who = Who::Role(Vec::new());
                        builder.with_credentials(role)
                    }
                    None => builder.with_skip_signature(true),
                }
            }
            Who::Nobody | Who::Unknown => builder.with_skip_signature(true),
        })
    }

    /// Returns what tells one set of credentials and settings from another.
    pub(super) fn identity(&self) -> (Who, Option<String>, Option<String>, String) {
        (self.who.clone(), self.region.clone(), self.endpoint.clone(), self.profile.clone())
    }
}

fn half(given: &str, missing: &str) -> Error {
    Error::value(format!("{given} is set but {missing} is not: set both or neither"))
}

fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1"))
}

/// Returns the role of variables, or fails for a profile that needs a programme of AWS's own.
fn roles(env: &Env, profile: &BTreeMap<String, String>, name: &str) -> Result<Who> {
    let set = |name: &&str| env.vars.get(*name).filter(|value| !value.is_empty());
    let found: Vec<(String, String)> =
        ROLES.iter().filter_map(|name| Some(((*name).to_owned(), set(name)?.clone()))).collect();
    let has = |name: &str| found.iter().any(|(found, _)| found == name);
    let complete = has("AWS_WEB_IDENTITY_TOKEN_FILE") && has("AWS_ROLE_ARN")
        || has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        || has("AWS_CONTAINER_CREDENTIALS_FULL_URI") && has("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if complete {
        return Ok(Who::Role(found));
    }
    let needs = ["sso_session", "sso_start_url", "credential_process", "role_arn"]
        .iter()
        .find(|key| profile.contains_key(**key));
    match needs {
        Some(key) => Err(Error::value(format!(
            "The AWS profile '{name}' gets its keys by {key}, which is not supported: run \
             `aws configure export-credentials --profile {name} --format env` and set the variables it prints"
        ))),
        None => Ok(Who::Unknown),
    }
}

/// Asks the machine itself, briefly: away from AWS nobody answers.
async fn machine_role(env: &Env) -> Option<AwsCredentialProvider> {
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 0, retry_timeout: METADATA };
    let mut builder = AmazonS3Builder::new().with_bucket_name("role").with_retry(retry);
    if let Some(endpoint) = env.vars.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        builder = builder.with_metadata_endpoint(endpoint);
    }
    let provider = Arc::clone(builder.build().ok()?.credentials());
    match tokio::time::timeout(METADATA, provider.get_credential()).await {
        Ok(Ok(_)) => Some(provider),
        _ => None,
    }
}

/// Returns the settings of a profile in one of the shared files.
fn section(path: &std::path::Path, profile: &str) -> Option<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).ok()?;
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim();
            inside = name.strip_prefix("profile ").map_or(name, str::trim) == profile;
            if inside {
                found.get_or_insert_default();
            }
        } else if inside
            && !line.starts_with([' ', '\t'])
            && let (Some(found), Some((name, value))) = (&mut found, trimmed.split_once('='))
        {
            // Indented lines belong to nested settings of other services.
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    fn env(home: &std::path::Path, vars: &[(&str, &str)]) -> Env {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Env::new(|| Timestamp(0), |bytes| bytes.fill(0), home, home).with_vars(vars)
    }

    fn keys(aws: &Aws) -> Option<(&str, &str, Option<&str>)> {
        match &aws.who {
            Who::Keys { id, secret, token, .. } => Some((id, secret, token.as_deref())),
            _ => None,
        }
    }

    #[test]
    fn variables_win_over_profiles() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        let credentials = "[default]\naws_access_key_id = A\naws_secret_access_key = B\n# [lab]\n[lab]\n\
                           aws_access_key_id=C\naws_secret_access_key=D\naws_session_token=E\n";
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        let config = "[default]\nregion = eu-west-1\n[profile lab]\nregion = eu-north-1\ns3 =\n  region = x\n\
                      endpoint_url = http://localhost:1/\n[profile sso]\nsso_session = me\n";
        fs::write(home.path().join(".aws/config"), config).unwrap();

        let aws = Aws::find(&env(home.path(), &[])).unwrap();
        assert_eq!((keys(&aws), aws.region.as_deref()), (Some(("A", "B", None)), Some("eu-west-1")));
        let aws = Aws::find(&env(home.path(), &[("AWS_PROFILE", "lab")])).unwrap();
        assert_eq!((keys(&aws), aws.region.as_deref()), (Some(("C", "D", Some("E"))), Some("eu-north-1")));
        assert_eq!(aws.endpoint.as_deref(), Some("http://localhost:1"));
        let set = [("AWS_ACCESS_KEY_ID", "F"), ("AWS_SECRET_ACCESS_KEY", "G"), ("AWS_REGION", "us-west-2")];
        let aws = Aws::find(&env(home.path(), &set)).unwrap();
        assert_eq!((keys(&aws), aws.region.as_deref()), (Some(("F", "G", None)), Some("us-west-2")));

        let refused = |vars: &[(&str, &str)]| Aws::find(&env(home.path(), vars)).err().unwrap();
        assert!(refused(&[("AWS_PROFILE", "none")]).message().contains("'none'"));
        assert!(refused(&[("AWS_PROFILE", "sso")]).message().contains("sso_session"));
        assert!(refused(&[("AWS_ACCESS_KEY_ID", "F")]).message().contains("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn roles_and_nobody() {
        let home = tempfile::tempdir().unwrap();
        let role = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:r")];
        assert!(
            matches!(Aws::find(&env(home.path(), &role)).unwrap().who, Who::Role(found) if found.len() == 2)
        );
        let nobody = Aws::find(&env(home.path(), &role[1..])).unwrap();
        assert!(matches!(nobody.who, Who::Unknown));
        assert!(nobody.who.words().contains("AWS_ACCESS_KEY_ID"));
    }
}
