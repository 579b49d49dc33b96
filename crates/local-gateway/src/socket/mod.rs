//! API Gateway's WebSocket API on loopback: handshakes, messages, and on the same port the management API.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

mod api;
mod authorizer;
mod connection;
mod connections;
mod disconnect;
mod ending;
mod event;
mod faulty_pushes;
mod function_result;
mod handshake;
mod limits;
mod management;
mod message;
mod responses;
mod route_selection;
mod session;

pub use limits::Limits;
pub(crate) use management::Authorize;
pub use route_selection::InvalidExpression;
pub(crate) use route_selection::RouteSelection;

use crate::connection_aborter::{AbortableListener, Peer};
use crate::faults::Faults;
use crate::interceptor::Interceptor;
use crate::lambda::Functions;
use api::Api;
use connections::Connections;
use event::Envelope;
use faulty_pushes::FaultyPushes;
use management::Management;
use sam_template::{StackContext, WebSocketApi};

/// What a WebSocket API needs from the rest of the gateway.
pub(crate) struct SocketOptions {
    pub(crate) selection: RouteSelection,
    pub(crate) limits: Limits,
    pub(crate) functions: Functions,
    pub(crate) authorize: Authorize,
    pub(crate) interceptor: Arc<dyn Interceptor>,
    pub(crate) faults: Faults,
}

/// A running WebSocket API.
pub(crate) struct Socket {
    address: SocketAddr,
    api: Arc<Api>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl Socket {
    pub(crate) fn serve(
        listener: TcpListener,
        model: &WebSocketApi,
        stack: &StackContext,
        options: SocketOptions,
    ) -> std::io::Result<Socket> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let connections = Connections::new(options.limits.message_bytes);
        let faults = options.faults;
        let sessions = TaskTracker::new();
        // A tracker can only be waited for once it is closed; that does not keep it from tracking more.
        sessions.close();
        let api = Arc::new(Api {
            envelope: Envelope {
                api_id: model.id.clone(),
                stage: model.stage.clone(),
                domain_name: format!("{}.execute-api.{}.amazonaws.com", model.id, stack.region),
                connect_arn: model.method_arn(&stack.region, &stack.account, "$connect"),
                port: address.port(),
            },
            model: model.clone(),
            selection: options.selection,
            limits: options.limits,
            functions: options.functions,
            management: Management {
                pushes: FaultyPushes { connections: connections.clone(), faults: faults.clone() },
                authorize: options.authorize,
                interceptor: options.interceptor,
            },
            connections,
            faults,
            stopping: stopping.clone(),
            sessions,
        });
        let routes = Router::new()
            .route("/{stage}/@connections/{id}", any(manage))
            .fallback(connect)
            // The management API rejects large bodies itself, in the words of API Gateway.
            .layer(DefaultBodyLimit::disable())
            .with_state(api.clone())
            .into_make_service_with_connect_info::<Peer>();
        let server = tokio::spawn(async move {
            let mut stopping = stopping;
            let stopped = async move {
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            let serve = axum::serve(AbortableListener(listener), routes);
            if let Err(problem) = serve.with_graceful_shutdown(stopped).await {
                tracing::error!(%problem, "the WebSocket API stopped");
            }
        });
        Ok(Socket { address, api, stop, server })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ids of the open connections.
    pub(crate) fn connection_ids(&self) -> Vec<String> {
        self.api.connections.ids()
    }

    /// Starts to stop: accepts no new connections, and closes the open ones with 1001.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops, and waits until the connections are closed and `$disconnect` has run for them, up to the timeout.
    pub(crate) async fn shut_down(&self) {
        self.stop();
        let _ = tokio::time::timeout(self.api.limits.shutdown_timeout, self.api.sessions.wait()).await;
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
        return responses::forbidden();
    }
    api.management.answer(&method, &headers, &id, body, &peer.aborter).await
}

async fn connect(
    State(api): State<Arc<Api>>,
    ConnectInfo(client): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    handshake::answer(api, client.address, request).await
}
