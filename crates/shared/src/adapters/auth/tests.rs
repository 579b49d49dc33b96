use jsonwebtoken::{EncodingKey, Header, encode};
use protocol::clock::Timestamp;
use protocol::ids::UserId;
use serde_json::{Value, json};

use super::*;
use crate::adapters::secrets::tests::{rotate, secret_in, secret_response};
use crate::http_stub::HttpStub;

const SECRET: &str = "a secret of at least thirty-two bytes";
const LATER: u64 = 4_102_444_800;
const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn tokens(issuers: &str) -> Tokens {
    let issuers = IssuerConfig::list(issuers).expect("a list of issuers");
    let issuers = issuers.into_iter().map(|config| Issuer { config, keys: Keys::Fixed(SECRET) });
    Tokens::new(issuers.collect(), Clock::Fixed(NOW))
}

fn sign(claims: &Value, algorithm: jsonwebtoken::Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("signs")
}

/// Signs any header and payload, including ones that no library would produce.
fn sign_as(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).expect("signs");
    format!("{signed}.{signature}")
}

async fn check_by(issuers: &str, claims: &Value) -> Result<Identity, TokenError> {
    tokens(issuers).check(&sign(claims, jsonwebtoken::Algorithm::HS256, SECRET)).await
}

async fn check(claims: Value) -> Result<Identity, TokenError> {
    check_by("", &claims).await
}

#[tokio::test]
async fn valid_token_identifies_the_caller() {
    let identity =
        check(json!({"sub": "u1", "exp": LATER, "iat": 5, "name": "愛子", "language": "JA"})).await.expect("valid");
    assert_eq!(identity.participant.to_string(), "user:u1");
    assert_eq!(identity.language.expect("a language").as_str(), "ja");
    assert_eq!(identity.session_until.seconds(), LATER);
    assert_eq!(identity.issued_at.expect("an iat").seconds(), 5);
    let staff =
        check(json!({"sub": "n1", "exp": LATER, "user_type": "hospital", "hospital_id": "h9"})).await.expect("valid");
    assert_eq!(staff.participant.to_string(), "hospital:h9");
}

/// Nine tenths of a second after a time.
fn fraction(seconds: u64) -> Value {
    serde_json::from_str(&format!("{seconds}.9")).expect("a number")
}

#[tokio::test]
async fn fractional_times_are_rounded_down() {
    let identity = check(json!({"sub": "u1", "exp": fraction(LATER), "iat": 5.9})).await.expect("valid");
    assert_eq!(identity.session_until.seconds(), LATER);
    assert_eq!(identity.issued_at.expect("an iat").seconds(), 5);
}

#[tokio::test]
async fn language_claims_are_read_or_ignored() {
    for (claim, expected) in [
        (json!("ja_JP"), Some("ja-JP")),
        (json!(" zh_CN "), Some("zh-CN")),
        (json!("Japanese"), None),
        (json!(5), None),
    ] {
        let identity = check(json!({"sub": "u1", "exp": LATER, "language": claim})).await.expect("valid");
        assert_eq!(identity.language.as_ref().map(|language| language.as_str()), expected, "{claim}");
    }
}

