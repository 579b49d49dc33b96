//! Gives the interceptor a look at the functions' calls to DynamoDB.

use std::sync::Arc;

use serde_json::Value;

use super::services::{Call, Service, Services};
use crate::dynamodb::ApiError;
use crate::interceptor::{DynamoDbCall, Interceptor};

pub(crate) struct InterceptedServices {
    pub(crate) services: Services,
    pub(crate) interceptor: Arc<dyn Interceptor>,
}

impl InterceptedServices {
    pub(crate) async fn perform(&self, mut call: Call) -> Result<Value, ApiError> {
        let (Some(function), Service::DynamoDb) = (call.caller.clone(), call.service) else {
            return self.services.perform(&call).await;
        };
        let operation = call.operation.clone();
        let database = &self.services.database;
        let logical_id = |table: &str| database.logical_id(table).to_owned();
        let intercepted = DynamoDbCall { function: &function, operation: &operation, logical_id: &logical_id };
        self.interceptor.dynamodb_request(intercepted, &mut call.request);
        let mut response = self.services.perform(&call).await?;
        self.interceptor.dynamodb_response(intercepted, &call.request, &mut response);
        Ok(response)
    }
}
