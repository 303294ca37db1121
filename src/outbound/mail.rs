//! Mail: a letter in plain text, by SMTP or into a folder.
//!
//! Nothing that came from outside gets into a header as it is: an address must be one, subjects are one line, and what is
//! not ASCII is encoded (RFC 2047). Every letter says that a program wrote it (`Auto-Submitted`, RFC 3834), so that no
//! other program answers. What a server says is not passed on, because it may repeat the address: only its number is.

use std::time::Duration;

use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Notify;
use url::Host;

use crate::config::{MailSettings, MailWay, PublicUrl, Security, SmtpServer};

/// How long one letter may take in all. A lease of the outbox is longer.
const SEND_WITHIN: Duration = Duration::from_mins(1);
/// How long the other side may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Answers that refuse us and not the address: we are to sign in, or did it wrongly (RFC 4954 §6).
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// What is sent to one person.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The left part of its Message-ID, the same whenever it is sent again.
    pub id: String,
    pub to: String,
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a letter did not go out.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may later.
    #[error("{0}")]
    Later(String),
    /// Nobody takes it for this address.
    #[error("{0}")]
    Never(String),
}

/// Why no letter could ever go out.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the setting mail must name a folder that is there and can be written, not {0:?}")]
    NoFolder(std::path::PathBuf),
    #[error("mail cannot be sent over TLS: {0}")]
    Tls(String),
}

/// Sends letters, and knows when some wait.
pub struct Mailer {
    way: Way,
    from: Option<Mailbox>,
    waiting: Notify,
}

enum Way {
    Off,
    Folder(AsyncFileTransport<Tokio1Executor>),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl Mailer {
    /// By the settings; none of them is a mailer that is off. `public_url` says who is speaking.
    ///
    /// # Errors
    /// When the folder for mail is not there.
    pub fn new(settings: Option<&MailSettings>, public_url: &PublicUrl) -> Result<Self, MailError> {
        let way = match settings.map(|settings| &settings.way) {
            None => Way::Off,
            Some(MailWay::Folder(folder)) => {
                let is_there =
                    std::fs::metadata(folder).is_ok_and(|meta| meta.is_dir() && !meta.permissions().readonly());
                if !is_there {
                    return Err(MailError::NoFolder(folder.clone()));
                }
                Way::Folder(AsyncFileTransport::new(folder))
            }
            Some(MailWay::Smtp(server)) => Way::Smtp(Box::new(connect(server, public_url)?)),
        };
        let from = settings.map(|settings| settings.from.clone());
        Ok(Self { way, from, waiting: Notify::new() })
    }

    /// Whether mail is sent at all.
    pub fn is_on(&self) -> bool {
        self.from.is_some()
    }

    /// Says that a letter waits: after the commit that made it wait.
    pub fn wake(&self) {
        self.waiting.notify_one();
    }

    /// Waits until a letter waits.
    pub async fn letter_waits(&self) {
        self.waiting.notified().await;
    }

    /// Sends a letter: when this returns, somebody has taken it over.
    ///
    /// # Errors
    /// See [`SendError`]. Of one that was `Later` it is not known whether it arrived.
    pub async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        let Some(from) = &self.from else { return Err(SendError::Later("mail is off".to_owned())) };
        let message = message(from, letter)?;
        let sending = async {
            match &self.way {
                Way::Off => Err(SendError::Later("mail is off".to_owned())),
                Way::Folder(folder) => {
                    let sent = folder.send(message).await;
                    sent.map(drop).map_err(|_| SendError::Later("the folder cannot be written".to_owned()))
                }
                Way::Smtp(smtp) => smtp.send(message).await.map(drop).map_err(|error| refused(&error)),
            }
        };
        let timed_out = |_| Err(SendError::Later("the server took too long".to_owned()));
        tokio::time::timeout(SEND_WITHIN, sending).await.unwrap_or_else(timed_out)
    }
}

fn connect(server: &SmtpServer, public_url: &PublicUrl) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let parameters = || TlsParameters::new(server.host.clone()).map_err(|error| MailError::Tls(error.to_string()));
    let tls = match server.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::WhenOffered => Tls::Opportunistic(parameters()?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(ANSWER_WITHIN))
        .hello_name(hello(public_url));
    Ok(match &server.user {
        Some((name, password)) => builder.credentials(Credentials::new(name.clone(), password.clone())),
        None => builder,
    }
    .build())
}

