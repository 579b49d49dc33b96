//! Tokens of issuers that publish their keys, such as Cognito.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use end_to_end::{Credential, DEADLINE, TOKEN_SECRET, World, seconds_since_the_epoch, sign};
use local_gateway::LogSink;
use local_gateway::faults::{Chance, Plan};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ISSUER: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Damso";
const CLIENT: &str = "4u1v2w3x4y5z";

enum Key {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    fn rsa() -> Self {
        Self::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The public half, as it is published.
    fn jwk(&self) -> Value {
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(key) => {
                let modulus = key.public_key().modulus();
                let exponent = key.public_key().exponent();
                json!({
                    "kty": "RSA", "alg": "RS256", "n": number(modulus.big_endian_without_leading_zero()),
                    "e": number(exponent.big_endian_without_leading_zero()),
                })
            }
            Self::P256(key) => {
                // An uncompressed point: the byte 4, then both coordinates.
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": number(x), "y": number(y)})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": number(key.public_key().as_ref())})
            }
        }
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::P256(key) => key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(text.as_bytes()).as_ref().to_vec(),
        }
    }
}

/// An issuer that signs tokens and publishes the public halves of its keys.
struct Issuer {
    keys: BTreeMap<&'static str, Key>,
    published: Arc<Mutex<Vec<Value>>>,
    fetches: Arc<AtomicUsize>,
    url: String,
}

impl Issuer {
    async fn start() -> Self {
        let mut issuer = Self::without_keys().await;
        issuer.add("first", Key::rsa());
        issuer.publish("first");
        issuer
    }

    async fn without_keys() -> Self {
        let (published, fetches): (Arc<Mutex<Vec<Value>>>, Arc<AtomicUsize>) = Default::default();
        let shown = published.clone();
        let counted = fetches.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/.well-known/jwks.json", listener.local_addr().unwrap());
        let keys = get(async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Json(json!({ "keys": *shown.lock().unwrap() }))
        });
        let routes = Router::new().route("/.well-known/jwks.json", keys);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { keys: BTreeMap::new(), published, fetches, url }
    }

    fn add(&mut self, id: &'static str, key: Key) {
        self.keys.insert(id, key);
    }

    fn publish(&self, id: &'static str) {
        let mut jwk = self.keys[id].jwk();
        jwk["kid"] = json!(id);
        jwk["use"] = json!("sig");
        self.published.lock().unwrap().push(jwk);
    }

    fn token(&self, key: &str, header: &Value, claims: &Value) -> String {
        token(header, claims, |text| self.keys[key].sign(text))
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// An ID token like Cognito's.
    fn id_token(&self, key: &str) -> String {
        self.token(key, &json!({"alg": "RS256", "kid": key}), &id_claims())
    }

    /// A stack that accepts only this issuer's tokens.
    async fn world(&self) -> World {
        self.world_with(json!({})).await
    }

    /// The same, with more settings of the issuer.
    async fn world_with(&self, more: Value) -> World {
        let mut issuer = json!({"issuer": ISSUER, "jwks": self.url, "audience": [CLIENT]});
        issuer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        taking(&json!([issuer])).await
    }
}

