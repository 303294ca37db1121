//! S5: forged access tokens, in one table. None is accepted, none makes the server fail (RFC 8725, RFC 9068).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rejoinder::accounts::{self, Role};
use rejoinder::audit::Actor;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::signing_keys::signing_keys;
use crate::support::people::{PASSWORD, Person};
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, form, on_each_database};

const GOOD_HEADER: &str = r#"{"typ":"at+jwt","alg":"HS256"}"#;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hs256(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hs384(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha384>::new_from_slice(key).expect("a key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hs512(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("a key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A token of these very bytes of header and payload, signed by `sign`.
fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let message = format!("{}.{}", b64(header), b64(payload));
    let signature = b64(sign(&message));
    format!("{message}.{signature}")
}

/// What forgers work with: real tokens, and here even the real key.
struct Forge {
    kid: String,
    key: Vec<u8>,
    /// The key before it, which still verifies what it signed.
    old_kid: String,
    old_key: Vec<u8>,
    claims: Value,
    good: String,
    other: String,
    refresh: String,
    receipt: String,
    other_sid: String,
    other_sub: String,
}

impl Forge {
    async fn of(app: &TestApp) -> Self {
        app.person("first", Role::Admin, &[]).await;
        accounts::rotate_signing_key(&app.app, Actor::NOBODY).await.expect("a new key");
        let (one, other) = (app.moderator().await, app.admin().await);
        let [(kid, key), (old_kid, old_key)] = <[_; 2]>::try_from(signing_keys(app).await).expect("two keys");
        let article = app.article("a").await;
        let posted = app.post(&article, &form("for its receipt")).await.expect(202).json();
        let receipt =
            posted["receipt_url"].as_str().expect("a receipt").rsplit('/').next().expect("a token").to_owned();
        let others = claims(&other);
        let text = |name: &str| others[name].as_str().expect("a claim").to_owned();
        Self {
            kid,
            key,
            old_kid,
            old_key,
            claims: claims(&one),
            good: one.access,
            other: other.access,
            refresh: one.refresh,
            receipt,
            other_sid: text("sid"),
            other_sub: text("sub"),
        }
    }

    fn payload(&self) -> String {
        self.claims.to_string()
    }

    /// A header that names the right key, unless it names one itself or is none.
    fn named(&self, header: impl AsRef<[u8]>) -> Vec<u8> {
        let header = header.as_ref();
        let text = String::from_utf8_lossy(header);
        match text.strip_prefix('{') {
            Some(rest) if !text.contains("\"kid\"") => {
                let comma = if rest.starts_with('}') { "" } else { "," };
                let name = format!("{{\"kid\":\"{}\"{comma}", self.kid);
                [name.as_bytes(), &header[1..]].concat()
            }
            _ => header.to_vec(),
        }
    }

    /// Right in everything but its header, signed with the right key.
    fn header(&self, header: impl AsRef<[u8]>) -> String {
        token(self.named(header), self.payload(), |message| hs256(&self.key, message))
    }

    /// Right in everything but these very bytes of payload, signed with the right key.
    fn raw(&self, payload: impl AsRef<[u8]>) -> String {
        token(self.named(GOOD_HEADER), payload, |message| hs256(&self.key, message))
    }

    /// Right in everything but one claim, signed with the right key.
    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.raw(claims.to_string())
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().expect("claims").remove(name);
        self.raw(claims.to_string())
    }

    /// With a header that points at a key the forger has, signed with that key.
    fn with_own_key(&self, header: &str, key: &[u8]) -> String {
        token(self.named(header), self.payload(), |message| hs256(key, message))
    }

    /// Right in everything, signed with the old key.
    fn old(&self) -> String {
        let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": self.old_kid }).to_string();
        token(header, self.payload(), |message| hs256(&self.old_key, message))
    }

    fn parts(&self) -> [&str; 3] {
        let parts: Vec<&str> = self.good.split('.').collect();
        parts.try_into().expect("three parts")
    }
}

