//! Requests over plain connections, on which every answer is acknowledged as it comes.
//!
//! Simple servers send an answer in pieces and hold the last one back until those before it are acknowledged, while the
//! system delays acknowledgements by up to 40 ms to save packets: a file that takes one millisecond would take forty.

use std::error::Error as StdError;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use object_store::client::{
    HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
};
use tokio::net::TcpStream;
use tower_service::Service;

use super::client::{AGENT, CONNECT, REQUESTS};

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);

/// A client for addresses that start with `http://`, without proxies.
#[derive(Debug)]
pub(super) struct Plain(Client<Connector, HttpRequestBody>);

impl Plain {
    pub(super) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(IDLE));
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(REQUESTS);
        Plain(builder.build(Connector(tcp)))
    }

    pub(super) async fn execute(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.headers_mut().insert(http::header::USER_AGENT, HeaderValue::from_static(AGENT));
        let answer = self.0.request(request).await.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { kind_of(&error) };
            HttpError::new(kind, error)
        })?;
        Ok(answer.map(|body| HttpResponseBody::new(Answer(body))))
    }
}

/// Returns what kind of failure it was, which decides whether the request is sent again.
fn kind_of(error: &(dyn StdError + 'static)) -> HttpErrorKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_timeout() {
                return HttpErrorKind::Timeout;
            }
            if error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted() {
                return HttpErrorKind::Request;
            }
        }
        if let Some(ErrorKind::TimedOut) = error.downcast_ref::<io::Error>().map(io::Error::kind) {
            return HttpErrorKind::Timeout;
        }
        cause = error.source();
    }
    HttpErrorKind::Interrupted
}

/// The body of an answer.
struct Answer(hyper::body::Incoming);

impl http_body::Body for Answer {
    type Data = bytes::Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, HttpError>>> {
        let frame = Pin::new(&mut self.0).poll_frame(context);
        frame.map(|frame| Some(frame?.map_err(|error| HttpError::new(kind_of(&error), error))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

/// Makes connections.
#[derive(Clone, Debug)]
struct Connector(HttpConnector);

impl Service<Uri> for Connector {
    type Response = Eager;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Eager, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move { Ok(Eager(connecting.await?)) })
    }
}

/// A connection that acknowledges what it reads.
struct Eager(TokioIo<TcpStream>);

impl Connection for Eager {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl Read for Eager {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(context, buffer);
        // The system takes the wish back as soon as a request is sent. Where it refuses, answers are slower, that is all.
        #[cfg(target_os = "linux")]
        let _ = rustix::net::sockopt::set_tcp_quickack(self.0.inner(), true);
        read
    }
}

impl Write for Eager {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }
}
