//! Serves the web page as built into `web/dist`, so that trying it needs nothing but Rust and a browser.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

/// The page's server. Dropping it stops it.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    task: tokio::task::AbortHandle,
}

/// A link that signs somebody in.
#[derive(Debug, Clone)]
pub struct Login {
    pub path: &'static str,
    pub token: String,
}

impl Page {
    /// Serves a folder of built files on loopback, with a short path for each login. `/both` shows all of them on one
    /// page. Tokens travel in the URL's fragment, which browsers never send to a server.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(address: SocketAddr, folder: &Path, websocket_url: &str, logins: &[Login]) -> io::Result<Self> {
        let sides: Vec<_> = logins.iter().map(|login| json!({"url": websocket_url, "token": login.token})).collect();
        let pair = URL_SAFE_NO_PAD.encode(json!(sides).to_string());
        let mut routes = Router::new().route("/both", redirect(format!("/#pair={pair}")));
        for Login { path, token } in logins {
            let url: String = url::form_urlencoded::byte_serialize(websocket_url.as_bytes()).collect();
            routes = routes.route(path, redirect(format!("/#url={url}&token={token}")));
        }
        let routes = routes.fallback_service(ServeDir::new(folder));
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move { axum::serve(listener, routes).await }).abort_handle();
        Ok(Self { address, task })
    }

    /// The URL of a path.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn redirect(to: String) -> axum::routing::MethodRouter {
    get(async move || Redirect::temporary(&to))
}
