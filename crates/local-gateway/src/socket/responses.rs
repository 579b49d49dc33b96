//! Responses in the words of API Gateway.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// The response to a request for an unknown stage, path or method.
pub(super) fn forbidden() -> Response<Body> {
    response(StatusCode::FORBIDDEN, Some("ForbiddenException"), Some(json!({ "message": "Forbidden" })))
}

/// The response to an unsigned request.
pub(super) fn unsigned() -> Response<Body> {
    let body = json!({ "message": "Missing Authentication Token" });
    response(StatusCode::FORBIDDEN, Some("MissingAuthenticationTokenException"), Some(body))
}

pub(super) fn response(status: StatusCode, error: Option<&str>, body: Option<Value>) -> Response<Body> {
    let mut response = match body {
        Some(body) => (status, axum::Json(body)).into_response(),
        None => status.into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(id) = uuid::Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(Ok(error)) = error.map(str::parse) {
        headers.insert("x-amzn-errortype", error);
    }
    response
}
