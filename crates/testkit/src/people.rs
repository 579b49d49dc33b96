//! People with tokens, among them the two of the demo.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

/// Somebody who can connect: a user (a patient) or a member of a hospital's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The token's `sub`.
    pub user_id: String,
    /// The display name.
    pub name: Option<String>,
    /// The language this person reads and writes.
    pub language: Option<String>,
    /// The hospital that this person works for; `None` for a user.
    pub hospital_id: Option<String>,
}

impl Person {
    #[must_use]
    pub fn user(user_id: &str, name: &str, language: &str) -> Self {
        Self {
            user_id: user_id.to_owned(),
            name: Some(name.to_owned()),
            language: Some(language.to_owned()),
            hospital_id: None,
        }
    }

    /// A member of a hospital's staff, who speaks as the hospital.
    #[must_use]
    pub fn staff(user_id: &str, hospital_id: &str, name: &str, language: &str) -> Self {
        Self { hospital_id: Some(hospital_id.to_owned()), ..Self::user(user_id, name, language) }
    }

    /// The participant that this person speaks as: `user:<id>` or `hospital:<id>`.
    #[must_use]
    pub fn participant(&self) -> String {
        match &self.hospital_id {
            Some(hospital) => format!("hospital:{hospital}"),
            None => format!("user:{}", self.user_id),
        }
    }

    /// The claims of this person's token, without `exp`.
    #[must_use]
    pub fn claims(&self) -> Value {
        let mut claims = json!({
            "sub": self.user_id,
            "user_type": if self.hospital_id.is_some() { "hospital" } else { "user" },
        });
        for (claim, value) in [("hospital_id", &self.hospital_id), ("name", &self.name), ("language", &self.language)] {
            if let Some(value) = value {
                claims[claim] = json!(value);
            }
        }
        claims
    }

    /// A token that is valid for `lifetime`, signed with HS256.
    #[must_use]
    pub fn token(&self, secret: &str, lifetime: Duration) -> String {
        let mut claims = self.claims();
        claims["exp"] = json!(seconds_since_the_epoch() + lifetime.as_secs());
        sign(&claims, secret)
    }
}

/// Signs any claims with HS256, including claims that no honest issuer would sign.
#[must_use]
#[expect(clippy::expect_used, reason = "claims are plain JSON, and HMAC takes a key of any length")]
pub fn sign(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("plain JSON can be signed")
}

#[must_use]
#[expect(clippy::expect_used, reason = "no running machine has a clock before 1970")]
pub fn seconds_since_the_epoch() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs()
}

/// The demo's patient, who writes Japanese.
#[must_use]
pub fn patient() -> Person {
    Person::user("aiko", "愛子", "ja")
}

/// The demo's hospital coordinator, who writes Korean.
#[must_use]
pub fn coordinator() -> Person {
    Person::staff("minjun", "seoul-clinic", "민준", "ko")
}

/// The hospital of the demo, as the parameter `Hospitals` declares it.
#[must_use]
pub fn demo_hospital() -> Value {
    json!([{"id": "seoul-clinic", "name": "Seoul Clinic", "languages": ["ko"]}])
}

/// Hospitals for the parameter `Hospitals` of a test: patients can open consults with them before any of their staff
/// has connected.
#[must_use]
pub fn hospitals() -> Value {
    let named = ["seoul-clinic", "busan-clinic", "jeju-clinic", "other-clinic"].map(str::to_owned);
    let numbered = (0..100).map(|number| format!("h{number}"));
    named.into_iter().chain(numbered).map(|id| json!({"id": id})).collect()
}

/// The room of the demo's patient and coordinator.
pub const CONSULTATION: &str = "consult:aiko:seoul-clinic";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_speak_as_their_hospital() {
        assert_eq!(coordinator().participant(), "hospital:seoul-clinic");
        assert_eq!(patient().participant(), "user:aiko");
    }

    #[test]
    fn user_claims_no_hospital() {
        assert_eq!(patient().claims(), json!({"sub": "aiko", "user_type": "user", "name": "愛子", "language": "ja"}));
    }
}