fn hello(public_url: &PublicUrl) -> ClientId {
    match Host::parse(public_url.host()) {
        Ok(Host::Domain(domain)) => ClientId::Domain(domain),
        Ok(Host::Ipv4(address)) => ClientId::Ipv4(address),
        Ok(Host::Ipv6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::default(),
    }
}

fn message(from: &Mailbox, letter: &Letter) -> Result<Message, SendError> {
    let never = |what: &str| SendError::Never(what.to_owned());
    let to = address(&letter.to).ok_or_else(|| never("it is not an address that mail goes to"))?;
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&letter.subject))
        .message_id(Some(format!("<{}@{}>", letter.id, from.email.domain())))
        .date_now()
        .singlepart(SinglePart::plain(letter.text.clone()))
        .map_err(|_| never("no letter can be made of it"))?;
    let submitted = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(submitted, "auto-generated".to_owned()));
    Ok(message)
}

/// An address with its domain in ASCII, as every server takes it.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = if domain.starts_with('[') { domain.to_owned() } else { Host::parse(domain).ok()?.to_string() };
    Address::new(local, domain).ok()
}

/// A text without what could end a header.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn refused(error: &lettre::transport::smtp::Error) -> SendError {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !ABOUT_US.contains(&code) => {
            SendError::Never(format!("the server refused it with {code}"))
        }
        Some(code) => SendError::Later(format!("the server answered {code}")),
        None if error.is_timeout() => SendError::Later("the server took too long".to_owned()),
        None if error.is_tls() => SendError::Later("no TLS with the server".to_owned()),
        None => SendError::Later("the server cannot be reached, or broke off".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        let (to, subject) = (to.to_owned(), subject.to_owned());
        Letter { id: "7.1".to_owned(), to, subject, text: "Hello\r\n.\r\nBcc: all@example.org\n".to_owned() }
    }

    fn headers(letter: &Letter) -> Vec<String> {
        let from = "Comments <comments@news.example>".parse().unwrap();
        let bytes = message(&from, letter).unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        head.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn no_header_comes_of_a_subject() {
        for subject in [
            "News\r\nBcc: all@example.org",
            "News\nBcc: all@example.org",
            "News\r\n\r\nA body",
            "News\u{0}\u{b}\u{85}Bcc: all@example.org",
            "Ünïcödé\r\nBcc: all@example.org",
            &"long ".repeat(200),
        ] {
            let headers = headers(&letter("ada@example.org", subject));
            let names: Vec<&str> = headers.iter().map(|line| line.split(':').next().unwrap()).collect();
            let expected = [
                "From",
                "To",
                "Subject",
                "Message-ID",
                "Date",
                "Content-Type",
                "Content-Transfer-Encoding",
                "MIME-Version",
                "Auto-Submitted",
            ];
            let mut sorted = names.clone();
            sorted.sort_unstable();
            let mut wanted = expected;
            wanted.sort_unstable();
            assert_eq!(sorted, wanted, "{subject:?}: {headers:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_never_sent_to() {
        let from = "comments@news.example".parse().unwrap();
        for to in [
            "ada@example.org\r\nBcc: all@example.org",
            "ada@example.org, all@example.org",
            "Ada <ada@example.org>",
            "ada@exa mple.org",
            "ada",
            "@example.org",
            "",
        ] {
            assert!(matches!(message(&from, &letter(to, "x")), Err(SendError::Never(_))), "{to:?}");
        }
        for (to, sent) in
            [("ada+x@example.org", "ada+x@example.org"), ("ada@bücher.example", "ada@xn--bcher-kva.example")]
        {
            assert!(headers(&letter(to, "x")).contains(&format!("To: {sent}")), "{to}");
        }
    }

    #[test]
    fn a_letter_that_is_sent_again_has_the_same_id() {
        let id = || headers(&letter("ada@example.org", "x")).into_iter().find(|line| line.starts_with("Message-ID"));
        assert_eq!(id().as_deref(), Some("Message-ID: <7.1@news.example>"));
        assert_eq!(id(), id());
    }
}
