//! Floor 1: the settings, each once: a flag, an environment variable `REJOINDER_…` and a key of `rejoinder.toml`, in
//! that order of precedence.
//!
//! [`Given`] is what was written down in one of these places; [`Settings`] is what the program runs with, typed and
//! checked. A wrong value is a sentence that names the setting and says what would be right. What belongs to a site
//! (policy, depth, origins) is not here: it lives in the database and is changed while the program runs.

mod database_url;
mod file;
mod public_url;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use serde::Deserialize;

pub use database_url::DatabaseUrl;
pub use file::{FileError, unknown_variables};
pub use public_url::PublicUrl;

/// Settings as somebody wrote them: in flags, in the environment, or in the file.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Settings file [default: rejoinder.toml, when it is there]
    #[arg(long, global = true, env = "REJOINDER_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Database: `sqlite:PATH` or `postgres://…` [default: sqlite:rejoinder.db]
    #[arg(long, global = true, env = "REJOINDER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Replica of a PostgreSQL database, `postgres://…`, for what readers see [default: none]
    #[arg(long, global = true, env = "REJOINDER_REPLICA_URL", hide_env_values = true, value_name = "URL")]
    pub replica_url: Option<String>,

    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "REJOINDER_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,

    /// Secret that all keys are made from, at least 32 characters [default: made once, kept in the database]
    #[arg(long, global = true, env = "REJOINDER_SECRET", hide_env_values = true, value_name = "TEXT")]
    pub secret: Option<String>,

    /// Where readers reach this server; may carry a path [default: the listen address]
    #[arg(long, global = true, env = "REJOINDER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Proxies whose X-Forwarded-For is believed: addresses or networks, comma-separated [default: none]
    #[arg(long, global = true, env = "REJOINDER_TRUSTED_PROXIES", value_name = "LIST")]
    pub trusted_proxies: Option<String>,

    /// Rate limits: `on`, or `off` for load tests on loopback [default: on]
    #[arg(long, global = true, env = "REJOINDER_LIMITS", value_name = "on|off")]
    pub limits: Option<String>,

    /// Whether who posts must first solve a challenge: `off`, `auto` (under pressure), `always` [default: auto]
    #[arg(long, global = true, env = "REJOINDER_CHALLENGE", value_name = "off|auto|always")]
    pub challenge: Option<String>,

    /// Roles that must have a second factor, comma-separated [default: none]
    #[arg(long, global = true, env = "REJOINDER_REQUIRE_TOTP", value_name = "ROLES")]
    pub require_totp: Option<String>,

    /// Hosts that outside services may be on although private or without TLS: names or addresses, with or without a port,
    /// comma-separated [default: none]
    #[arg(long, global = true, env = "REJOINDER_OUTBOUND_ALLOW", value_name = "HOSTS")]
    pub outbound_allow: Option<String>,

    /// Log filter, such as `info` or `rejoinder=debug` [default: `info,actix_server=warn,actix_http=off`]
    #[arg(long, global = true, env = "REJOINDER_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Log format: `text` or `json` [default: text]
    #[arg(long, global = true, env = "REJOINDER_LOG_FORMAT", value_name = "text|json")]
    pub log_format: Option<String>,

    /// After how many days a reader's network address and user agent are cleared, 0 to 3650; 0 keeps them [default: 90]
    #[arg(long, global = true, env = "REJOINDER_KEEP_ADDRESS_DAYS", value_name = "DAYS")]
    pub keep_address_days: Option<u32>,
}

/// The words for roles. What a role may do is the feature's that has people; settings only name them.
pub const ROLES: [&str; 4] = ["admin", "lead", "moderator", "reviewer-without-emails"];

/// When those who post must first solve a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeMode {
    Off,
    /// While more comes from the address, or to the site, than people write.
    Auto,
    Always,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What the program runs with.
#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseUrl,
    /// A replica of it; only where both are PostgreSQL.
    pub replica: Option<DatabaseUrl>,
    pub listen: SocketAddr,
    pub secret: Option<String>,
    pub public_url: Option<PublicUrl>,
    pub trusted_proxies: Vec<IpNet>,
    pub has_limits: bool,
    pub challenge: ChallengeMode,
    /// Words of [`ROLES`].
    pub require_totp: Vec<String>,
    /// Hosts, each with or without a port, that requests going out may reach although private or without TLS.
    pub outbound_allow: Vec<String>,
    pub log: String,
    pub log_format: LogFormat,
    pub keep_address_days: u32,
}

/// A setting with a value that cannot be right.
#[derive(Debug, thiserror::Error)]
#[error("the setting {name} {problem}")]
pub struct WrongSetting {
    name: &'static str,
    problem: String,
}

