//! How a reader reaches its function.

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;

use super::event::{Record, batch};
use crate::interceptor::Interceptor;
use crate::lambda::{Functions, InvokeError};

/// Invokes functions by their logical id: [`Functions`], or a fake in tests.
pub(crate) trait Invoker: Clone + Send + Sync + 'static {
    fn invoke(&self, logical_id: &str, payload: Bytes) -> impl Future<Output = Response> + Send;
}

impl Invoker for Functions {
    async fn invoke(&self, logical_id: &str, payload: Bytes) -> Response {
        Functions::invoke(self, logical_id, payload).await
    }
}

pub(super) type Response = Result<Bytes, InvokeError>;

/// The response to the first `records` of a batch that have none yet.
pub(super) struct PartialResponse {
    pub(super) records: usize,
    pub(super) response: Response,
}

/// Delivers batches to the function of one reader.
pub(super) trait BatchInvoker: Send + Sync {
    /// Waits until the next batch may be delivered.
    fn ready(&self) -> impl Future<Output = ()> + Send;

    /// Delivers a batch, in one invocation or in concurrent ones for consecutive parts of it.
    fn deliver(&mut self, records: &[Record]) -> impl Future<Output = Vec<PartialResponse>> + Send;

    /// Delivers a batch again. The response changes nothing, as when Lambda has lost its checkpoint.
    fn redeliver(&self, records: &[Record]) -> impl Future<Output = ()> + Send;
}

/// Delivers every batch at once, in one invocation.
pub(super) struct DirectInvoker<I> {
    pub(super) invoker: I,
    pub(super) function: String,
    pub(super) interceptor: Arc<dyn Interceptor>,
}

impl<I: Invoker> DirectInvoker<I> {
    pub(super) async fn invoke(&self, records: &[Record]) -> Response {
        match self.invoker.invoke(&self.function, batch(records)).await {
            Err(InvokeError::Stopped) => Err(InvokeError::Stopped),
            response => self.interceptor.stream_response(&self.function, response),
        }
    }
}

impl<I: Invoker> BatchInvoker for DirectInvoker<I> {
    async fn ready(&self) {}

    async fn deliver(&mut self, records: &[Record]) -> Vec<PartialResponse> {
        vec![PartialResponse { records: records.len(), response: self.invoke(records).await }]
    }

    async fn redeliver(&self, records: &[Record]) {
        let _ = self.invoke(records).await;
    }
}
