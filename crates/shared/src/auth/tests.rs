use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::config::ClaimNames;

const SECRET: &str = "a secret of at least thirty-two bytes";
const LATER: u64 = 4_102_444_800;

fn tokens(audience: Option<&str>) -> Tokens {
    let claims = ClaimNames {
        user_type: "user_type".to_owned(),
        hospital_id: "hospital_id".to_owned(),
        name: "name".to_owned(),
        language: "language".to_owned(),
    };
    let config = TokenConfig {
        in_query: true,
        allowed_origins: Vec::new(),
        issuer: None,
        audience: audience.map(str::to_owned),
        jwks_url: None,
        claims,
    };
    Tokens::new(config, Keys::Fixed(SECRET))
}

fn sign(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("signs")
}

async fn check(claims: Value) -> Result<Identity, TokenError> {
    tokens(None).check(&sign(&claims, Algorithm::HS256, SECRET)).await
}

#[tokio::test]
async fn a_valid_token_says_who_is_calling() {
    let identity = check(json!({"sub": "u1", "exp": LATER, "name": "愛子", "language": "JA"})).await.expect("valid");
    assert_eq!(identity.participant.to_string(), "user:u1");
    assert_eq!(identity.language.expect("a language").as_str(), "ja");
    assert_eq!(identity.session_until.seconds(), LATER);
    let staff =
        check(json!({"sub": "n1", "exp": LATER, "user_type": "hospital", "hospital_id": "h9"})).await.expect("valid");
    assert_eq!(staff.participant.to_string(), "hospital:h9");
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_unauthorized() {
    for claims in [
        json!({"sub": "u1", "exp": 1_000}),
        json!({"sub": "u1"}),
        json!({"exp": LATER}),
        json!({"sub": "u1", "exp": LATER, "nbf": LATER}),
        json!({"sub": "u1", "exp": "4102444800"}),
        json!({"sub": 5, "exp": LATER}),
    ] {
        assert!(matches!(check(claims.clone()).await, Err(TokenError::Unauthorized(_))), "{claims}");
    }
    let good = json!({"sub": "u1", "exp": LATER});
    for token in [
        sign(&good, Algorithm::HS256, "another secret of thirty-two bytes!!"),
        sign(&good, Algorithm::HS512, SECRET),
        "not.a.token".to_owned(),
        String::new(),
        "x".repeat(9_000),
    ] {
        assert!(matches!(tokens(None).check(&token).await, Err(TokenError::Unauthorized(_))));
    }
}

#[tokio::test]
async fn a_token_ends_at_its_exp_and_not_a_leeway_later() {
    let just_now = jsonwebtoken::get_current_timestamp();
    let found = check(json!({"sub": "u1", "exp": just_now})).await;
    assert!(matches!(found, Err(TokenError::Unauthorized("it has expired"))), "{found:?}");
}

#[tokio::test]
async fn a_valid_token_that_names_nobody_here_is_forbidden() {
    for claims in [
        json!({"sub": "auth0|1", "exp": LATER}),
        json!({"sub": "u1", "exp": LATER, "user_type": "admin"}),
        json!({"sub": "u1", "exp": LATER, "user_type": "hospital"}),
        json!({"sub": "u1", "exp": LATER, "user_type": "hospital", "hospital_id": "a:b"}),
    ] {
        assert!(matches!(check(claims.clone()).await, Err(TokenError::Forbidden(_))), "{claims}");
    }
}

#[tokio::test]
async fn the_audience_may_stand_in_aud_or_in_cognitos_client_id() {
    let checked = tokens(Some("app"));
    for (claims, taken) in [
        (json!({"sub": "u1", "exp": LATER, "aud": "app"}), true),
        (json!({"sub": "u1", "exp": LATER, "aud": ["other", "app"]}), true),
        (json!({"sub": "u1", "exp": LATER, "client_id": "app"}), true),
        (json!({"sub": "u1", "exp": LATER, "aud": "other"}), false),
        (json!({"sub": "u1", "exp": LATER}), false),
    ] {
        let found = checked.check(&sign(&claims, Algorithm::HS256, SECRET)).await;
        assert_eq!(found.is_ok(), taken, "{claims}");
    }
}
