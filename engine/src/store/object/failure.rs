//! What went wrong in a store, in words that name the object and the next step.

use std::error::Error as StdError;

use object_store::Error as Theirs;
use object_store::client::{HttpError, HttpErrorKind};

use super::client::Client;
use crate::error::{Error, ErrorKind};

/// Returns our error for theirs; `what` is the object's URL, `root` that of its location.
pub(super) fn explain(client: &Client, root: &str, what: &str, error: Theirs) -> Error {
    let text = chain(&error);
    let code = code_of(&text);
    let who = &client.who;
    let (kind, message) = match (code.as_deref(), &error) {
        (Some("NoSuchBucket" | "ContainerNotFound"), _) => (
            ErrorKind::FileNotFound,
            format!(
                "The bucket of {root} does not exist at {}: create it or correct the root",
                client.endpoint
            ),
        ),
        (Some("RequestTimeTooSkewed" | "RequestExpired"), _) => (
            ErrorKind::PermissionDenied,
            format!(
                "{root} refuses requests because the clock of this machine is wrong: set it (for example with \
                 `timedatectl set-ntp true`) and try again"
            ),
        ),
        (Some("InvalidAccessKeyId" | "InvalidToken" | "UnrecognizedClientException"), _) => (
            ErrorKind::PermissionDenied,
            format!("{root} does not know the credentials; asked {who}: correct them"),
        ),
        (Some("ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException"), _) => (
            ErrorKind::PermissionDenied,
            format!("The credentials for {root} have expired; asked {who}: log in again"),
        ),
        (Some("SignatureDoesNotMatch"), _) => (
            ErrorKind::PermissionDenied,
            format!("{root} refuses the signature; asked {who}: the secret key is wrong"),
        ),
        (Some("XAmzContentSHA256Mismatch" | "BadDigest"), _) => (
            ErrorKind::Io,
            format!("{what} arrived damaged and was refused by the store; nothing was replaced, try again"),
        ),
        (
            Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"),
            _,
        ) => (
            ErrorKind::InvalidArgument,
            format!(
                "The bucket of {root} lies in another region than {}: set AWS_REGION to the bucket's region",
                client.region.as_deref().unwrap_or("the one asked")
            ),
        ),
        (Some("EntityTooLarge" | "QuotaExceeded" | "XMinioStorageFull"), _) => {
            (ErrorKind::Io, format!("{root} has no room for {what}: {text}"))
        }
        (_, Theirs::NotFound { .. }) => (ErrorKind::FileNotFound, what.to_owned()),
        (_, Theirs::AlreadyExists { .. }) => (ErrorKind::FileExists, format!("{what} already exists")),
        (_, Theirs::Precondition { .. }) => (
            ErrorKind::Io,
            format!("{what} changed while it was read or written; try again once nobody writes to it"),
        ),
        (_, Theirs::PermissionDenied { .. } | Theirs::Unauthenticated { .. }) => {
            (ErrorKind::PermissionDenied, format!("No permission for {what}; asked {who}"))
        }
        (_, Theirs::NotImplemented { .. } | Theirs::NotSupported { .. }) => {
            (ErrorKind::Unsupported, format!("{root} cannot do this: {text}"))
        }
        (Some("SlowDown" | "ServiceUnavailable" | "TooManyRequests" | "ServerBusy"), _) => (
            ErrorKind::Io,
            format!("{root} is too busy: {what} was tried again several times in vain; try again later"),
        ),
        _ => transport(client, root, what, &error, &text),
    };
    Error::new(kind, message).because(error)
}

fn transport(client: &Client, root: &str, what: &str, error: &Theirs, text: &str) -> (ErrorKind, String) {
    let message = match http_kind(error) {
        Some(HttpErrorKind::Connect) => {
            format!(
                "{root} cannot be reached at {}: check the network, the endpoint and whether its server runs",
                client.endpoint
            )
        }
        Some(HttpErrorKind::Timeout) => {
            format!("{root} did not answer in time while {what} was on its way; try again later")
        }
        Some(_) => format!(
            "The connection to {root} broke while {what} was on its way, again and again; check the network and try again"
        ),
        None if text.contains("429") || text.contains("503") => {
            format!("{root} is too busy: {what} was tried again several times in vain; try again later")
        }
        None => format!("{root} failed on {what}: {text}; try again once its server is well"),
    };
    (ErrorKind::Io, message)
}

fn http_kind(error: &Theirs) -> Option<HttpErrorKind> {
    let mut source: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = source {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        source = error.source();
    }
    None
}

/// Returns all messages of an error once, on one line.
fn chain(error: &Theirs) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the code of an error document.
fn code_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.trim().to_owned())
}
