//! Which outside services a site asks about its comments: none until somebody says so.
//!
//! Only what is set, and how its secrets are kept: sealed, never shown again. What is sent to them and what becomes of their
//! answers is another feature's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::kit::seal::{CannotSeal, Seal};
use crate::kit::secret;

/// The least time in which an answer may be asked for, in milliseconds.
pub const LEAST_TIME_MS: u32 = 100;
/// The most: a reader waits so long for the answer to a post.
pub const MOST_TIME_MS: u32 = 5_000;

/// The outside services of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outside {
    /// Akismet, or a service that speaks as it does: where it is, and the key.
    pub akismet: Option<Service>,
    /// Where the site's own webhook is, and the secret that it knows us by.
    pub webhook: Option<Service>,
    /// How long each is waited for, in milliseconds; without an answer the comment is held.
    pub time_limit_ms: u32,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub url: String,
    pub secret: SealedSecret,
}

/// A secret, sealed; or what says that it stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(Option<String>);

impl Default for Outside {
    fn default() -> Self {
        Self { akismet: None, webhook: None, time_limit_ms: 2_000 }
    }
}

impl Outside {
    /// Whether nobody is asked.
    pub fn is_off(&self) -> bool {
        self.akismet.is_none() && self.webhook.is_none()
    }

    /// Puts secrets that are to stay in place of what says so. They stay only with their address: whoever changes where a
    /// secret goes must know it.
    pub(super) fn keep_secrets_of(&mut self, before: &Self) -> Vec<Fault> {
        let services = [
            ("/outside/akismet/key", &mut self.akismet, &before.akismet),
            ("/outside/webhook/secret", &mut self.webhook, &before.webhook),
        ];
        let mut faults = Vec::new();
        for (pointer, now, before) in services {
            let Some(now) = now.as_mut().filter(|now| now.secret.0.is_none()) else { continue };
            match before.as_ref().filter(|before| before.url == now.url) {
                Some(before) => now.secret = before.secret.clone(),
                None => faults.push(Fault { pointer: pointer.to_owned(), ..Fault::of_whole("required") }),
            }
        }
        faults
    }

    /// As the audit log tells it: that a secret changed, and not to what.
    pub(super) fn told(&self) -> Value {
        let told = |service: &Service| json!({ "url": service.url, "secret": service.secret.mark() });
        let [akismet, webhook] = [&self.akismet, &self.webhook].map(|service| service.as_ref().map(told));
        json!({ "akismet": akismet, "webhook": webhook, "time_limit_ms": self.time_limit_ms })
    }
}

impl SealedSecret {
    /// It stays as it was.
    pub const KEPT: Self = Self(None);

    /// Seals a secret of a site.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn seal(seal: &Seal, site: &Key, secret: &str) -> Result<Self, CannotSeal> {
        let sealed = seal.seal(secret.as_bytes(), site.as_str().as_bytes())?;
        Ok(Self(Some(STANDARD.encode(sealed))))
    }

    /// The secret; `None` when the installation's secret is another than when it was sealed.
    pub fn open(&self, seal: &Seal, site: &Key) -> Option<String> {
        let sealed = STANDARD.decode(self.0.as_deref()?).ok()?;
        String::from_utf8(seal.open(&sealed, site.as_str().as_bytes())?).ok()
    }

    /// A few letters that are others when it is sealed anew.
    fn mark(&self) -> String {
        let digest = secret::digest(self.0.as_deref().unwrap_or_default().as_bytes());
        format!("sealed {:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new(secret::Key::master(b"tests").derive("outside"))
    }

    fn service(url: &str, secret: SealedSecret) -> Service {
        Service { url: url.to_owned(), secret }
    }

    #[test]
    fn a_secret_is_sealed_for_its_site_and_stays_with_its_address_alone() {
        let (here, there) = (Key::parse("here").unwrap(), Key::parse("there").unwrap());
        let sealed = SealedSecret::seal(&seal(), &here, "hunter2").unwrap();
        assert_eq!(sealed.open(&seal(), &here).as_deref(), Some("hunter2"));
        assert_eq!(sealed.open(&seal(), &there), None);
        let before = Outside { webhook: Some(service("https://a.example/", sealed.clone())), ..Outside::default() };
        assert!(!before.told().to_string().contains("hunter2"));
        let mut same =
            Outside { webhook: Some(service("https://a.example/", SealedSecret::KEPT)), ..Outside::default() };
        assert_eq!((same.keep_secrets_of(&before), &same), (Vec::new(), &before));
        let mut moved =
            Outside { webhook: Some(service("https://b.example/", SealedSecret::KEPT)), ..Outside::default() };
        assert_eq!(moved.keep_secrets_of(&before)[0].pointer, "/outside/webhook/secret");
        let mut new =
            Outside { akismet: Some(service("https://a.example/", SealedSecret::KEPT)), ..Outside::default() };
        assert_eq!(new.keep_secrets_of(&before)[0].pointer, "/outside/akismet/key");
    }
}
