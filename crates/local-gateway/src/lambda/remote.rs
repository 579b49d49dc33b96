//! Invocations through a running `cargo lambda watch`, which starts the functions itself and rebuilds them on edits.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::Value;

use super::error::InvokeError;

/// The Lambda Invoke API of a `cargo lambda watch`.
#[derive(Debug, Clone)]
pub(super) struct CargoLambdaWatch {
    url: String,
    client: reqwest::Client,
}

impl CargoLambdaWatch {
    /// `url` is for example `http://127.0.0.1:9000`.
    pub(super) fn at(url: &str) -> CargoLambdaWatch {
        // The functions are on this machine, so proxies are ignored.
        let client = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        CargoLambdaWatch { url: url.trim_end_matches('/').to_owned(), client }
    }

    /// Invokes the function of a binary. The first invocation waits for the first build, which cannot be observed from
    /// here, so the limit is an hour instead of the function's `Timeout`.
    pub(super) async fn invoke(&self, function: &str, binary: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let url = format!("{}/2015-03-31/functions/{binary}/invocations", self.url);
        let unreachable = |problem: String| InvokeError::Unreachable { function: function.to_owned(), problem };
        let answer = self
            .client
            .post(&url)
            .header("Content-Type", "application/json")
            .timeout(Duration::from_secs(3_600))
            .body(payload)
            .send()
            .await
            .map_err(|problem| {
                unreachable(format!(
                    "no response from `cargo lambda watch` at {} ({}); is it running?",
                    self.url,
                    problem.without_url()
                ))
            })?;
        let status = answer.status();
        let failed = status.is_server_error() || answer.headers().contains_key("x-amz-function-error");
        let body = answer.bytes().await.map_err(|problem| unreachable(problem.without_url().to_string()))?;
        if status.is_success() && !failed {
            return Ok(body);
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(payload) if failed && payload["errorMessage"].is_string() => {
                Err(InvokeError::FunctionError { function: function.to_owned(), payload })
            }
            _ => Err(unreachable(format!(
                "`cargo lambda watch` at {} did not run {binary}: {status} {}",
                self.url,
                String::from_utf8_lossy(&body)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use serde_json::json;

    use super::*;

    /// Responds like cargo-lambda: 200 with a result, 500 with a function's error, 404 for an unknown function.
    async fn fake_watch() -> CargoLambdaWatch {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let path = "/2015-03-31/functions/";
        let routes =
            Router::new().route(&format!("{path}send-message/invocations"), post(|body: Bytes| async { body })).route(
                &format!("{path}connect/invocations"),
                post(|| async {
                    let error = json!({"errorType": "Refused", "errorMessage": "no"}).to_string();
                    (StatusCode::INTERNAL_SERVER_ERROR, error)
                }),
            );
        tokio::spawn(async { axum::serve(listener, routes).await });
        CargoLambdaWatch::at(&format!("{url}/"))
    }

    #[tokio::test]
    async fn results_are_returned() {
        let payload = Bytes::from_static(b"{\"a\":1}");
        assert_eq!(fake_watch().await.invoke("F", "send-message", payload.clone()).await.unwrap(), payload);
    }

    #[tokio::test]
    async fn function_errors_differ_from_watch_errors() {
        let watch = fake_watch().await;
        let error = watch.invoke("F", "connect", Bytes::new()).await.unwrap_err();
        assert_eq!(error.error_message(), "no");
        let error = watch.invoke("F", "nobody", Bytes::new()).await.unwrap_err();
        assert!(matches!(error, InvokeError::Unreachable { .. }), "{error}");
    }

    #[tokio::test]
    async fn connection_errors_name_the_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = CargoLambdaWatch::at(&url).invoke("F", "connect", Bytes::new()).await.unwrap_err();
        assert!(error.to_string().contains(&url) && error.to_string().contains("is it running?"), "{error}");
    }
}
