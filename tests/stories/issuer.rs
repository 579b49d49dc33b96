//! Tokens of an issuer that publishes its RS256 keys, as Cognito does: the stack is told where they are and whose tokens it
//! takes, and checks them itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use end_to_end::{Credential, TOKEN_SECRET, World, seconds_since_the_epoch, sign};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ISSUER: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Damso";
const CLIENT: &str = "4u1v2w3x4y5z";

/// A user pool: signs tokens, and publishes the public halves of its keys.
struct Issuer {
    keys: BTreeMap<&'static str, KeyPair>,
    published: Arc<Mutex<Vec<Value>>>,
    url: String,
}

impl Issuer {
    async fn start() -> Self {
        let published: Arc<Mutex<Vec<Value>>> = Arc::default();
        let shown = published.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/.well-known/jwks.json", listener.local_addr().unwrap());
        let keys = get(async move || Json(json!({ "keys": *shown.lock().unwrap() })));
        let routes = Router::new().route("/.well-known/jwks.json", keys);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut issuer = Self { keys: BTreeMap::new(), published, url };
        issuer.add("first");
        issuer.publish("first");
        issuer
    }

    fn add(&mut self, id: &'static str) {
        self.keys.insert(id, KeyPair::generate(KeySize::Rsa2048).unwrap());
    }

    fn publish(&self, id: &'static str) {
        let key = self.keys[id].public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (modulus, exponent) = (key.modulus(), key.exponent());
        let jwk = json!({
            "kid": id, "kty": "RSA", "alg": "RS256", "use": "sig",
            "n": number(modulus.big_endian_without_leading_zero()),
            "e": number(exponent.big_endian_without_leading_zero()),
        });
        self.published.lock().unwrap().push(jwk);
    }

    fn token(&self, key: &str, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let key = &self.keys[key];
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token as Cognito makes them for its users' own use.
    fn id_token(&self, key: &str) -> String {
        self.token(key, &json!({"alg": "RS256", "kid": key}), &id_claims())
    }

    /// A stack that takes this issuer's tokens only.
    async fn world(&self) -> World {
        World::with(|options| {
            for (name, value) in [
                ("TokenJwksUrl", self.url.as_str()),
                ("TokenIssuer", ISSUER),
                ("TokenAudience", CLIENT),
                ("ClaimHospitalId", "custom:hospital_id"),
            ] {
                options.parameters.insert(name.to_owned(), value.to_owned());
            }
        })
        .await
    }
}

fn id_claims() -> Value {
    json!({
        "sub": "0b3c1d2e-aaaa-bbbb-cccc-1234567890ab", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "name": "愛子",
        "exp": seconds_since_the_epoch() + 600,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_and_an_access_token_of_the_pool_let_their_user_in() {
    let issuer = Issuer::start().await;
    let world = issuer.world().await;
    // An access token has a `client_id` in the place of `aud`.
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
async fn every_other_token_is_refused_whatever_its_header_says() {
    let mut issuer = Issuer::start().await;
    issuer.add("never published");
    let world = issuer.world().await;
    let header = json!({"alg": "RS256", "kid": "first"});
    let with = |claim: &str, value: Value| {
        let mut claims = id_claims();
        claims[claim] = value;
        issuer.token("first", &header, &claims)
    };
    let modulus = issuer.keys["first"].public_key().modulus();
    let public = URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero());
    let tokens = [
        ("of another pool", with("iss", json!("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"))),
        ("for another client", with("aud", json!("somebody-else"))),
        ("expired", with("exp", json!(seconds_since_the_epoch() - 60))),
        ("of a key that is not published", issuer.id_token("never published")),
        ("signed by another key than it names", issuer.token("never published", &header, &id_claims())),
        ("naming no key", issuer.token("first", &json!({"alg": "RS256"}), &id_claims())),
        // What the header says chooses neither the algorithm nor the key.
        ("of the other kind of stack", sign(&id_claims(), TOKEN_SECRET)),
        ("signed with the public key as a secret", sign(&id_claims(), &public)),
        ("bringing its own key", {
            let header =
                json!({"alg": "RS256", "kid": "x", "jku": issuer.url, "jwk": {"kty": "RSA", "n": public, "e": "AQAB"}});
            issuer.token("never published", &header, &id_claims())
        }),
    ];
    for (what, token) in tokens {
        let refusal = world.try_connect(&token, Credential::Header).await.expect_err(what);
        assert_eq!(refusal.status, 401, "{what}");
    }
    assert_eq!(world.rows("ConnectionsTable").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_out_of_reach_refuses_nobody_for_good() {
    let issuer = Issuer::start().await;
    let world = World::with(|options| {
        // Nothing listens there.
        options.parameters.insert("TokenJwksUrl".to_owned(), "http://127.0.0.1:9/jwks.json".to_owned());
    })
    .await;
    let refusal = world.try_connect(&issuer.id_token("first"), Credential::Header).await.expect_err("no keys");
    assert_eq!(refusal.status, 500, "not the caller's fault: worth another try");
}