impl Given {
    /// Reads the settings file and puts these settings, from flags and environment, over it.
    ///
    /// # Errors
    /// When the file cannot be read or has a key that no setting has.
    pub fn with_file(self) -> Result<Self, FileError> {
        let below = file::read(self.config.as_deref())?;
        Ok(Self {
            config: self.config,
            database_url: self.database_url.or(below.database_url),
            replica_url: self.replica_url.or(below.replica_url),
            listen: self.listen.or(below.listen),
            secret: self.secret.or(below.secret),
            public_url: self.public_url.or(below.public_url),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            limits: self.limits.or(below.limits),
            challenge: self.challenge.or(below.challenge),
            require_totp: self.require_totp.or(below.require_totp),
            outbound_allow: self.outbound_allow.or(below.outbound_allow),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            keep_address_days: self.keep_address_days.or(below.keep_address_days),
        })
    }
}

impl TryFrom<Given> for Settings {
    type Error = WrongSetting;

    fn try_from(given: Given) -> Result<Self, WrongSetting> {
        let database = database(given.database_url.as_deref().unwrap_or("sqlite:rejoinder.db"))?;
        Ok(Self {
            replica: given.replica_url.map(|text| replica(&text, &database)).transpose()?,
            database,
            listen: listen(given.listen.as_deref().unwrap_or("127.0.0.1:8080"))?,
            secret: given.secret.map(secret).transpose()?,
            public_url: given.public_url.as_deref().map(public_url).transpose()?,
            trusted_proxies: networks(given.trusted_proxies.as_deref().unwrap_or(""))?,
            has_limits: on_or_off("limits", given.limits.as_deref().unwrap_or("on"))?,
            challenge: challenge(given.challenge.as_deref().unwrap_or("auto"))?,
            require_totp: roles(given.require_totp.as_deref().unwrap_or(""))?,
            outbound_allow: hosts(given.outbound_allow.as_deref().unwrap_or(""))?,
            log: log_filter(given.log.as_deref().unwrap_or("info,actix_server=warn,actix_http=off"))?,
            log_format: log_format(given.log_format.as_deref().unwrap_or("text"))?,
            keep_address_days: days(given.keep_address_days.unwrap_or(90))?,
        })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<String> = self.trusted_proxies.iter().map(ToString::to_string).collect();
        let public_url = self.public_url.as_ref().map_or("(the listen address)", PublicUrl::as_str);
        writeln!(f, "database_url = {:?}", self.database.shown())?;
        writeln!(f, "replica_url = {:?}", self.replica.as_ref().map(DatabaseUrl::shown).unwrap_or_default())?;
        writeln!(f, "listen = \"{}\"", self.listen)?;
        writeln!(f, "secret = {}", if self.secret.is_some() { "(given, hidden)" } else { "(kept in the database)" })?;
        writeln!(f, "public_url = {public_url:?}")?;
        writeln!(f, "trusted_proxies = {:?}", networks.join(","))?;
        writeln!(f, "limits = {:?}", if self.has_limits { "on" } else { "off" })?;
        writeln!(f, "challenge = {:?}", self.challenge.as_str())?;
        writeln!(f, "require_totp = {:?}", self.require_totp.join(","))?;
        writeln!(f, "outbound_allow = {:?}", self.outbound_allow.join(","))?;
        writeln!(f, "log = {:?}", self.log)?;
        writeln!(f, "log_format = {:?}", if self.log_format == LogFormat::Json { "json" } else { "text" })?;
        write!(f, "keep_address_days = {}", self.keep_address_days)
    }
}

impl ChallengeMode {
    const ALL: [Self; 3] = [Self::Off, Self::Auto, Self::Always];

    /// The word that settings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auto => "auto",
            Self::Always => "always",
        }
    }
}

fn wrong(name: &'static str, problem: impl Into<String>) -> WrongSetting {
    WrongSetting { name, problem: problem.into() }
}

fn database(text: &str) -> Result<DatabaseUrl, WrongSetting> {
    DatabaseUrl::parse(text).ok_or_else(|| {
        wrong("database_url", "must begin with sqlite: (a file, such as sqlite:rejoinder.db) or postgres://")
    })
}

fn replica(text: &str, database: &DatabaseUrl) -> Result<DatabaseUrl, WrongSetting> {
    match (DatabaseUrl::parse(text), database) {
        (Some(replica @ DatabaseUrl::Postgres(_)), DatabaseUrl::Postgres(_)) => Ok(replica),
        (_, DatabaseUrl::Postgres(_)) => Err(wrong("replica_url", "must begin with postgres://")),
        (_, DatabaseUrl::Sqlite(_)) => Err(wrong("replica_url", "needs a database_url that begins with postgres://")),
    }
}

fn listen(text: &str) -> Result<SocketAddr, WrongSetting> {
    text.parse().map_err(|_| {
        wrong("listen", format!("must be an IP address and a port, such as 127.0.0.1:8080 or [::]:8080, not {text:?}"))
    })
}

