//! How mail goes out and whom it is from: read from two settings, shown without a password.
//!
//! `smtps://` speaks TLS from the first byte (port 465). `smtp://` (port 587) begins in the clear and goes over to TLS as
//! soon as the server offers it; with a user name it insists on it, unless the server is on this machine.

use std::fmt;
use std::path::PathBuf;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Where mail goes, and whom it is from.
#[derive(Clone)]
pub struct MailSettings {
    pub way: MailWay,
    pub from: Mailbox,
}

/// Where mail goes.
#[derive(Clone, PartialEq, Eq)]
pub enum MailWay {
    /// A file for each mail, in a folder that is there.
    Folder(PathBuf),
    Smtp(SmtpServer),
}

/// A server that takes mail.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub user: Option<(String, String)>,
}

/// How a connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// No mail before the server has gone over to TLS.
    StartTls,
    /// TLS when the server offers it.
    WhenOffered,
}

impl MailWay {
    /// Reads `off`, `file:FOLDER`, `smtp://…` or `smtps://…`; off is `Some(None)`.
    pub fn parse(text: &str) -> Option<Option<Self>> {
        if text == "off" {
            return Some(None);
        }
        if let Some(folder) = text.strip_prefix("file:") {
            return (!folder.is_empty()).then(|| Some(Self::Folder(folder.into())));
        }
        SmtpServer::parse(text).map(|server| Some(Self::Smtp(server)))
    }
}

impl SmtpServer {
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_tls = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return None,
        };
        let is_plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        // The library leaves hosts of schemes that it does not know as they are.
        let host = url.host_str().filter(|host| is_plain && !host.is_empty())?;
        let host = match Host::parse(host).ok()? {
            Host::Domain(domain) => domain,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let user = match (url.username(), url.password()) {
            ("", None) => None,
            (name, Some(password)) if !name.is_empty() => Some((decoded(name)?, decoded(password)?)),
            _ => return None,
        };
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let security = match (is_tls, &user) {
            (true, _) => Security::Tls,
            (false, Some(_)) if !is_here => Security::StartTls,
            (false, _) => Security::WhenOffered,
        };
        let port = url.port().unwrap_or(if is_tls { 465 } else { 587 });
        Some(Self { host, port, security, user })
    }
}

/// As it may be shown: without the password.
impl fmt::Display for MailWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "file:{}", folder.display()),
            Self::Smtp(server) => {
                let scheme = if server.security == Security::Tls { "smtps" } else { "smtp" };
                let user = server.user.as_ref().map(|(name, _)| format!("{}:hidden@", name.escape_debug()));
                let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
                write!(f, "{scheme}://{}{host}:{}", user.unwrap_or_default(), server.port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        MailWay::parse(text).map(|way| way.map_or("off".to_owned(), |way| way.to_string()))
    }

    #[test]
    fn ways_are_read_and_shown_without_their_password() {
        for (text, expected) in [
            ("off", "off"),
            ("file:/var/mail out", "file:/var/mail out"),
            ("smtp://mail.example", "smtp://mail.example:587"),
            ("smtps://mail.example/", "smtps://mail.example:465"),
            ("smtp://ines:p%40ss@mail.example:25", "smtp://ines:hidden@mail.example:25"),
            ("smtp://[::1]:2525", "smtp://[::1]:2525"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for refused in [
            "",
            "on",
            "file:",
            "mail.example",
            "smtp://",
            "smtp://ines@mail.example",
            "smtp://:p@mail.example",
            "smtp://mail.example/path",
            "smtp://mail.example?tls=none",
            "http://mail.example",
        ] {
            assert_eq!(shown(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_password_never_goes_out_in_the_clear() {
        let security = |text| match MailWay::parse(text) {
            Some(Some(MailWay::Smtp(server))) => Some((server.security, server.user)),
            _ => None,
        };
        let ines = || Some(("ines".to_owned(), "p@ss".to_owned()));
        assert_eq!(security("smtp://ines:p%40ss@mail.example"), Some((Security::StartTls, ines())));
        assert_eq!(security("smtps://ines:p%40ss@mail.example"), Some((Security::Tls, ines())));
        assert_eq!(security("smtp://ines:p%40ss@127.0.0.1"), Some((Security::WhenOffered, ines())));
        assert_eq!(security("smtp://mail.example"), Some((Security::WhenOffered, None)));
    }
}
