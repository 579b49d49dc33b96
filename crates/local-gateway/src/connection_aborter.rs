//! TCP connections that can be aborted in the middle of a request: the client gets no response, only the end of the
//! connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener for abortable connections. Data is sent immediately (`TCP_NODELAY`).
pub(crate) struct AbortableListener(pub TcpListener);

pub(crate) struct AbortableStream {
    stream: TcpStream,
    aborter: ConnectionAborter,
}

/// The client of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub address: SocketAddr,
    pub aborter: ConnectionAborter,
}

/// Aborts one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionAborter(Arc<AtomicBool>);

impl ConnectionAborter {
    /// Nothing more is sent, not even the response to the current request.
    pub(crate) fn abort(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Fails once aborted; the server drops a connection at its first error.
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Listener for AbortableListener {
    type Io = AbortableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (AbortableStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // A response must not wait for the acknowledgement of the previous one.
        let _ = stream.set_nodelay(true);
        (AbortableStream { stream, aborter: ConnectionAborter::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, AbortableListener>> for Peer {
    fn connect_info(connection: IncomingStream<'_, AbortableListener>) -> Peer {
        Peer { address: *connection.remote_addr(), aborter: connection.io().aborter.clone() }
    }
}

impl AsyncRead for AbortableStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.aborter.check()?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for AbortableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.aborter.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.aborter.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
