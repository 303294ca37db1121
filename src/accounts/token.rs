//! Access tokens: JWTs as RFC 9068 has them (`typ: at+jwt`), HS256 and nothing else, good for 15 minutes.
//!
//! The header's `kid` names the key, see [`signing`]. What a token says is only who and which session; what they may do is
//! looked up (RFC 8725 is followed: one pinned algorithm, issuer, audience and type checked, no header member that points
//! anywhere is read).

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SessionId};
use crate::kit::secret::{self, Key, NoRandomness};
use crate::store::StoreResult;

use super::signing::{self, SigningKey};

/// How long an access token is good for.
pub const GOOD_FOR: Duration = Duration::from_mins(15);

/// How far the clocks of nodes may differ.
const LEEWAY_S: i64 = 10;

/// The longest token that is looked at, in bytes; ours have about 300.
const LONGEST: usize = 2048;

const TYPE: &str = "at+jwt";
const AUDIENCE: &str = "rejoinder";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// What could go wrong in making a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("the token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Makes the access token of a session, signed with `key`.
pub fn issue(
    app: &App,
    key: &SigningKey,
    moderator: ModeratorId,
    session: SessionId,
    now: Millis,
) -> Result<String, TokenError> {
    let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
    let claims = Claims {
        iss: app.public_url.as_str().to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: moderator.to_string(),
        sid: session.to_string(),
        iat: now.0.div_euclid(1000),
        exp: now.plus(GOOD_FOR).0.div_euclid(1000),
        jti: secret::encode(&secret::random()?[..12]),
    };
    Ok(jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key.key.bytes()))?)
}

/// Whose token it is, if it is ours and good now.
pub async fn verify(app: &App, token: &str, now: Millis) -> StoreResult<Option<(ModeratorId, SessionId)>> {
    if token.len() > LONGEST {
        return Ok(None);
    }
    // The name of a key is all that is believed of a token before its signature is; it is looked up and nothing else.
    let kid = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
    let Some(kid) = kid else { return Ok(None) };
    let key = signing::find(app, &kid, now).await?;
    Ok(key.and_then(|key| verify_with(&key, app, token, now)))
}

fn verify_with(key: &Key, app: &App, token: &str, now: Millis) -> Option<(ModeratorId, SessionId)> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[app.public_url.as_str()]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Time is checked below, by the clock that made the token.
    rules.validate_exp = false;
    let key = DecodingKey::from_secret(key.bytes());
    let token = jsonwebtoken::decode::<Claims>(token, &key, &rules).ok()?;
    let now_s = now.0.div_euclid(1000);
    let is_current = token.claims.iat <= now_s + LEEWAY_S && now_s < token.claims.exp;
    let is_access = token.header.typ.as_deref() == Some(TYPE);
    if !is_current || !is_access {
        return None;
    }
    Some((ModeratorId::parse(&token.claims.sub)?, SessionId::parse(&token.claims.sid)?))
}
