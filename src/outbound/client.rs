//! HTTP requests that cannot be turned against this program's own network.
//!
//! Only `https`, but to the hosts that the setting `outbound_allow` lists. A name is resolved once, every address that it has
//! must be public, and to these the connection is made. No redirect is followed and no proxy asked; an answer is read up to
//! a limit. What goes wrong is said in words of ours: an answer's are somebody else's.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// Bytes of an answer that are read.
const MOST_ANSWER: usize = 64 * 1024;
/// The longest address, in bytes.
const LONGEST: usize = 500;

/// Where a request goes: an address that is checked as far as it can be without asking for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// The address as it is sent to.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub target: Target,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// From the question for the name to the last byte of the answer.
    pub time_limit: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct OutboundAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("the address is none that may be asked")]
    Refused,
    #[error("there was no answer in time")]
    TimedOut,
    #[error("it could not be reached")]
    Unreachable,
    #[error("the answer was too long")]
    TooLong,
}

/// Sends requests.
#[derive(Debug)]
pub struct Outbound {
    /// Hosts that may be private and need no TLS: names or addresses, each with or without a port.
    allowed: Arc<Vec<String>>,
    /// Made when it is first needed: it reads the system's certificates.
    client: OnceLock<Option<reqwest::Client>>,
}

impl Outbound {
    /// One that trusts these hosts, as the setting lists them.
    pub fn new(allowed: &[String]) -> Self {
        Self { allowed: Arc::new(allowed.to_vec()), client: OnceLock::new() }
    }

    /// Reads an address that somebody wrote; `None` when no request may go there.
    pub fn target(&self, text: &str) -> Option<Target> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
        let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let is_allowed = self.allows(&url);
        let is_https = url.scheme() == "https";
        let is_safe = match url.host()? {
            // Odd forms of an address (0x7f.1, 2130706433) are addresses by now.
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            Host::Domain(name) => !name.is_empty(),
        };
        (is_bare && (is_https || (is_allowed && url.scheme() == "http")) && (is_safe || is_allowed))
            .then_some(Target(url))
    }

    /// Sends by POST and reads the answer, whatever its status.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn post(&self, outgoing: Outgoing) -> Result<OutboundAnswer, OutboundError> {
        // It may have been allowed when it was written down, and not be any more.
        let target = self.target(outgoing.target.as_str()).ok_or(OutboundError::Refused)?;
        let client = self.client.get_or_init(|| client(&self.allowed)).as_ref().ok_or(OutboundError::Unreachable)?;
        let mut request = client.post(target.0).header("content-type", outgoing.content_type).body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let exchange = async {
            let mut response = request.send().await.map_err(|error| kind(&error))?;
            let (status, mut body) = (response.status().as_u16(), Vec::new());
            while let Some(chunk) = response.chunk().await.map_err(|error| kind(&error))? {
                if body.len() + chunk.len() > MOST_ANSWER {
                    return Err(OutboundError::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(OutboundAnswer { status, body })
        };
        tokio::time::timeout(outgoing.time_limit, exchange).await.unwrap_or(Err(OutboundError::TimedOut))
    }

    fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        lists(&self.allowed, host)
            || url.port_or_known_default().is_some_and(|port| {
                self.allowed.iter().any(|listed| listed.eq_ignore_ascii_case(&format!("{host}:{port}")))
            })
    }
}

fn lists(allowed: &[String], host: &str) -> bool {
    allowed.iter().any(|listed| listed.eq_ignore_ascii_case(host))
}

fn kind(error: &reqwest::Error) -> OutboundError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<PrivateAddress>() {
            return OutboundError::Refused;
        }
        cause = error.source();
    }
    if error.is_timeout() { OutboundError::TimedOut } else { OutboundError::Unreachable }
}

fn client(allowed: &Arc<Vec<String>>) -> Option<reqwest::Client> {
    let built = reqwest::Client::builder()
        .user_agent(concat!("rejoinder/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(Duration::from_secs(30))
        .dns_resolver(PublicNames { allowed: Arc::clone(allowed) })
        .build();
    built.inspect_err(|error| tracing::error!(%error, "no outside service can be asked")).ok()
}

/// Gives the addresses of a name if all of them are public.
#[derive(Debug)]
struct PublicNames {
    allowed: Arc<Vec<String>>,
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
struct PrivateAddress;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        // With a port it is listed for that port alone, which `Outbound::target` has compared.
        let with_port = format!("{}:", name.to_ascii_lowercase());
        let is_allowed = lists(&self.allowed, &name)
            || self.allowed.iter().any(|listed| listed.to_ascii_lowercase().starts_with(&with_port));
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !is_allowed && !found.iter().all(|address| is_public(address.ip())) {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(outbound: &Outbound, text: &str) -> bool {
        outbound.target(text).is_some()
    }

    #[test]
    fn odd_forms_of_private_addresses_are_refused() {
        let outbound = Outbound::new(&[]);
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://017700000001/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://①②⑦.0.0.1/",
            "https://１２７.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.1/",
            "https://192.168.257/",
            "https://3232235777/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:ffff:10.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://user@8.8.8.8/",
            "https://user:pass@example.com/",
            "https://example.com/#x",
            "http://example.com/",
            "http://8.8.8.8/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "//example.com/",
            "example.com",
            "",
            "https://",
            "https:///",
            "https://[::1%25lo]/",
            "https://exa mple.com/",
            "https://127.0.0.1:443@[::1]/",
        ] {
            assert!(!allows(&outbound, text), "{text}");
        }
        for text in
            ["https://example.com/hook?x=1", "https://8.8.8.8/", "https://[2606:4700::1]:8443/", "https://EXAMPLE.com"]
        {
            assert!(allows(&outbound, text), "{text}");
        }
        assert!(!allows(&outbound, &format!("https://example.com/{}", "x".repeat(LONGEST))));
    }

    #[test]
    fn what_is_listed_is_allowed_and_nothing_beside_it() {
        let outbound =
            Outbound::new(&["127.0.0.1".to_owned(), "filter.internal:8080".to_owned(), "[::1]:9".to_owned()]);
        for text in ["http://127.0.0.1:1234/", "https://127.1/", "http://filter.internal:8080/x", "http://[::1]:9/"] {
            assert!(allows(&outbound, text), "{text}");
        }
        for text in ["http://127.0.0.2/", "http://filter.internal/", "http://[::1]/", "http://x.filter.internal:8080/"]
        {
            assert!(!allows(&outbound, text), "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_with_a_private_address_is_refused_when_it_is_asked_for() {
        let outbound = Outbound::new(&[]);
        let target = outbound.target("https://localhost:1/").unwrap();
        let time_limit = Duration::from_secs(5);
        let outgoing =
            Outgoing { target, content_type: "text/plain", headers: Vec::new(), body: String::new(), time_limit };
        assert_eq!(outbound.post(outgoing).await.unwrap_err(), OutboundError::Refused);
    }
}
