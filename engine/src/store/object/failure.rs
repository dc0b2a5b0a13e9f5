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
        (code, _) if is_skewed(code, &text) => (
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
        (Some("AuthenticationFailed" | "InvalidAuthenticationInfo"), _) => (
            ErrorKind::PermissionDenied,
            format!("{root} refuses the credentials; asked {who}: the key or token is wrong or has expired"),
        ),
        // What may not be read anonymously is hidden.
        (Some("ResourceNotFound" | "PublicAccessNotPermitted" | "NoAuthenticationInformation"), _) => {
            (ErrorKind::PermissionDenied, denied(what, who))
        }
        (Some("XAmzContentSHA256Mismatch" | "BadDigest" | "Md5Mismatch"), _) => (
            ErrorKind::Io,
            format!("{what} arrived damaged and was refused by the store; nothing was replaced, try again"),
        ),
        (Some("NoSuchUpload"), _) => (
            ErrorKind::Io,
            format!("The upload of {what} was given up by somebody else; nothing was replaced, try again"),
        ),
        (Some("InvalidBlockList"), _) => (
            ErrorKind::Io,
            format!("{what} was written by somebody else while it was sent; nothing was replaced, try again"),
        ),
        (Some("InvalidBlobOrBlock"), _) => (
            ErrorKind::Io,
            format!(
                "{what} cannot be sent in parts because another program left parts of it: write a small file there with that \
                 program, or wait a week until they have vanished, and try again"
            ),
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
        _ if is_denied(&error, &text) => (ErrorKind::PermissionDenied, denied(what, who)),
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

/// Returns what to say to somebody whom the store does not let; who asks as nobody in particular is told already what to do.
fn denied(what: &str, who: &str) -> String {
    let advice = match who.starts_with("anonymously") {
        true => "",
        false => ": ask its owner for permission, or use other credentials",
    };
    format!("No permission for {what}; asked {who}{advice}")
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
        None if matches!(status_of(text), Some(429 | 503)) => {
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

/// Returns true when the store answered that it will not do what was asked.
pub(super) fn is_refusal(error: &Theirs) -> bool {
    matches!(status(error), Some(400 | 401 | 403))
}

/// Returns true when the store answered with this code.
pub(super) fn has_code(error: &Theirs, code: &str) -> bool {
    code_of(&chain(error)).as_deref() == Some(code)
}

/// Returns the status of the answer that an error tells of.
pub(super) fn status(error: &Theirs) -> Option<u16> {
    status_of(&chain(error))
}

fn is_denied(error: &Theirs, text: &str) -> bool {
    matches!(error, Theirs::PermissionDenied { .. } | Theirs::Unauthenticated { .. })
        || matches!(status_of(text), Some(401 | 403))
}

/// Returns true when the store found the time of a request too far from its own.
fn is_skewed(code: Option<&str>, text: &str) -> bool {
    match code {
        Some("RequestTimeTooSkewed" | "RequestExpired") => true,
        // Azure has one code for whatever is wrong with a signature.
        Some("AuthenticationFailed") => text.to_ascii_lowercase().contains("date header"),
        _ => false,
    }
}

/// Returns the status of the answer that a failure tells of.
fn status_of(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// Returns the code of an error document.
fn code_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.trim().to_owned())
}