#[tokio::test]
async fn invalid_tokens_are_unauthorized() {
    let now = NOW.seconds();
    for claims in [
        json!({"sub": "u1", "exp": 1_000}),
        json!({"sub": "u1", "exp": now}),
        json!({"sub": "u1"}),
        json!({"exp": LATER}),
        json!({"sub": "u1", "exp": LATER, "nbf": LATER}),
        json!({"sub": "u1", "exp": LATER, "nbf": "soon"}),
        json!({"sub": "u1", "exp": LATER, "iat": "yesterday"}),
        json!({"sub": "u1", "exp": "4102444800"}),
        json!({"sub": "u1", "exp": -1.5}),
        json!({"sub": "u1", "exp": fraction(now)}),
        json!({"sub": "u1", "exp": null}),
        json!({"sub": "u1", "exp": -1}),
        json!({"sub": "u1", "exp": u64::MAX}),
        json!({"sub": 5, "exp": LATER}),
        json!({"sub": " ", "exp": LATER}),
    ] {
        assert!(matches!(check(claims.clone()).await, Err(TokenError::Unauthorized(_))), "{claims}");
    }
    let good = json!({"sub": "u1", "exp": LATER});
    for token in [
        sign(&good, jsonwebtoken::Algorithm::HS256, "another secret of thirty-two bytes!!"),
        sign(&good, jsonwebtoken::Algorithm::HS512, SECRET),
        "not.a.token".to_owned(),
        String::new(),
        "..".to_owned(),
        format!("{}.", sign(&good, jsonwebtoken::Algorithm::HS256, SECRET)),
        "x".repeat(9_000),
        sign(&json!({"sub": "u1", "exp": LATER, "more": "x".repeat(9_000)}), jsonwebtoken::Algorithm::HS256, SECRET),
    ] {
        assert!(matches!(tokens("").check(&token).await, Err(TokenError::Unauthorized(_))), "{token}");
    }
}

#[tokio::test]
async fn rotated_secret_takes_effect_at_once() {
    let manager = HttpStub::start().await;
    let clock = Clock::manual(NOW);
    let keys = Keys::Shared(secret_in(&manager, clock));
    let tokens = Tokens::new(vec![Issuer { config: IssuerConfig::default(), keys }], clock);
    let other = "another secret of thirty-two bytes!!";
    let [old, new] =
        [SECRET, other].map(|secret| sign(&json!({"sub": "u1", "exp": LATER}), jsonwebtoken::Algorithm::HS256, secret));
    manager.respond_with(200, "", &secret_response(SECRET));
    assert!(tokens.check(&old).await.is_ok());
    rotate(&manager, SECRET, other, NOW);
    assert!(tokens.check(&new).await.is_ok());
    assert!(tokens.check(&old).await.is_ok(), "tokens outlive the rotation");
    clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    assert!(tokens.check(&new).await.is_ok());
    assert!(matches!(tokens.check(&old).await, Err(TokenError::Unauthorized("signature does not match"))));
}

#[tokio::test]
async fn short_secrets_verify_nothing() {
    let manager = HttpStub::start().await;
    let keys = Keys::Shared(secret_in(&manager, Clock::Fixed(NOW)));
    let tokens = Tokens::new(vec![Issuer { config: IssuerConfig::default(), keys }], Clock::Fixed(NOW));
    let short = "thirty-one bytes are too short.";
    let token = sign(&json!({"sub": "u1", "exp": LATER}), jsonwebtoken::Algorithm::HS256, short);
    manager.respond_with(200, "", &secret_response(short));
    assert!(matches!(tokens.check(&token).await, Err(TokenError::Keys(_))));
}

/// The seeds and public keys of the first two tests of RFC 8032, 7.1.
const ED25519: [(&str, [u8; 32], &str); 2] = [
    (
        "first",
        [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
            0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ],
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    ),
    (
        "second",
        [
            0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a,
            0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
        ],
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    ),
];

#[tokio::test]
async fn key_rotation_accepts_new_and_drops_withdrawn_keys() {
    // PKCS #8 around the seed, RFC 8410.
    const BEFORE_A_SEED: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let [first, second] = ED25519.map(|(id, seed, _)| {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(jsonwebtoken::Algorithm::EdDSA) };
        let claims = json!({"iss": "pool", "sub": "u1", "exp": LATER});
        encode(&header, &claims, &EncodingKey::from_ed_der(&[&BEFORE_A_SEED, &seed[..]].concat())).expect("signs")
    });
    let [old, new] = ED25519.map(|(id, _, x)| json!({"kid": id, "kty": "OKP", "crv": "Ed25519", "x": x}));
    let issuer = HttpStub::start().await;
    let clock = Clock::manual(NOW);
    let publishes = |keys: &[&Value]| issuer.respond_with(200, "", &json!({"keys": keys}).to_string());
    let settings = json!([{"issuer": "pool", "jwks": issuer.url(), "algorithm": "EdDSA"}]).to_string();
    let config = IssuerConfig::list(&settings).expect("one issuer").remove(0);
    publishes(&[&old]);
    let keys = Keys::Published(KeySet::open(issuer.url(), clock).await);
    let tokens = Tokens::new(vec![Issuer { config, keys }], clock);
    assert!(tokens.check(&first).await.is_ok());
    publishes(&[&old, &new]);
    clock.advance(std::time::Duration::from_secs(10));
    for token in [&second, &first] {
        assert!(tokens.check(token).await.is_ok());
    }
    publishes(&[&new]);
    clock.advance(std::time::Duration::from_secs(300));
    assert!(tokens.check(&second).await.is_ok());
    assert!(matches!(tokens.check(&first).await, Err(TokenError::Unauthorized("issuer has no such key"))));
}