fn secret(text: String) -> Result<String, WrongSetting> {
    if text.chars().count() < 32 {
        return Err(wrong("secret", "must have at least 32 characters; `openssl rand -base64 32` makes one"));
    }
    Ok(text)
}

fn public_url(text: &str) -> Result<PublicUrl, WrongSetting> {
    PublicUrl::parse(text).ok_or_else(|| {
        wrong("public_url", format!("must be an http or https URL without query or fragment, such as https://comments.example.org, not {text:?}"))
    })
}

fn networks(text: &str) -> Result<Vec<IpNet>, WrongSetting> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect()
}

fn network(text: &str) -> Result<IpNet, WrongSetting> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(address).ok_or_else(|| {
        wrong("trusted_proxies", format!("must list addresses or networks, such as 127.0.0.1,10.0.0.0/8, not {text:?}"))
    })
}

fn on_or_off(name: &'static str, text: &str) -> Result<bool, WrongSetting> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(wrong(name, format!("must be on or off, not {other:?}"))),
    }
}

fn challenge(text: &str) -> Result<ChallengeMode, WrongSetting> {
    let mode = ChallengeMode::ALL.into_iter().find(|mode| mode.as_str() == text);
    mode.ok_or_else(|| wrong("challenge", format!("must be off, auto or always, not {text:?}")))
}

fn roles(text: &str) -> Result<Vec<String>, WrongSetting> {
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if words.iter().any(|word| !ROLES.contains(word)) {
        return Err(wrong("require_totp", format!("must list roles, of {}, not {text:?}", ROLES.join(", "))));
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

fn hosts(text: &str) -> Result<Vec<String>, WrongSetting> {
    let hosts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let host = |text: &str| {
        // A host, and perhaps a port, is all that such an address has.
        let url = url::Url::parse(&format!("gopher://{text}")).ok();
        let is_host = url.is_some_and(|url| {
            url.path().is_empty() && url.query().is_none() && url.fragment().is_none() && !text.contains('@')
        });
        is_host.then(|| text.to_ascii_lowercase()).ok_or_else(|| {
            wrong("outbound_allow", format!("must list hosts, such as filter.internal,127.0.0.1:8080, not {text:?}"))
        })
    };
    hosts.map(host).collect()
}

fn log_filter(text: &str) -> Result<String, WrongSetting> {
    match text.parse::<tracing_subscriber::filter::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(wrong("log", format!("must be a filter such as info or rejoinder=debug,info, not {text:?}"))),
    }
}

fn log_format(text: &str) -> Result<LogFormat, WrongSetting> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(wrong("log_format", format!("must be text or json, not {other:?}"))),
    }
}

fn days(days: u32) -> Result<u32, WrongSetting> {
    if days > 3650 {
        return Err(wrong("keep_address_days", format!("must be from 0 to 3650 days, not {days}")));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(given: Given) -> String {
        Settings::try_from(given).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_wrong_value_is_a_sentence_that_names_its_setting() {
        let text = |text: &str| Some(text.to_owned());
        for (name, given) in [
            ("database_url", Given { database_url: text("mysql://x"), ..Given::default() }),
            ("replica_url", Given { replica_url: text("postgres://x"), ..Given::default() }),
            (
                "replica_url",
                Given { database_url: text("postgres://x"), replica_url: text("sqlite:x"), ..Given::default() },
            ),
            ("listen", Given { listen: text("localhost"), ..Given::default() }),
            ("secret", Given { secret: text("short"), ..Given::default() }),
            ("public_url", Given { public_url: text("ftp://x"), ..Given::default() }),
            ("trusted_proxies", Given { trusted_proxies: text("10.0.0.0/33"), ..Given::default() }),
            ("limits", Given { limits: text("maybe"), ..Given::default() }),
            ("challenge", Given { challenge: text("on"), ..Given::default() }),
            ("require_totp", Given { require_totp: text("admin,root"), ..Given::default() }),
            ("outbound_allow", Given { outbound_allow: text("http://x"), ..Given::default() }),
            ("log", Given { log: text("a=b=c"), ..Given::default() }),
            ("log_format", Given { log_format: text("xml"), ..Given::default() }),
            ("keep_address_days", Given { keep_address_days: Some(9999), ..Given::default() }),
        ] {
            assert!(problem(given).starts_with(&format!("the setting {name} must ")), "{name}");
        }
    }

    #[test]
    fn what_is_shown_hides_every_secret() {
        let given = Given {
            secret: Some("correct horse battery staple, twice over".to_owned()),
            database_url: Some("postgres://user:hunter2@db.example/rejoinder?password=hunter2".to_owned()),
            ..Given::default()
        };
        let shown = Settings::try_from(given).map(|settings| settings.to_string()).unwrap_or_default();
        assert!(shown.contains("db.example"));
        assert!(!shown.contains("hunter2") && !shown.contains("horse"), "{shown}");
    }
}
