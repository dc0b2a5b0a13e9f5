//! Requests of our own to a bucket, for what the library does not know: signed as it signs its own, and tried again as it
//! tries.

use std::fmt;
use std::time::Instant;

use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody};
use object_store::gcp::GcpCredentialProvider;
use object_store::path::Path as Location;
use object_store::{Error as Theirs, Result, RetryConfig};

/// What asking a bucket itself needs; S3 and Google speak alike.
pub(super) struct Signer {
    pub(super) signing: Signing,
    /// URL of the bucket.
    pub(super) bucket: String,
    pub(super) http: HttpClient,
    pub(super) retry: RetryConfig,
}

/// How requests show who asks.
pub(super) enum Signing {
    /// Not at all.
    Nobody,
    /// By a signature for a region.
    Signature(AwsCredentialProvider, String),
    /// By a token; an empty one is none.
    Token(GcpCredentialProvider),
    /// As Azure wants it, for an account.
    Azure(AzureCredentialProvider, String),
}

/// What a store said to a request that it carried out; all of it is small.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    /// Returns the text of a header.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }
}

impl Signer {
    /// Returns the URL of an object.
    pub(super) fn url(&self, location: &Location) -> String {
        let place: Vec<String> = location.as_ref().split('/').map(encode).collect();
        format!("{}/{}", self.bucket, place.join("/"))
    }

    /// Sends a request that does no harm when it arrives twice; what fails in passing is tried again, for a while.
    ///
    /// # Errors
    /// What the store or the network say at last, as the library words it.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: HttpRequestBody,
    ) -> Result<Answer> {
        let started = Instant::now();
        let (mut tries, mut pause) = (0, self.retry.backoff.init_backoff);
        loop {
            let failed = match self.send_once(&method, url, &headers, &body).await? {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let patient = tries < self.retry.max_retries && started.elapsed() < self.retry.retry_timeout;
            if !patient || !failed.may_pass() {
                return Err(failed.into_theirs(url));
            }
            tokio::time::sleep(pause).await;
            tries += 1;
            pause = pause.mul_f64(self.retry.backoff.base).min(self.retry.backoff.max_backoff);
        }
    }

    async fn send_once(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: &HttpRequestBody,
    ) -> Result<Result<Answer, Failed>> {
        let mut request = Request::new(body.clone());
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.parse().map_err(generic)?;
        *request.headers_mut() = headers.clone();
        if ![Method::GET, Method::HEAD].contains(method) {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.content_length()));
        }
        self.sign(&mut request).await?;
        let answer = match self.http.execute(request).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(Failed::Lost(error))),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(match answer.into_body().bytes().await {
            Err(error) => Err(Failed::Lost(error)),
            Ok(body) => {
                let body = String::from_utf8_lossy(&body).into_owned();
                let status = if status.is_success() { in_time(&body).unwrap_or(status) } else { status };
                match status.is_success() {
                    true => Ok(Answer { headers, body }),
                    false => Err(Failed::Refused(status, body)),
                }
            }
        })
    }

    async fn sign(&self, request: &mut HttpRequest) -> Result<()> {
        match &self.signing {
            Signing::Nobody => {}
            Signing::Signature(credentials, region) => {
                let credential = credentials.get_credential().await?;
                AwsAuthorizer::new(&credential, "s3", region).authorize(request, None);
            }
            Signing::Token(credentials) => {
                let credential = credentials.get_credential().await?;
                if !credential.bearer.is_empty() {
                    let bearer = format!("Bearer {}", credential.bearer);
                    let mut bearer = HeaderValue::from_str(&bearer).map_err(generic)?;
                    bearer.set_sensitive(true);
                    request.headers_mut().insert(AUTHORIZATION, bearer);
                }
            }
            Signing::Azure(credentials, account) => {
                let credential = credentials.get_credential().await?;
                AzureAuthorizer::new(&credential, account).authorize(request);
            }
        }
        Ok(())
    }
}

/// Why a request was not carried out.
#[derive(Debug)]
enum Failed {
    Refused(StatusCode, String),
    Lost(HttpError),
}

impl Failed {
    fn may_pass(&self) -> bool {
        match self {
            Failed::Refused(status, _) => is_passing(status.as_u16()),
            Failed::Lost(error) => !matches!(error.kind(), HttpErrorKind::Decode | HttpErrorKind::Unknown),
        }
    }

    fn into_theirs(self, url: &str) -> Theirs {
        // What signs may be in the query.
        let path = url.split('?').next().unwrap_or_default().to_owned();
        match self {
            Failed::Lost(error) => generic(error),
            Failed::Refused(status, _) => {
                let source = Box::new(self);
                match status {
                    StatusCode::NOT_FOUND => Theirs::NotFound { path, source },
                    StatusCode::PRECONDITION_FAILED => Theirs::Precondition { path, source },
                    StatusCode::CONFLICT => Theirs::AlreadyExists { path, source },
                    StatusCode::FORBIDDEN => Theirs::PermissionDenied { path, source },
                    StatusCode::UNAUTHORIZED => Theirs::Unauthenticated { path, source },
                    _ => Theirs::Generic { store: STORE, source },
                }
            }
        }
    }
}

const STORE: &str = "bucket";

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // In the words of the library, in which `failure` looks for status and code.
            Failed::Refused(status, body) => {
                write!(f, "Server returned non-2xx status code: {status}: {body}")
            }
            Failed::Lost(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}

/// Returns an error of the library's for one that has no status.
pub(super) fn generic(error: impl std::error::Error + Send + Sync + 'static) -> Theirs {
    Theirs::Generic { store: STORE, source: Box::new(error) }
}

/// Returns the status that an answer would have, had it been given in time: completing takes S3 so long that it says at once
/// that all is well, and why it is not in what follows.
fn in_time(body: &str) -> Option<StatusCode> {
    if !body.contains("<Error>") {
        return None;
    }
    Some(match value(body, "Code").as_deref() {
        Some("PreconditionFailed") => StatusCode::PRECONDITION_FAILED,
        Some("ConditionalRequestConflict") => StatusCode::CONFLICT,
        Some("NoSuchUpload" | "NoSuchKey") => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// Returns true for answers that say that the same request may succeed later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Returns the text of the first element of this name.
pub(super) fn value(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.trim().to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

/// Returns a text as a part of a query or path.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_entities() {
        let xml = "<Upload><Key>a&amp;lt; &lt;b&gt;</Key><UploadId> x </UploadId></Upload>";
        assert_eq!(value(xml, "Key").as_deref(), Some("a&lt; <b>"));
        assert_eq!(value(xml, "UploadId").as_deref(), Some("x"));
        assert_eq!(value(xml, "Initiated"), None);
        assert_eq!(encode("a/b c"), "a%2Fb%20c");
    }

    #[test]
    fn what_is_said_late_counts_as_if_said_in_time() {
        let late = |code: &str| in_time(&format!("  <?xml?><Error><Code>{code}</Code></Error>"));
        assert_eq!(late("PreconditionFailed"), Some(StatusCode::PRECONDITION_FAILED));
        assert!(late("InternalError").is_some_and(|status| is_passing(status.as_u16())));
        assert_eq!(in_time("<CompleteMultipartUploadResult/>"), None);
    }
}
