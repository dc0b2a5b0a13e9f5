//! Telling a server to stop with a statement.
//!
//! As PostgreSQL's own library does, the connection that carries the request stays until the other side ends it:
//! pgbouncer 1.18 goes down, and all its clients with it, when such a connection ends before the request was passed on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::config::Host;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Config};

use super::tls::{Encrypted, Handshake, Tls};

/// Asks the server of a connection to stop with what it does for it; returns false when it cannot be asked.
pub(super) async fn cancel(token: &CancelToken, config: &Config, tls: &Tls) -> bool {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (hosts, addresses) {
        ([Host::Tcp(name)], []) => {
            over(token, TcpStream::connect((name.as_str(), port)).await, tls, name).await
        }
        #[cfg(unix)]
        ([Host::Unix(folder)], []) => {
            let socket = tokio::net::UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await;
            over(token, socket, tls, "").await
        }
        // Only the library knows with which of several it speaks.
        _ => token.cancel_query(tls.clone()).await.is_ok(),
    }
}

async fn over<S>(token: &CancelToken, socket: io::Result<S>, tls: &Tls, host: &str) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(socket) = socket else { return false };
    let Ok(handshake) = MakeTlsConnect::<Lasting<S>>::make_tls_connect(&mut tls.clone(), host) else {
        return false;
    };
    token.cancel_query_raw(Lasting(socket), Lasting(handshake)).await.is_ok()
}

/// What does not end the connection, but waits until the other side does.
pub(super) struct Lasting<T>(pub(super) T);

impl<S> TlsConnect<S> for Lasting<Handshake>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Lasting<Encrypted<S>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connecting = self.0.connect(stream);
        Box::pin(async { Ok(Lasting(connecting.await?)) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Lasting<Encrypted<S>> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lasting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lasting<S> {
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
        let mut space = [0; 64];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            // However the other side ends it, it has heard.
            if ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer)).is_err()
                || buffer.filled().is_empty()
            {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
