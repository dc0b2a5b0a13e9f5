//! Requests with bounds on time: a server that accepts and then says nothing must not hold anybody up.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService, ReqwestConnector,
};
use tokio::time::{Instant, Sleep};

use super::plain::Plain;
use crate::env::Env;

/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Bytes per second below which an upload counts as stuck.
const SLOWEST: u64 = 64 * 1024;

/// Makes clients that give up on silent servers instead of on slow transfers.
#[derive(Debug, Default)]
pub(super) struct Connector {
    inner: ReqwestConnector,
    /// No proxy lies between, and no answer sends the client elsewhere.
    direct: bool,
}

impl Connector {
    /// Returns a connector to a server that answers itself; a proxy that variables name is gone through all the same.
    pub(super) fn direct(env: &Env) -> Connector {
        let proxy = |name: &String| ["http_proxy", "all_proxy"].contains(&name.to_lowercase().as_str());
        Connector { direct: !env.vars.keys().any(proxy), ..Connector::default() }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // Bounds are kept here: a bound on the whole request would cut off large transfers over slow lines.
        let options = options.clone().with_timeout_disabled();
        let plain = self.direct.then(Plain::new);
        Ok(HttpClient::new(Guarded { inner: self.inner.connect(&options)?, plain }))
    }
}

#[derive(Debug)]
struct Guarded {
    inner: HttpClient,
    /// For what is not encrypted.
    plain: Option<Plain>,
}

#[async_trait::async_trait]
impl HttpService for Guarded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let sending = Duration::from_secs(request.body().content_length() as u64 / SLOWEST);
        let answering = async {
            match &self.plain {
                Some(plain) if request.uri().scheme() == Some(&Scheme::HTTP) => plain.execute(request).await,
                _ => self.inner.execute(request).await,
            }
        };
        match tokio::time::timeout(SILENCE + sending, answering).await {
            Err(_) => Err(silent()),
            Ok(Err(error)) => Err(refine(error)),
            Ok(Ok(response)) => Ok(response.map(|body| HttpResponseBody::new(Watched::new(body)))),
        }
    }
}

/// Lets transport failures of unclear kind be tried again.
fn refine(error: HttpError) -> HttpError {
    match error.kind() {
        HttpErrorKind::Unknown => HttpError::new(HttpErrorKind::Interrupted, Cause(error)),
        _ => error,
    }
}

#[derive(Debug)]
struct Cause(HttpError);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

#[derive(Debug)]
struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server said nothing for {} seconds", SILENCE.as_secs())
    }
}

impl StdError for Silent {}

fn silent() -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, Silent)
}

/// A response whose parts must keep coming.
struct Watched {
    body: HttpResponseBody,
    silence: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Watched {
    fn new(body: HttpResponseBody) -> Self {
        Watched { body, silence: Box::pin(tokio::time::sleep(SILENCE)), waiting: false }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                self.waiting = false;
                Poll::Ready(frame)
            }
            Poll::Pending => {
                // Silence starts when somebody listens: time that the reader took is not the server's.
                if !self.waiting {
                    self.waiting = true;
                    self.silence.as_mut().reset(Instant::now() + SILENCE);
                }
                self.silence.as_mut().poll(context).map(|()| Some(Err(silent())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
