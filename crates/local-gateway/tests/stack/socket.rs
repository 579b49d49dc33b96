//! A gateway with the echo binary, and a client on a real socket.

use std::path::PathBuf;
use std::sync::Arc;

use futures::{SinkExt as _, StreamExt as _};
use local_gateway::faults::Plan;
use local_gateway::interceptor::{Interceptor, PassThrough};
use local_gateway::{Binaries, Gateway, Limits, LogSink, Options};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::DEADLINE;

/// One function for all routes; `say` replies, `whisper` has no route response.
pub const TEMPLATE: &str = "
Resources:
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: crates/echo
      Timeout: 300
      Environment:
        Variables:
          AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI: !Sub https://${ChatApi}.execute-api.${AWS::Region}.amazonaws.com/dev
      Policies:
        - Statement: {Effect: Allow, Action: execute-api:ManageConnections, Resource: '*'}
  ChatApi:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: dev
      RouteSelectionExpression: $request.body.action
      Auth:
        AuthType: CUSTOM
        AuthArn: !GetAtt EchoFunction.Arn
      Routes:
        $connect: {FunctionArn: !GetAtt EchoFunction.Arn}
        $disconnect: {FunctionArn: !GetAtt EchoFunction.Arn}
        say: {FunctionArn: !GetAtt EchoFunction.Arn, RouteResponseSelectionExpression: $default}
        whisper: {FunctionArn: !GetAtt EchoFunction.Arn}
        hurry:
          FunctionArn: !GetAtt EchoFunction.Arn
          IntegrationTimeout: 200
          RouteResponseSelectionExpression: $default
  SayResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref ChatApi, RouteId: !Ref ChatApiSayRoute, RouteResponseKey: $default}
  HurryResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref ChatApi, RouteId: !Ref ChatApiHurryRoute, RouteResponseKey: $default}
";

/// AWS's limits, but with time for a busy machine to close connections.
pub fn limits() -> Limits {
    Limits { close_timeout: DEADLINE, shutdown_timeout: DEADLINE, ..Limits::default() }
}

/// A running gateway and the folder of its template.
pub struct Stack {
    pub gateway: Gateway,
    pub folder: tempfile::TempDir,
}

impl Stack {
    pub async fn start() -> Stack {
        Stack::with(TEMPLATE, limits()).await
    }

    pub async fn with(template: &str, limits: Limits) -> Stack {
        Stack::start_with(template, limits, Plan::default(), Arc::new(PassThrough)).await
    }

    /// Injects faults from the start.
    pub async fn under(plan: Plan) -> Stack {
        Stack::start_with(TEMPLATE, limits(), plan, Arc::new(PassThrough)).await
    }

    pub async fn intercepted(interceptor: Arc<dyn Interceptor>) -> Stack {
        Stack::start_with(TEMPLATE, limits(), Plan::default(), interceptor).await
    }

    async fn start_with(template: &str, limits: Limits, faults: Plan, interceptor: Arc<dyn Interceptor>) -> Stack {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, template);
        let binaries = Binaries::Built { directory: super::binaries() };
        let options = Options { log: LogSink::Collect, limits, faults, interceptor, ..Options::new(path, binaries) };
        Stack { gateway: Gateway::start(options).await.unwrap(), folder }
    }

    /// Connects with an allowed token.
    pub async fn client(&self) -> Client {
        self.client_with("").await
    }

    /// The same with additional query parameters, for example `&connect=…`.
    pub async fn client_with(&self, query: &str) -> Client {
        Client(connect_async(self.url(query)).await.unwrap().0)
    }

    pub fn url(&self, query: &str) -> String {
        format!("{}?token=allow{query}", self.gateway.websocket_url())
    }

    /// The response to a handshake that is rejected.
    pub async fn rejected(&self, path_and_query: &str, headers: &[(&'static str, &str)]) -> Response<Option<Vec<u8>>> {
        let base = self.gateway.websocket_url();
        let base = base.strip_suffix("/dev").unwrap();
        let mut request = format!("{base}{path_and_query}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Err(Error::Http(response)) => *response,
            other => panic!("not rejected: {other:?}"),
        }
    }

    /// Waits for the `$disconnect` event of a connection: its `requestContext`.
    pub async fn disconnected(&self, connection: &str) -> Value {
        let line = self.gateway.logged(|line| line.line.starts_with("disconnected ") && line.line.contains(connection));
        serde_json::from_str(&line.await.line["disconnected ".len()..]).unwrap()
    }

    /// A request to `/@connections/<id>`, signed by a person instead of a function.
    pub fn manage(&self, method: reqwest::Method, id: &str) -> reqwest::RequestBuilder {
        let signature = "AWS4-HMAC-SHA256 Credential=AKIADEVELOPER/20261121/us-east-1/execute-api/aws4_request";
        reqwest::Client::new().request(method, self.management(id)).header("Authorization", signature)
    }

    /// The URL of `/@connections/<id>`.
    pub fn management(&self, id: &str) -> String {
        format!("{}/@connections/{}", self.gateway.management_url(), id.replace('=', "%3D"))
    }
}

pub fn written(folder: &tempfile::TempDir, template: &str) -> PathBuf {
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, template).unwrap();
    path
}

/// The client of a connection.
pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// Reads until the server closes: its code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    let closed = (code.into(), reason.as_str().to_owned());
                    // Answers the close frame and closes the socket, for which the gateway waits.
                    while let Some(Ok(_)) = self.next().await {}
                    let _ = self.0.get_mut().shutdown().await;
                    return closed;
                }
                Some(Ok(_)) => {}
                other => panic!("expected a close frame, got {other:?}"),
            }
        }
    }

    /// The connection's id as its function sees it.
    pub async fn id(&mut self) -> String {
        self.send(json!({"action": "say", "do": "event"})).await;
        self.json().await["requestContext"]["connectionId"].as_str().unwrap().to_owned()
    }

    /// Reads until the connection ends; true if it ended without a close frame.
    pub async fn is_cut(&mut self) -> bool {
        loop {
            match self.next().await {
                Some(Ok(Message::Close(_))) => return false,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return true,
            }
        }
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(DEADLINE, self.0.next()).await.expect("the server sends a frame")
    }
}
