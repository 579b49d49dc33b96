//! The signed headers in which a trusted proxy says who is connecting (`Credentials=proxy`).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use testkit::people::{Person, seconds_since_the_epoch};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName};

const NAMES: [&str; 8] = ["user", "user-type", "hospital", "name", "language", "until", "timestamp", "nonce"];

/// What a proxy says about a user. A value that is `None` is not sent.
#[derive(Debug, Clone, Default)]
pub struct ProxyHeaders {
    values: [Option<String>; 8],
}

impl ProxyHeaders {
    /// Of a user, issued now and valid for ten minutes.
    #[must_use]
    pub fn of(user: &str, nonce: &str) -> Self {
        let now = seconds_since_the_epoch();
        let headers = Self::default().with("user", user).with("nonce", nonce);
        headers.with("timestamp", &now.to_string()).with("until", &(now + 600).to_string())
    }

    /// Of a user or a member of staff, without a name.
    #[must_use]
    pub fn of_person(person: &Person) -> Self {
        let mut headers = Self::of(&person.user_id, &uuid::Uuid::new_v4().to_string());
        if let Some(hospital) = &person.hospital_id {
            headers = headers.with("user-type", "hospital").with("hospital", hospital);
        }
        match &person.language {
            Some(language) => headers.with("language", language),
            None => headers,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.values[Self::place(name)] = Some(value.to_owned());
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.values[Self::place(name)] = None;
        self
    }

    /// The headers without a signature.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in NAMES.iter().zip(&self.values) {
            if let Some(value) = value {
                headers.insert(Self::header(name), value.parse().unwrap());
            }
        }
        headers
    }

    #[must_use]
    pub fn signed(&self, key: &str) -> HeaderMap {
        let lines: Vec<_> = self.values.iter().map(|value| value.as_deref().unwrap_or_default()).collect();
        let text = format!("damso-gateway-1\n{}", lines.join("\n"));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), text.as_bytes());
        let mut headers = self.headers();
        headers.insert(Self::header("signature"), URL_SAFE_NO_PAD.encode(signature).parse().unwrap());
        headers
    }

    #[must_use]
    pub fn header(name: &str) -> HeaderName {
        HeaderName::from_bytes(format!("x-damso-{name}").as_bytes()).unwrap()
    }

    fn place(name: &str) -> usize {
        NAMES.iter().position(|known| *known == name).expect("one of the signed headers")
    }
}
