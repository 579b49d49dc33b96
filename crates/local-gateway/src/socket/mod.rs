//! API Gateway's WebSocket API on loopback: handshakes, messages, and on the same port the management API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;

mod authorizer;
pub(crate) mod event;
mod handshake;
mod limits;
mod route;
mod session;

pub use limits::Limits;
pub use route::{NoSelection, RouteSelection};

use crate::connections::{Connections, forbidden};
use crate::faults::Faults;
use crate::faults::cut::{CuttableListener, Peer};
use crate::lambda::Functions;
use crate::living::Living;
use event::Envelope;
use sam_template::{StackContext, WebSocketApi};

/// How long the ends of connections may take when the gateway stops: their closing, and `$disconnect`.
const FAREWELL: Duration = Duration::from_secs(5);

/// What every connection of one API needs.
pub(crate) struct Api {
    pub model: WebSocketApi,
    pub selection: RouteSelection,
    pub envelope: Envelope,
    pub limits: Limits,
    pub functions: Functions,
    pub connections: Connections,
    pub faults: Faults,
    pub stopping: watch::Receiver<bool>,
    pub sessions: Living,
}

/// A WebSocket API that is being served.
pub(crate) struct Socket {
    address: SocketAddr,
    api: Arc<Api>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl Socket {
    /// Serves the API on that listener.
    pub(crate) fn serve(
        listener: TcpListener,
        model: &WebSocketApi,
        selection: RouteSelection,
        stack: &StackContext,
        limits: &Limits,
        functions: Functions,
        connections: Connections,
    ) -> std::io::Result<Socket> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let api = Arc::new(Api {
            selection,
            envelope: Envelope {
                api_id: model.id.clone(),
                stage: model.stage.clone(),
                domain_name: format!("{}.execute-api.{}.amazonaws.com", model.id, stack.region),
                connect_arn: model.method_arn(&stack.region, &stack.account, "$connect"),
                port: address.port(),
            },
            model: model.clone(),
            limits: limits.clone(),
            functions,
            faults: connections.faults().clone(),
            connections,
            stopping: stopping.clone(),
            sessions: Living::none_yet(),
        });
        let routes = Router::new()
            .route("/{stage}/@connections/{id}", any(manage))
            .fallback(connect)
            // The management API tells too much by itself, in its own words.
            .layer(DefaultBodyLimit::disable())
            .with_state(api.clone())
            .into_make_service_with_connect_info::<Peer>();
        let listener = CuttableListener(listener);
        let server = tokio::spawn(async move {
            let mut stopping = stopping;
            let stopped = async move {
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            if let Err(problem) = axum::serve(listener, routes).with_graceful_shutdown(stopped).await {
                tracing::error!(%problem, "the WebSocket API ended");
            }
        });
        Ok(Socket { address, api, stop, server })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ids of the open connections.
    pub(crate) fn connection_ids(&self) -> Vec<String> {
        self.api.connections.ids()
    }

    /// Begins to stop: no new connections, and the open ones are closed with 1001.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops, and waits until the connections are closed and `$disconnect` has run for them, but not for ever.
    pub(crate) async fn shut_down(&self) {
        self.stop();
        let _ = tokio::time::timeout(FAREWELL, self.api.sessions.ended()).await;
        self.server.abort();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.stop();
        self.server.abort();
    }
}

async fn manage(
    State(api): State<Arc<Api>>,
    Path((stage, id)): Path<(String, String)>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if stage != api.model.stage {
        return forbidden();
    }
    api.connections.manage(&method, &headers, &id, body, &peer.scissors).await
}

async fn connect(
    State(api): State<Arc<Api>>,
    ConnectInfo(client): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    handshake::answer(api, client.address, request).await
}
