//! What a database URL says, and the URL without what nobody may read.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::passfile;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};

/// Seconds to wait for a server that does not answer, unless the URL says otherwise.
const CONNECT_SECONDS: u64 = 10;

/// Seconds that one statement may take, unless the environment says otherwise.
const STATEMENT_SECONDS: u64 = 600;

/// Parameters of other clients that change nothing here.
const IDLE: [&str; 6] =
    ["client_encoding", "fallback_application_name", "gssencmode", "krbsrvname", "sslcompression", "sslsni"];

/// Parameters of other clients that would change what must not be ignored.
const UNSUPPORTED: [&str; 7] = [
    "passfile",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcrl",
];

/// Who the other side of an encrypted connection must prove to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Anybody.
    Anyone,
    /// Somebody with a certificate of the authorities in this file, or of those that the machine trusts.
    Authority(Option<String>),
    /// As before, and the certificate is for the host.
    Host(Option<String>),
}

/// How to reach a database.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) trust: Trust,
    /// Time that one statement may take.
    pub(super) patience: Duration,
    /// The URL as it may be shown.
    pub(super) shown: String,
}

impl Target {
    /// Returns what a URL means.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a URL that cannot be followed; it is never repeated in full.
    pub(super) fn parse(env: &Env, url: &str) -> Result<Target> {
        let shown = masked(url);
        let refuse = |why: &str| Error::value(format!("The database URL {shown} cannot be used: {why}"));
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        // Django's names for the driver, such as postgresql+psycopg2.
        let (scheme, rest) = place.split_once("://").ok_or_else(|| refuse("it has no scheme"))?;
        if !scheme.starts_with("postgres") {
            return Err(refuse("it must start with postgresql://"));
        }
        let login = rest.split('/').next().unwrap_or_default();
        if login.matches('@').count() > 1 {
            return Err(refuse("user or password hold an @, which is written %40 there"));
        }
        let (mut mode, mut root, mut kept) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", value) => mode = Some(value.to_owned()),
                ("sslrootcert", value) => {
                    root = Some(value.replace("%2F", "/")).filter(|path| path != "system")
                }
                ("sslcert" | "sslkey" | "sslpassword", _) => {
                    return Err(refuse("client certificates are not supported"));
                }
                ("target_session_attrs", "primary") => kept.push("target_session_attrs=read-write"),
                ("target_session_attrs", "standby") => kept.push("target_session_attrs=read-only"),
                // Who prefers one takes the other.
                ("target_session_attrs", "prefer-standby") => {}
                (name, _) if IDLE.contains(&name) => {}
                (name, _) if UNSUPPORTED.contains(&name) => {
                    return Err(refuse(&format!("the parameter {name} is not supported: leave it out")));
                }
                _ => kept.push(pair),
            }
        }
        let mut plain = format!("postgresql://{rest}");
        if !kept.is_empty() {
            plain.push('?');
            plain.push_str(&kept.join("&"));
        }
        // The parser's own message may hold parts of the URL.
        let mut config: Config =
            plain.parse().map_err(|_| refuse("check user, password, host, port, database and parameters"))?;
        let mode = mode.or_else(|| env.vars.get("PGSSLMODE").cloned());
        let (mode, trust) = match mode.as_deref() {
            None | Some("prefer" | "allow" | "") => (SslMode::Prefer, Trust::Anyone),
            Some("disable") => (SslMode::Disable, Trust::Anyone),
            // As the client library of PostgreSQL does: who names an authority wants it to be asked.
            Some("require") if root.is_none() => (SslMode::Require, Trust::Anyone),
            Some("require" | "verify-ca") => (SslMode::Require, Trust::Authority(root)),
            Some("verify-full") => (SslMode::Require, Trust::Host(root)),
            Some(_) => {
                return Err(refuse("sslmode is one of disable, prefer, require, verify-ca, verify-full"));
            }
        };
        config.ssl_mode(mode);
        if config.get_user().is_none() {
            let user = env.vars.get("PGUSER").or_else(|| env.vars.get("USER"));
            config.user(user.ok_or_else(|| refuse("it names no user"))?);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host(env.vars.get("PGHOST").map_or("localhost", String::as_str));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(refuse("it names no database"));
        }
        if config.get_password().is_none()
            && let Some(password) =
                env.vars.get("PGPASSWORD").cloned().or_else(|| passfile::password(env, &config))
        {
            config.password(password);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(CONNECT_SECONDS));
        }
        if config.get_application_name().is_none() {
            config.application_name("holotype");
        }
        let patience = match env.var("LAMINDB_STATEMENT_TIMEOUT") {
            None => STATEMENT_SECONDS,
            Some(text) => text.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                Error::new(
                    ErrorKind::Value,
                    format!("HOLOTYPE_STATEMENT_TIMEOUT is a number of seconds, not '{text}'"),
                )
            })?,
        };
        Ok(Target { config, trust, patience: Duration::from_secs(patience), shown })
    }
}

/// Returns a server's URL with password and host hidden.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, authority),
    };
    let user = match login.map(|login| login.split_once(':').map_or((login, false), |(user, _)| (user, true)))
    {
        Some((user, true)) => format!("{user}:***@"),
        Some((user, false)) => format!("{user}@"),
        None => String::new(),
    };
    let port = place.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let port = port.map(|(_, port)| format!(":{port}")).unwrap_or_default();
    // Parameters may repeat the password.
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    format!("{scheme}://{user}***{port}/{path}")
}

/// Returns a server's URL as it is asked without a password in it, as `PGPASSWORD` and password files supply one.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => format!("{}@{host}", login.split(':').next().unwrap_or_default()),
        None => authority.to_owned(),
    };
    let kept: Vec<&str> = query
        .iter()
        .flat_map(|query| query.split('&'))
        .filter(|pair| !pair.starts_with("password="))
        .collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    format!("{scheme}://{authority}/{path}{query}")
}