#[tokio::test]
async fn token_header_cannot_change_the_algorithm() {
    let payload = json!({"sub": "u1", "exp": LATER}).to_string();
    for algorithm in ["none", "None", "NONE", "nOnE", "", "hs256", "HS512", "RS256", "ES256", "EdDSA", "PS256"] {
        let token = sign_as(&json!({"alg": algorithm, "typ": "JWT"}).to_string(), &payload);
        let (unsigned, _) = token.rsplit_once('.').expect("three parts");
        for token in [token.clone(), format!("{unsigned}.")] {
            let found = tokens("").check(&token).await;
            assert!(matches!(found, Err(TokenError::Unauthorized(_))), "{algorithm}: {found:?}");
        }
    }
    let taken = tokens("").check(&sign_as(r#"{"alg":"HS256"}"#, &payload)).await;
    assert!(taken.is_ok(), "the unmodified header must be accepted: {taken:?}");
}

#[tokio::test]
async fn duplicate_claims_are_rejected() {
    for payload in [
        format!(r#"{{"sub":"u1","sub":"u2","exp":{LATER}}}"#),
        format!(r#"{{"sub":"u1","exp":1,"exp":{LATER}}}"#),
        format!(r#"{{"sub":"u1","exp":{LATER},"user_type":"user","user_type":"hospital","hospital_id":"h9"}}"#),
    ] {
        let found = tokens("").check(&sign_as(r#"{"alg":"HS256"}"#, &payload)).await;
        assert!(matches!(found, Err(TokenError::Unauthorized(_))), "{payload}: {found:?}");
    }
}

#[tokio::test]
async fn unusable_identities_are_forbidden() {
    for claims in [
        json!({"sub": "x".repeat(65), "exp": LATER}),
        json!({"sub": "u1", "exp": LATER, "user_type": "admin"}),
        json!({"sub": "u1", "exp": LATER, "user_type": "hospital"}),
        json!({"sub": "u1", "exp": LATER, "user_type": "hospital", "hospital_id": "a:b"}),
    ] {
        assert!(matches!(check(claims.clone()).await, Err(TokenError::Forbidden(_))), "{claims}");
    }
}

#[tokio::test]
async fn subjects_are_encoded_without_loss() {
    for (sub, id) in [
        ("auth0|1", "auth0~7C1"),
        ("auth0~7C1", "auth0~7E7C1"),
        ("아이코", "~EC~95~84~EC~9D~B4~EC~BD~94"),
        ("a@b.example", "a~40b.example"),
        ("consult:u1", "consult~3Au1"),
    ] {
        let identity = check(json!({"sub": sub, "exp": LATER})).await.expect(sub);
        assert_eq!(identity.user_id.as_str(), id);
    }
}

#[tokio::test]
async fn equal_subjects_of_two_issuers_stay_apart() {
    let issuers = r#"[{"issuer": "https://one.example"}, {"issuer": "https://two.example", "prefix": "two"}]"#;
    let mut ids = Vec::new();
    for (iss, sub) in [("one", "42"), ("two", "42"), ("one", "two~_42"), ("one", "two_42")] {
        let claims = json!({"iss": format!("https://{iss}.example"), "sub": sub, "exp": LATER});
        ids.push(check_by(issuers, &claims).await.expect("known").user_id.to_string());
    }
    assert_eq!(ids, ["42", "two~_42", "two~7E_42", "two_42"]);
    for iss in
        [json!("https://three.example"), json!(null), json!(["https://one.example"]), json!("https://one.example/")]
    {
        let found = check_by(issuers, &json!({"iss": iss, "sub": "42", "exp": LATER})).await;
        assert!(matches!(found, Err(TokenError::Unauthorized("unknown issuer"))), "{iss}: {found:?}");
    }
}

#[tokio::test]
async fn audience_is_read_from_aud_or_client_id() {
    for (claims, taken) in [
        (json!({"sub": "u1", "exp": LATER, "aud": "app"}), true),
        (json!({"sub": "u1", "exp": LATER, "aud": ["other", "app"]}), true),
        (json!({"sub": "u1", "exp": LATER, "client_id": "app"}), true),
        (json!({"sub": "u1", "exp": LATER, "aud": "other"}), false),
        (json!({"sub": "u1", "exp": LATER, "client_id": "other"}), false),
        // Access tokens of RFC 9068 have both: `client_id` names the app that requested it, only `aud` the audience.
        (json!({"sub": "u1", "exp": LATER, "aud": "app", "client_id": "other"}), true),
        (json!({"sub": "u1", "exp": LATER, "aud": "other", "client_id": "app"}), false),
        (json!({"sub": "u1", "exp": LATER, "aud": [], "client_id": "app"}), false),
        (json!({"sub": "u1", "exp": LATER, "aud": null, "client_id": "app"}), false),
        (json!({"sub": "u1", "exp": LATER}), false),
    ] {
        let found = check_by(r#"[{"audience": ["web", "app"]}]"#, &claims).await;
        assert_eq!(found.is_ok(), taken, "{claims}");
    }
}

#[tokio::test]
async fn token_use_must_match() {
    for (claims, taken) in [
        (json!({"sub": "u1", "exp": LATER, "token_use": "access"}), true),
        (json!({"sub": "u1", "exp": LATER, "token_use": "id"}), false),
        (json!({"sub": "u1", "exp": LATER}), false),
    ] {
        assert_eq!(check_by(r#"[{"token_use": "access"}]"#, &claims).await.is_ok(), taken, "{claims}");
    }
}

#[tokio::test]
async fn hospital_comes_only_from_the_configured_claim() {
    let groups = r#"[{"hospital": {"by": "group", "claim": "cognito:groups", "prefix": "hospital-"}}]"#;
    let nothing = r#"[{"hospital": {"by": "nothing"}}]"#;
    let claimed = json!({"user_type": "hospital", "hospital_id": "h9"});
    let in_groups = |groups: Value| json!({"cognito:groups": groups, "user_type": "hospital", "hospital_id": "evil"});
    for (issuers, more, who) in [
        ("", claimed.clone(), Some("hospital:h9")),
        (nothing, claimed.clone(), Some("user:u1")),
        (groups, claimed.clone(), Some("user:u1")),
        (groups, in_groups(json!(["nurses", "hospital-h9"])), Some("hospital:h9")),
        (groups, in_groups(json!(["nurses"])), Some("user:u1")),
        (groups, in_groups(json!(["hospital-h9", "hospital-h8"])), None),
        (groups, in_groups(json!(["hospital-"])), None),
    ] {
        let mut claims = json!({"sub": "u1", "exp": LATER});
        claims.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
        let found = check_by(issuers, &claims).await;
        assert_eq!(found.ok().map(|identity| identity.participant.to_string()).as_deref(), who, "{issuers} {claims}");
    }
}

#[test]
fn unsafe_issuer_settings_are_rejected() {
    let jwks = "https://issuer.example/jwks.json";
    for (issuers, problem) in [
        ("{}", "invalid type"),
        ("[]", "the list is empty"),
        (r#"[{"isuer": "x"}]"#, "isuer"),
        (r#"[{"algorithm": "none"}]"#, "none"),
        (r#"[{"algorithm": "RS256"}]"#, "`jwks` is missing"),
        (&format!(r#"[{{"algorithm": "HS256", "jwks": "{jwks}"}}]"#), "uses the secret"),
        (r#"[{"jwks": "http://issuer.example/jwks.json"}]"#, "https://"),
        (&format!(r#"[{{"jwks": "{jwks}"}}]"#), "`issuer` or `audience`"),
        (&format!(r#"[{{"jwks": "{jwks}", "audience": []}}]"#), "`issuer` or `audience`"),
        (&format!(r#"[{{"jwks": "{jwks}", "audience": [""]}}]"#), "`issuer` or `audience`"),
        (r#"[{}, {"issuer": "x"}]"#, "this `prefix`"),
        (r#"[{}, {"prefix": "x"}]"#, "this `issuer`"),
        (r#"[{"prefix": "a~_b"}]"#, "`prefix` must"),
        (r#"[{"hospital": {"by": "wish"}}]"#, "hospital"),
    ] {
        let error = IssuerConfig::list(issuers).expect_err(issuers).to_string();
        assert!(error.contains(problem), "{issuers}: {error}");
    }
    let list = format!(r#"[{{}}, {{"issuer": "x", "prefix": "x", "jwks": "{jwks}", "algorithm": "EdDSA"}}]"#);
    assert_eq!(IssuerConfig::list(&list).expect("two").len(), 2);
    let list = format!(r#"[{{"jwks": "{jwks}", "audience": ["app"]}}]"#);
    assert_eq!(IssuerConfig::list(&list).expect("limited by its audience").len(), 1);
    assert_eq!(IssuerConfig::list(" ").expect("the stack's own").len(), 1);
}

mod arbitrary_input {
    use proptest::prelude::*;

    use super::*;

    fn checked(token: &str) -> Result<Identity, TokenError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(tokens("").check(token))
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_rejected(text in "\\PC*") {
            prop_assert!(checked(&text).is_err());
        }

        #[test]
        fn arbitrary_payload_is_rejected(header in "\\PC{0,40}", payload in "\\PC{0,200}") {
            prop_assert!(checked(&sign_as(&header, &payload)).is_err());
        }

        #[test]
        fn any_modification_is_detected(at in 0usize..1_000, with in "[A-Za-z0-9_.-]") {
            let token = sign(&json!({"sub": "u1", "exp": LATER}), jsonwebtoken::Algorithm::HS256, SECRET);
            // The last character of the signature contains two unused bits.
            let at = at % (token.len() - 1);
            let mut changed = token.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != token);
            prop_assert!(checked(&changed).is_err(), "{}", changed);
        }

        #[test]
        fn subjects_never_share_an_id(one in "\\PC{1,20}", other in "\\PC{1,20}", prefix in "[a-z]{0,3}") {
            prop_assume!(one != other);
            let one = UserId::from_subject(&prefix, &one);
            let other = UserId::from_subject(&prefix, &other);
            if let (Ok(one), Ok(other)) = (one, other) {
                prop_assert_ne!(one, other);
            }
        }
    }
}

#[tokio::test]
async fn keys_of_several_issuers_are_fetched_concurrently() {
    let issuers = HttpStub::pair_answering_together().await;
    let mut settings = Vec::new();
    for (issuer, name) in issuers.iter().zip(["one", "two"]) {
        let key = json!({"kid": "key", "kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
        issuer.respond_with(200, "", &json!({"keys": [key]}).to_string());
        settings.push(json!({"issuer": name, "prefix": name, "jwks": issuer.url(), "algorithm": "EdDSA"}));
    }
    let settings = IssuerConfig::list(&json!(settings).to_string()).expect("two issuers");
    // Neither stub answers before both were asked: fetched one after the other, the first would be given up.
    let tokens = Tokens::open(&Aws::offline(), settings).await.expect("two issuers");
    for name in ["one", "two"] {
        let parts = [json!({"alg": "EdDSA", "kid": "key"}), json!({"iss": name})];
        let [header, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let found = tokens.check(&format!("{header}.{claims}.{}", "A".repeat(86))).await;
        assert!(
            matches!(found, Err(TokenError::Unauthorized("signature does not match"))),
            "the key of {name} is there: {found:?}"
        );
    }
}