fn claims(person: &Person) -> Value {
    let payload = person.access.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// A forgery: what it is, and the values of the `Authorization` headers it comes with.
type Forgery = (String, Vec<Vec<u8>>);

fn bearer(name: impl Into<String>, token: impl AsRef<str>) -> Forgery {
    (name.into(), vec![format!("Bearer {}", token.as_ref()).into_bytes()])
}

fn algorithms(forge: &Forge) -> Vec<Forgery> {
    let mut all = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({ "typ": "at+jwt", "alg": alg }).to_string();
        let unsigned = format!("{}.{}.", b64(&header), b64(forge.payload()));
        all.push(bearer(format!("alg {alg:?}, unsigned"), &unsigned));
        all.push(bearer(format!("alg {alg:?}, two parts"), unsigned.trim_end_matches('.')));
        all.push(bearer(format!("alg {alg:?}, signed with our key"), forge.header(&header)));
    }
    for alg in [
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "ES256",
        "ES384",
        "EdDSA",
        "hs256",
        "HS256 ",
        "HS-256",
        "dir",
        "HS256\u{0}",
    ] {
        let header = json!({ "typ": "at+jwt", "alg": alg }).to_string();
        all.push(bearer(format!("alg {alg:?} over an HS256 signature with our key"), forge.header(header)));
    }
    let of_384 =
        token(forge.named(r#"{"typ":"at+jwt","alg":"HS384"}"#), forge.payload(), |message| hs384(&forge.key, message));
    let of_512 =
        token(forge.named(r#"{"typ":"at+jwt","alg":"HS512"}"#), forge.payload(), |message| hs512(&forge.key, message));
    let disguised = token(forge.named(GOOD_HEADER), forge.payload(), |message| hs512(&forge.key, message));
    let cut = token(forge.named(GOOD_HEADER), forge.payload(), |message| hs512(&forge.key, message)[..32].to_vec());
    all.push(bearer("HS384 with our key", of_384));
    all.push(bearer("HS512 with our key", of_512));
    all.push(bearer("an HS512 signature under HS256", disguised));
    all.push(bearer("an HS512 signature cut to 32 bytes", cut));
    for (name, header) in [
        ("alg missing", r#"{"typ":"at+jwt"}"#),
        ("alg null", r#"{"typ":"at+jwt","alg":null}"#),
        ("alg a number", r#"{"typ":"at+jwt","alg":256}"#),
        ("alg a list", r#"{"typ":"at+jwt","alg":["HS256"]}"#),
        ("alg twice", r#"{"typ":"at+jwt","alg":"none","alg":"HS256"}"#),
        ("alg twice, the other way", r#"{"typ":"at+jwt","alg":"HS256","alg":"none"}"#),
        ("typ twice", r#"{"typ":"JWT","alg":"HS256","typ":"at+jwt"}"#),
        ("a list for a header", r#"["at+jwt","HS256"]"#),
        ("a text for a header", r#""HS256""#),
        ("an empty header", "{}"),
        ("no header", ""),
        ("a header that is no JSON", r#"{"typ":"at+jwt","alg":"HS256""#),
    ] {
        all.push(bearer(name, forge.header(header)));
    }
    all.push(bearer("a header that is no UTF-8", forge.header([b'{', 0xff, b'}'])));
    all
}

fn key_tricks(forge: &Forge) -> Vec<Forgery> {
    let mine = b"the forger's own key, 32 bytes!!";
    let jwk = json!({ "kty": "oct", "k": b64(mine), "alg": "HS256" });
    let header = |member: &str, value: Value| {
        let mut header = json!({ "typ": "at+jwt", "alg": "HS256" });
        header[member] = value;
        header.to_string()
    };
    let mut all = Vec::new();
    for (name, kid, key) in [
        ("kid: an empty file", "../../../../../../dev/null", b"".as_slice()),
        ("kid: a file", "/proc/sys/kernel/randomize_va_space", b"2\n"),
        ("kid: SQL", "x' UNION SELECT 'forged' --", b"forged"),
        ("kid: a command", "key|echo forged", b"forged"),
        ("kid: a URL", "https://attacker.example/key", mine),
        ("kid: a long one", &"k".repeat(1_000), mine),
        ("kid: empty", "", b""),
    ] {
        all.push(bearer(name, forge.with_own_key(&header("kid", json!(kid)), key)));
    }
    all.extend(names_of_keys(forge));
    for (member, value) in [
        ("jku", json!("https://attacker.example/jwks.json")),
        ("jwk", jwk.clone()),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!([STANDARD.encode(mine)])),
        ("x5t", json!(b64(mine))),
        ("kid", json!(7)),
        ("kid", jwk),
    ] {
        all.push(bearer(format!("{member} with the forger's key"), forge.with_own_key(&header(member, value), mine)));
    }
    for (name, key) in [
        ("signed with an empty key", b"".as_slice()),
        ("signed with a guessed key", b"secret"),
        ("signed with the issuer's name", forge.claims["iss"].as_str().expect("a claim").as_bytes()),
        ("signed with the audience", b"rejoinder"),
        ("signed with the user's own password", PASSWORD.as_bytes()),
        ("signed with the refresh token", forge.refresh.as_bytes()),
        ("signed with half the key", &forge.key[..16]),
    ] {
        all.push(bearer(name, forge.with_own_key(GOOD_HEADER, key)));
    }
    all
}

/// Rightly signed, and with another name for the key than its own.
fn names_of_keys(forge: &Forge) -> Vec<Forgery> {
    let (kid, old_kid) = (&forge.kid, &forge.old_kid);
    let unknown = b64([7; 16]);
    let names = [
        ("another key's", json!(old_kid)),
        ("unknown", json!(unknown)),
        ("missing", Value::Null),
        ("empty", json!("")),
        ("a number", json!(1)),
        ("a list", json!([kid])),
        ("a path to it", json!(format!("./{kid}"))),
        ("a path", json!("../../signing_keys")),
        ("SQL", json!(format!("{kid}' OR '1'='1"))),
        ("SQL's wildcard", json!("%")),
        ("in small letters", json!(kid.to_lowercase())),
        ("with a blank", json!(format!("{kid} "))),
        ("padded", json!(format!("{kid}=="))),
        ("cut", json!(kid[..21])),
        ("NUL", json!(format!("{kid}\0"))),
        ("a long one", json!(kid.repeat(50))),
    ];
    let sign = |header: String, key: &[u8]| token(header, forge.payload(), |message| hs256(key, message));
    let header = |kid: Value| json!({ "typ": "at+jwt", "alg": "HS256", "kid": kid }).to_string();
    let mut all: Vec<Forgery> = names
        .into_iter()
        .map(|(name, value)| bearer(format!("kid: {name}, rightly signed"), sign(header(value), &forge.key)))
        .collect();
    all.push(bearer("no kid, rightly signed", sign(GOOD_HEADER.to_owned(), &forge.key)));
    all.push(bearer("no kid, signed with the old key", sign(GOOD_HEADER.to_owned(), &forge.old_key)));
    all.push(bearer("signed with the old key in the new one's name", sign(header(json!(kid)), &forge.old_key)));
    let twice = format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{old_kid}","kid":"{kid}"}}"#);
    all.push(bearer("kid twice", sign(twice, &forge.key)));
    all
}

fn types(forge: &Forge) -> Vec<Forgery> {
    let types = [
        json!("JWT"),
        json!("jwt"),
        json!("at+JWT"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("at+jwt "),
        json!("rt+jwt"),
        json!("secevent+jwt"),
        json!(""),
        json!(null),
        json!(1),
        json!(["at+jwt"]),
    ];
    let mut all: Vec<Forgery> = types
        .into_iter()
        .map(|typ| {
            let header = json!({ "typ": typ, "alg": "HS256" }).to_string();
            bearer(format!("typ {typ}"), forge.header(header))
        })
        .collect();
    all.push(bearer("typ missing", forge.header(r#"{"alg":"HS256"}"#)));
    all
}

fn claims_that_lie(forge: &Forge) -> Vec<Forgery> {
    let mut all: Vec<Forgery> = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]
        .into_iter()
        .map(|name| bearer(format!("{name} missing"), forge.without(name)))
        .collect();
    let now = NOON.0 / 1000;
    let iss = forge.claims["iss"].as_str().expect("a claim");
    let (sub, sid) = (forge.claims["sub"].as_str().expect("a claim"), forge.claims["sid"].as_str().expect("a claim"));
    let lies = [
        ("aud", json!("another")),
        ("aud", json!("Rejoinder")),
        ("aud", json!("rejoinder ")),
        ("aud", json!("")),
        ("aud", json!(null)),
        ("aud", json!(["another"])),
        ("aud", json!(["another", "rejoinder"])),
        ("aud", json!({ "rejoinder": true })),
        ("iss", json!("https://attacker.example")),
        ("iss", json!(format!("{iss}/"))),
        ("iss", json!(iss.to_uppercase())),
        ("iss", json!("")),
        ("iss", json!(null)),
        ("iss", json!([iss])),
        ("sub", json!(forge.other_sub)),
        ("sub", json!(sub.parse::<i64>().expect("a number"))),
        ("sub", json!(format!("0{sub}"))),
        ("sub", json!(format!(" {sub}"))),
        ("sub", json!(format!("+{sub}"))),
        ("sub", json!("0")),
        ("sub", json!("-1")),
        ("sub", json!("9223372036854775808")),
        ("sub", json!("admin")),
        ("sub", json!("1 OR 1=1")),
        ("sub", json!("")),
        ("sub", json!(null)),
        ("sid", json!(forge.other_sid)),
        ("sid", json!("0")),
        ("sid", json!("999999")),
        ("sid", json!(format!("{sid}.0"))),
        ("sid", json!(sid.parse::<i64>().expect("a number"))),
        ("sid", json!("")),
        ("sid", json!(null)),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(null)),
        ("exp", json!("never")),
        ("exp", json!((now + 900).to_string())),
        ("exp", json!(1e300)),
        ("exp", json!(true)),
        ("iat", json!(now + 11)),
        ("iat", json!(i64::MAX)),
        ("iat", json!("now")),
        ("iat", json!(null)),
    ];
    all.extend(lies.into_iter().map(|(name, value)| bearer(format!("{name} {value}"), forge.with(name, value))));
    let twice = |first: &str, second: &str| {
        let rest = forge.payload();
        format!("{{{first},{second},{}", &rest[1..])
    };
    let admin = format!(r#""sub":"{}""#, forge.other_sub);
    all.push(bearer("sub twice", forge.raw(twice(&admin, r#""x":1"#))));
    all.push(bearer("exp twice", forge.raw(twice(r#""exp":9999999999"#, r#""x":1"#))));
    all.push(bearer("a list for claims", forge.raw("[]")));
    all.push(bearer("null for claims", forge.raw("null")));
    all.push(bearer("no claims", forge.raw("")));
    all.push(bearer("claims that are no UTF-8", forge.raw([b'{', b'"', 0xff, b'"', b':', b'1', b'}'])));
    all.push(bearer("claims and more", forge.raw(forge.payload() + "{}")));
    all.push(bearer("deep claims", forge.raw("[".repeat(600) + &"]".repeat(600))));
    all
}

fn signatures(forge: &Forge) -> Vec<Forgery> {
    let [header, payload, signature] = forge.parts();
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        format!("{header}.{payload}.{}", b64(bytes))
    };
    let other: Vec<&str> = forge.other.split('.').collect();
    let [other_payload, other_signature] = [other[1], other[2]];
    // 256 bits end in two bits that mean nothing: another letter may name the same bytes.
    let last = signature.as_bytes()[signature.len() - 1];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.iter().position(|letter| *letter == last).expect("a letter");
    let twin = char::from(alphabet[position ^ 1]);
    let cut = &signature[..signature.len() - 1];
    let other_sub = forge.payload().replace(
        &format!("\"sub\":\"{}\"", forge.claims["sub"].as_str().expect("a claim")),
        &format!("\"sub\":\"{}\"", forge.other_sub),
    );
    assert_ne!(other_sub, forge.payload());
    let nested =
        token(forge.named(r#"{"typ":"at+jwt","alg":"HS256","cty":"JWT"}"#), &forge.good, |m| hs256(&forge.key, m));
    let quoted = forge.raw(json!(forge.good).to_string());
    let general = json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] });
    let flattened = json!({ "payload": payload, "protected": header, "signature": signature });
    [
        ("signature stripped", format!("{header}.{payload}.")),
        ("signature and point stripped", format!("{header}.{payload}")),
        ("signature cut by a letter", format!("{header}.{payload}.{cut}")),
        ("signature cut by a byte", format!("{header}.{payload}.{}", b64(&bytes[..31]))),
        ("signature of one byte", format!("{header}.{payload}.{}", b64(&bytes[..1]))),
        ("signature and more", format!("{header}.{payload}.{}", b64([bytes.as_slice(), &[0]].concat()))),
        ("signature of zeros", format!("{header}.{payload}.{}", b64([0; 32]))),
        ("signature padded", format!("{header}.{payload}.{signature}=")),
        ("signature in another spelling", format!("{header}.{payload}.{cut}{twin}")),
        ("signature in hexadecimal", format!("{header}.{payload}.{}", "0".repeat(64))),
        ("first bit flipped", flipped(0)),
        ("middle bit flipped", flipped(15)),
        ("last bit flipped", flipped(31)),
        ("signature of another token", format!("{header}.{payload}.{other_signature}")),
        ("payload of another token", format!("{header}.{other_payload}.{signature}")),
        ("payload with another sub", format!("{header}.{}.{signature}", b64(&other_sub))),
        ("payload spelled otherwise", format!("{header}.{}.{signature}", b64(forge.payload() + " "))),
        ("header spelled otherwise", format!("{}.{payload}.{signature}", b64(r#"{"alg":"HS256","typ":"at+jwt"}"#))),
        ("a point before", format!(".{header}.{payload}.{signature}")),
        ("a point after", format!("{header}.{payload}.{signature}.")),
        ("a part more", format!("{header}.{payload}.{signature}.{signature}")),
        ("five parts, as if encrypted", format!("{header}.{header}.{payload}.{payload}.{signature}")),
        ("points alone", "..".to_owned()),
        ("twice over", format!("{}{}", forge.good, forge.good)),
        ("nested", nested),
        ("nested as a JSON text", quoted),
        ("JSON serialisation", general.to_string()),
        ("flattened JSON serialisation", flattened.to_string()),
        ("points escaped", forge.good.replace('.', "%2E")),
        ("in capitals", forge.good.to_uppercase()),
        ("a blank inside", forge.good.replacen('.', ". ", 1)),
        ("in quotes", format!("\"{}\"", forge.good)),
        ("only the header", header.to_owned()),
    ]
    .into_iter()
    .map(|(name, token)| bearer(name, token))
    .collect()
}

fn other_secrets(app: &TestApp, forge: &Forge) -> Vec<Forgery> {
    let keys = &app.app.keys;
    let mut all = vec![
        bearer("a refresh token", &forge.refresh),
        bearer("a receipt", &forge.receipt),
        bearer("an API key", "rjk_0123456789abcdef"),
        bearer("a refresh token in a token's place", format!("{GOOD_HEADER}.{}.{}", forge.refresh, forge.refresh)),
    ];
    for (name, key) in
        [("refresh", &keys.refresh), ("receipt", &keys.receipt), ("author", &keys.author), ("replay", &keys.replay)]
    {
        all.push(bearer(format!("signed with the {name} key"), forge.with_own_key(GOOD_HEADER, key.bytes())));
    }
    all
}

fn headers(forge: &Forge) -> Vec<Forgery> {
    let good = &forge.good;
    let one = |name: &str, value: &[u8]| (name.to_owned(), vec![value.to_vec()]);
    let password = STANDARD.encode(format!("moderator:{PASSWORD}"));
    let bearer = format!("Bearer {good}").into_bytes();
    vec![
        ("no header".to_owned(), Vec::new()),
        one("an empty header", b""),
        one("the scheme alone", b"Bearer"),
        one("the scheme and a blank", b"Bearer "),
        one("blanks", b"   "),
        one("the token alone", good.as_bytes()),
        one("Basic", format!("Basic {password}").as_bytes()),
        one("Basic with a token", format!("Basic {good}").as_bytes()),
        one("Digest", format!("Digest {good}").as_bytes()),
        one("DPoP", format!("DPoP {good}").as_bytes()),
        one("another scheme", format!("Token {good}").as_bytes()),
        one("the scheme twice", format!("Bearer Bearer {good}").as_bytes()),
        one("a comma", format!("Bearer, {good}").as_bytes()),
        one("an equals sign", format!("Bearer={good}").as_bytes()),
        one("a colon", format!("Bearer: {good}").as_bytes()),
        one("a tab", format!("Bearer\t{good}").as_bytes()),
        one("a look-alike scheme", format!("Beаrer {good}").as_bytes()), // a Cyrillic а
        one("two tokens", format!("Bearer {good} {good}").as_bytes()),
        one("two tokens and a comma", format!("Bearer {good}, Bearer {good}").as_bytes()),
        one("a token and a parameter", format!("Bearer {good}, scope=\"admin\"").as_bytes()),
        one("UTF-8", "Bearer é".as_bytes()),
        one("Latin-1", b"Bearer \xe9\xff"),
        one("a good token and a letter", format!("Bearer {good}é").as_bytes()),
        ("two headers, both good".to_owned(), vec![bearer.clone(), bearer.clone()]),
        ("two headers, a good one first".to_owned(), vec![bearer.clone(), b"Basic x".to_vec()]),
        ("two headers, a good one last".to_owned(), vec![b"Basic x".to_vec(), bearer]),
    ]
}

async fn send(app: &TestApp, method: Method, path: &str, values: &[Vec<u8>]) -> Answer {
    let request = values.iter().fold(app.request(method, path), |request, value| {
        request.header("authorization", HeaderValue::from_bytes(value).expect("a header value"))
    });
    Answer::of(request).await
}

fn assert_refused(answer: Answer, name: &str) {
    assert_eq!(answer.status, 401, "{name}: {}", answer.text());
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer realm="), "{name}: {challenge:?}");
    let body = answer.expect_problem(401, "unauthenticated");
    assert!(!body.to_string().contains("eyJ"), "{name}: nothing of a token is repeated");
}

#[test]
fn none_is_accepted() {
    on_each_database(async |app| {
        let forge = Forge::of(app).await;
        // The forge works: what it makes of the very same parts is accepted, or the table below would prove nothing.
        for (name, values) in [
            bearer("made by the server", &forge.good),
            bearer("made here", forge.raw(forge.payload())),
            bearer("made with the old key", forge.old()),
            bearer("from a clock ten seconds ahead", forge.with("iat", json!(NOON.0 / 1000 + 10))),
            bearer("in its last second", forge.with("exp", json!(NOON.0 / 1000 + 1))),
            ("a small scheme".to_owned(), vec![format!("bearer {}", forge.good).into_bytes()]), // RFC 9110 §11.1
            ("a shouted scheme".to_owned(), vec![format!("BEARER {}", forge.good).into_bytes()]),
        ] {
            assert_eq!(send(app, Method::GET, "/api/v1/me", &values).await.status, 200, "{name}");
        }

        let table = [
            algorithms(&forge),
            key_tricks(&forge),
            types(&forge),
            claims_that_lie(&forge),
            signatures(&forge),
            other_secrets(app, &forge),
            headers(&forge),
        ]
        .concat();
        assert!(table.len() >= 60, "{}", table.len());
        for (name, values) in &table {
            assert_refused(send(app, Method::GET, "/api/v1/me", values).await, name);
            assert_refused(send(app, Method::DELETE, "/api/v1/session", values).await, name);
        }
        // None of all that has ended the session it named.
        assert_eq!(send(app, Method::GET, "/api/v1/me", &bearer("", &forge.good).1).await.status, 200);
    });
}

#[test]
fn a_token_counts_in_its_header_alone() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let token = &person.access;
        assert_refused(app.get(&format!("/api/v1/me?access_token={token}")).await, "in the query");
        for cookie in ["access_token", "session", "__Host-access", "Authorization"] {
            let request = app.request(Method::GET, "/api/v1/me").header("cookie", format!("{cookie}={token}"));
            assert_refused(Answer::of(request).await, cookie);
        }
        for name in ["x-authorization", "proxy-authorization", "x-access-token"] {
            let request = app.request(Method::GET, "/api/v1/me").header(name, format!("Bearer {token}"));
            assert_refused(Answer::of(request).await, name);
        }
    });
}

#[test]
fn a_huge_one_is_refused_unread() {
    on_each_database(async |app| {
        let forge = Forge::of(app).await;
        let mut claims = forge.claims.clone();
        claims["padding"] = json!("x".repeat(60_000));
        for (name, token) in [
            ("100 KiB of letters", "x".repeat(100_000)),
            ("100 KiB of points", ".".repeat(100_000)),
            ("huge and rightly signed", forge.raw(claims.to_string())),
        ] {
            // As large as a request's head may be; the connection, which is its own, may end before the answer is read.
            let own = reqwest::Client::new();
            if let Ok(response) = own.get(format!("{}/api/v1/me", app.base)).bearer_auth(token).send().await {
                assert!(response.status().is_client_error(), "{name}: {}", response.status());
            }
        }
        // A whole MiB is more than a request's head may have: the connection ends, perhaps before the answer is read.
        let huge = "x".repeat(1024 * 1024);
        let own = reqwest::Client::new();
        if let Ok(response) = own.get(format!("{}/api/v1/me", app.base)).bearer_auth(huge).send().await {
            assert!(response.status().is_client_error(), "{}", response.status());
        }
        assert_eq!(send(app, Method::GET, "/api/v1/me", &bearer("", &forge.good).1).await.status, 200);
    });
}

#[test]
fn a_token_of_another_installation_is_refused() {
    on_each_database(async |app| {
        let forge = Forge::of(app).await;
        let foreign = rejoinder::kit::secret::Key::master(b"another secret").derive("signing keys 1");
        let token = forge.with_own_key(GOOD_HEADER, foreign.bytes());
        assert_refused(send(app, Method::GET, "/api/v1/me", &bearer("", token).1).await, "another installation's");
    });
}
