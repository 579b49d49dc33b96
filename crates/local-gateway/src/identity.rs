//! Identifies callers: every function has its own access key id, which the SigV4 signature of each request contains.
//! The signature itself is not checked; on loopback, it would prove nothing.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use sam_template::Template;

/// The access key ids of a template's functions. They stay the same for a stack, so that an environment file stays
/// valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    functions: BTreeMap<String, String>,
}

impl Identities {
    pub fn of(template: &Template) -> Identities {
        let key = |function: &String| (access_key_id(&template.stack.stack_name, function), function.clone());
        Identities { functions: template.functions.keys().map(key).collect() }
    }

    /// The `AWS_ACCESS_KEY_ID` of a function; `None` if the template has no such function.
    pub fn access_key_id(&self, function: &str) -> Option<&str> {
        self.functions.iter().find_map(|(key, known)| (known == function).then_some(key.as_str()))
    }

    /// The logical id of the function with an access key id; `None` for any other client.
    pub fn function(&self, access_key_id: &str) -> Option<&str> {
        self.functions.get(access_key_id).map(String::as_str)
    }

    /// The logical id of the function that signed a request, from its `Authorization` header.
    pub fn caller(&self, authorization: &str) -> Option<&str> {
        self.function(signed_by(authorization)?)
    }
}

/// The access key id in a SigV4 `Authorization` header:
/// `AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request, SignedHeaders=…, Signature=…`.
pub fn signed_by(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.strip_prefix("AWS4-")?.split_once("Credential=")?;
    credential.split('/').next().filter(|key| !key.is_empty())
}

/// `ASIA`, the prefix of temporary credentials, and sixteen capital letters and digits.
fn access_key_id(stack: &str, function: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(format!("{stack}/{function}"));
    let letters = digest.iter().take(16).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    "ASIA".chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sam_template::StackContext;

    #[test]
    fn signatures_identify_functions() {
        let source = "
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: b}}
";
        let template = Template::parse(source, StackContext::local("demo"), &BTreeMap::new()).unwrap();
        let identities = Identities::of(&template);
        let key = identities.access_key_id("A").unwrap();
        assert_eq!(key.len(), 20);
        assert_ne!(identities.access_key_id("B"), Some(key));
        let scope = "20261120/us-east-1/dynamodb/aws4_request";
        let header = format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=00");
        assert_eq!(identities.caller(&header), Some("A"));
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=/x",
            "AWS4-HMAC-SHA256 Credential=AKIAOTHER/20261120/us-east-1/dynamodb/aws4_request",
        ] {
            assert_eq!(identities.caller(header), None, "{header}");
        }
        assert_eq!(identities, Identities::of(&template));
    }
}