fn token(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = parts.join(".");
    let signature = sign(&signed);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A stack that accepts tokens of these issuers.
async fn taking(issuers: &Value) -> World {
    World::with(|options| {
        options.parameters.insert("TokenIssuers".to_owned(), issuers.to_string());
    })
    .await
}

fn id_claims() -> Value {
    json!({
        "sub": "0b3c1d2e-aaaa-bbbb-cccc-1234567890ab", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "name": "愛子",
        "exp": seconds_since_the_epoch() + 600,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn id_and_access_tokens_are_accepted() {
    let issuer = Issuer::start().await;
    let world = issuer.world().await;
    // An access token has `client_id` instead of `aud`.
    let mut access = id_claims();
    access.as_object_mut().unwrap().remove("aud");
    access["client_id"] = json!(CLIENT);
    access["token_use"] = json!("access");
    let access = issuer.token("first", &json!({"alg": "RS256", "kid": "first"}), &access);
    for token in [issuer.id_token("first"), access] {
        let mut client = world.try_connect(&token, Credential::Header).await.unwrap();
        let reply = client.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        assert_eq!(reply["room"]["room_id"], "consult:0b3c1d2e-aaaa-bbbb-cccc-1234567890ab:seoul-clinic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_or_altered_tokens_get_401() {
    let mut issuer = Issuer::start().await;
    issuer.add("never published", Key::rsa());
    // Another issuer, which publishes its own keys under the key ids that these tokens name.
    let mut elsewhere = Issuer::without_keys().await;
    for id in ["first", "x"] {
        elsewhere.add(id, Key::rsa());
        elsewhere.publish(id);
    }
    let world = issuer.world().await;
    let header = json!({"alg": "RS256", "kid": "first"});
    let with = |claim: &str, value: Value| {
        let mut claims = id_claims();
        claims[claim] = value;
        issuer.token("first", &header, &claims)
    };
    let bringing = |kid: &str| {
        let url = &elsewhere.url;
        let own = elsewhere.keys[kid].jwk();
        let header = json!({"alg": "RS256", "kid": kid, "jku": url, "x5u": url, "jwk": own});
        elsewhere.token(kid, &header, &id_claims())
    };
    let named = |kid: &str| issuer.token("first", &json!({"alg": "RS256", "kid": kid}), &id_claims());
    let tokens = [
        ("of another pool", with("iss", json!("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"))),
        ("for another client", with("aud", json!("somebody-else"))),
        ("expired", with("exp", json!(seconds_since_the_epoch() - 60))),
        ("of a key that is not published", issuer.id_token("never published")),
        ("signed by another key than it names", issuer.token("never published", &header, &id_claims())),
        ("naming a key by a path", named("../../first")),
        ("naming a key by a URL", named(&issuer.url)),
        ("naming a key by ten kilobytes", named(&"k".repeat(10_000))),
        ("of another algorithm", issuer.token("first", &json!({"alg": "RS512", "kid": "first"}), &id_claims())),
        ("unsigned", issuer.token("first", &json!({"alg": "none", "kid": "first"}), &id_claims())),
        ("naming no key", issuer.token("first", &json!({"alg": "RS256"}), &id_claims())),
        // The header chooses neither the algorithm nor the key.
        ("of the other kind of stack", sign(&id_claims(), TOKEN_SECRET)),
        ("bringing its own key, which nobody knows", bringing("x")),
        ("bringing its own key under the name of a known one", bringing("first")),
    ];
    for (what, token) in tokens {
        let refusal = world.try_connect(&token, Credential::Header).await.expect_err(what);
        assert_eq!(refusal.status, 401, "{what}");
    }
    assert_eq!(world.rows("ConnectionsTable").await.len(), 0);
    assert_eq!(elsewhere.fetches(), 0, "keys are never fetched from where a token says");
}

#[tokio::test(flavor = "multi_thread")]
async fn public_key_is_no_hmac_secret() {
    let issuer = Issuer::start().await;
    let settings = json!([{"issuer": ISSUER, "jwks": issuer.url, "audience": [CLIENT]}]);
    let world = World::with(|options| {
        options.parameters.insert("TokenIssuers".to_owned(), settings.to_string());
        options.log = LogSink::Collect;
    })
    .await;
    let Key::Rsa(key) = &issuer.keys["first"] else { panic!("an RSA key") };
    let der = key.public_key().as_der().unwrap().as_ref().to_vec();
    let lines: Vec<_> = STANDARD.encode(&der).as_bytes().chunks(64).map(<[u8]>::to_vec).collect();
    let lines = String::from_utf8(lines.join(&b'\n')).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
    let secrets = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last newline", pem.trim_end().into()),
        ("DER", der),
        ("the DER of PKCS #1", key.public_key().as_ref().to_vec()),
        ("the modulus, as it is published", issuer.keys["first"].jwk()["n"].as_str().unwrap().into()),
    ];
    for (what, secret) in &secrets {
        let mac =
            |text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes()).as_ref().to_vec();
        let token = token(&json!({"alg": "HS256", "kid": "first"}), &id_claims(), mac);
        let refusal = world.try_connect(&token, Credential::Header).await.expect_err(what);
        assert_eq!(refusal.status, 401, "{what}");
    }
    // Nothing else is wrong with these tokens: the key that they name is known, and their claims are valid.
    let reasons = RefCell::new(Vec::new());
    let all = world.gateway.logged(|line| {
        if line.line.contains("refused a connection") {
            reasons.borrow_mut().push(line.line.clone());
        }
        reasons.borrow().len() == secrets.len()
    });
    tokio::time::timeout(DEADLINE, all).await.expect("every refusal is logged");
    for reason in reasons.take() {
        assert!(reason.contains("algorithm is not the issuer's"), "{reason}");
    }
    world.try_connect(&issuer.id_token("first"), Credential::Header).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_issuer_gets_500_not_401() {
    let issuer = Issuer::start().await;
    // Nothing listens on this port.
    let world = taking(&json!([{"issuer": ISSUER, "jwks": "http://127.0.0.1:9/jwks.json"}])).await;
    let refusal = world.try_connect(&issuer.id_token("first"), Credential::Header).await.expect_err("no keys");
    assert_eq!(refusal.status, 500, "the caller may try again");
}

#[tokio::test(flavor = "multi_thread")]
async fn issuers_of_every_key_type_coexist() {
    let elliptic = || Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
    let edwards = || Key::Ed25519(Ed25519KeyPair::generate().unwrap());
    let mut entries = vec![json!({})];
    let mut issuers = Vec::new();
    for (name, algorithm, key) in
        [("rsa", "RS256", Key::rsa()), ("ec", "ES256", elliptic()), ("ed", "EdDSA", edwards())]
    {
        let mut issuer = Issuer::without_keys().await;
        issuer.add(name, key);
        issuer.publish(name);
        let iss = format!("https://{name}.example");
        entries.push(json!({"issuer": iss, "jwks": issuer.url, "algorithm": algorithm, "prefix": name}));
        issuers.push((name, algorithm, iss, issuer));
    }
    let world = taking(&Value::from(entries)).await;
    for (name, algorithm, iss, issuer) in &issuers {
        let claims = json!({
            "sub": "auth0|42", "iss": iss, "exp": seconds_since_the_epoch() + 600,
            "user_type": "hospital", "hospital_id": "h",
        });
        let token = issuer.token(name, &json!({"alg": algorithm, "kid": name}), &claims);
        let mut client = world.try_connect(&token, Credential::Header).await.expect(name);
        let reply = client.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        assert_eq!(
            reply["room"]["room_id"],
            format!("consult:{name}~_auth0~7C42:seoul-clinic"),
            "the role claims are ignored"
        );
        for other in ["rsa", "ec", "ed"].into_iter().filter(|other| other != name) {
            let mut stolen = claims.clone();
            stolen["iss"] = json!(format!("https://{other}.example"));
            let token = issuer.token(name, &json!({"alg": algorithm, "kid": name}), &stolen);
            let refusal = world.try_connect(&token, Credential::Header).await.expect_err("another issuer's key");
            assert_eq!(refusal.status, 401, "{name} as {other}");
        }
    }
    let own = json!({"sub": "42", "exp": seconds_since_the_epoch() + 600});
    world.try_connect(&sign(&own, TOKEN_SECRET), Credential::Header).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_key_is_found_without_fetch_floods() {
    let mut issuer = Issuer::start().await;
    let world = issuer.world().await;
    world.try_connect(&issuer.id_token("first"), Credential::Header).await.unwrap();
    issuer.add("second", Key::rsa());
    issuer.publish("second");
    let before = issuer.fetches();
    let begun = Instant::now();
    for number in 0..30 {
        let unknown =
            issuer.token("second", &json!({"alg": "RS256", "kid": format!("unknown-{number}")}), &id_claims());
        let refusal = world.try_connect(&unknown, Credential::Header).await.expect_err("unknown");
        assert_eq!(refusal.status, 401);
    }
    // After a fetch, a process of the authorizer fetches nothing for ten seconds. Its first fetch was when it started.
    let rests = usize::try_from(begun.elapsed().as_secs()).unwrap() / 10;
    assert!(issuer.fetches() <= before + 1 + rests, "{} fetches", issuer.fetches() - before);
    // A unit test of the key set, which can move the clock, covers processes after these ten seconds; this is a new
    // one.
    let mut plan = Plan::default();
    plan.lambda.functions.insert("AuthorizerFunction".to_owned());
    plan.lambda.cold = Chance::of(1.0);
    world.gateway.faults().set(plan).expect("a plan that can be followed");
    for key in ["second", "first"] {
        world.try_connect(&issuer.id_token(key), Credential::Header).await.expect(key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn id_token_is_refused_where_access_is_required() {
    let issuer = Issuer::start().await;
    let world = issuer.world_with(json!({"token_use": "access"})).await;
    let refusal = world.try_connect(&issuer.id_token("first"), Credential::Header).await.expect_err("an ID token");
    assert_eq!(refusal.status, 401);
    let mut access = id_claims();
    access["token_use"] = json!("access");
    let access = issuer.token("first", &json!({"alg": "RS256", "kid": "first"}), &access);
    world.try_connect(&access, Credential::Header).await.unwrap();
}
