//! Where readers reach this server: the beginning of every link it makes.

use std::net::SocketAddr;

use url::Url;

/// An `http` or `https` URL, perhaps with a path, kept without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    origin: String,
    host: String,
    path: String,
}

impl PublicUrl {
    /// Reads a URL that has a host and neither query, fragment nor credentials.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !is_plain || url.password().is_some() {
            return None;
        }
        let host = url.host_str()?.to_owned();
        let origin = url.origin().ascii_serialization();
        let path = url.path().trim_end_matches('/').to_owned();
        Some(Self { text: format!("{origin}{path}"), origin, host, path })
    }

    /// The URL of a listener, for when none is given.
    pub fn of_address(address: SocketAddr) -> Self {
        let origin = format!("http://{address}");
        Self { text: origin.clone(), origin, host: address.ip().to_string(), path: String::new() }
    }

    /// The whole, without a slash at its end: a path that begins with one can be appended.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as a browser writes them into `Origin`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host alone, for people to know it by.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, empty or beginning with a slash and not ending with one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether readers come over TLS.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_kept_and_its_last_slash_is_not() {
        let url = PublicUrl::parse("https://News.example:443/talk/").unwrap();
        assert_eq!(
            (url.as_str(), url.origin(), url.path()),
            ("https://news.example/talk", "https://news.example", "/talk")
        );
    }

    #[test]
    fn what_could_not_begin_a_link_is_refused() {
        for refused in
            ["news.example", "ftp://news.example", "https://", "https://a@news.example", "https://x/?q", "https://x/#f"]
        {
            assert_eq!(PublicUrl::parse(refused), None, "{refused}");
        }
    }
}
