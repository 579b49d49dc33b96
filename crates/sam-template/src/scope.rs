//! Everything that an intrinsic function can refer to, unresolved.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::StackContext;

pub(crate) struct Scope {
    pub(crate) stack: StackContext,
    /// Parameter → value; a list parameter is an array.
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) mappings: Map<String, Value>,
    pub(crate) conditions: Map<String, Value>,
    /// Logical id → resource as written; only resources whose condition holds.
    pub(crate) resources: BTreeMap<String, Value>,
    /// Logical ids that SAM generates → their `Ref`.
    pub(crate) generated: BTreeMap<String, String>,
}

impl Scope {
    pub(crate) fn resource_type(&self, id: &str) -> &str {
        self.resources.get(id).and_then(|resource| resource["Type"].as_str()).unwrap_or_default()
    }

    /// The logical ids of all resources of a type.
    pub(crate) fn resources_of_type(&self, resource_type: &str) -> impl Iterator<Item = &String> {
        self.resources.keys().filter(move |id| self.resource_type(id) == resource_type)
    }

    /// A property of a resource, as written.
    pub(crate) fn property(&self, id: &str, name: &str) -> Option<&Value> {
        self.resources.get(id)?.get("Properties")?.get(name)
    }

    /// An ARN in the stack's region and account.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.stack.region, self.stack.account)
    }
}
