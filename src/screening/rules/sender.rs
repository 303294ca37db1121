//! Where a comment comes from and leads to: emails, network addresses and hosts, against lists of them.

use std::collections::HashSet;
use std::net::IpAddr;

use url::Host;

use crate::kit::fault::Fault;
use crate::kit::{network, text};

use super::told::Found;
use super::{Field, MAX_ENTRY, Submission};

/// Hosts, each with those below it.
#[derive(Debug)]
pub(super) struct Hosts(HashSet<String>);

impl Hosts {
    pub fn new(hosts: &[String]) -> Result<Self, Fault> {
        read_all("hosts", "host", hosts, |host| parse_host(host.strip_prefix("*.").unwrap_or(host))).map(Self)
    }

    /// Whether a host or one above it is listed.
    fn has(&self, host: &str) -> bool {
        let above = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
        std::iter::once(host).chain(above).any(|host| self.0.contains(host))
    }

    pub fn find(&self, submission: &Submission, links: &[String]) -> Option<Found> {
        let linked = links.iter().filter_map(|link| host_of(link)).find(|host| self.has(host));
        let website = || submission.url.and_then(host_of).filter(|host| self.has(host));
        match linked {
            Some(host) => Some(Found::host(Field::Text, submission.text, &host)),
            None => website().map(|host| Found::host(Field::Url, submission.url.unwrap_or_default(), &host)),
        }
    }
}

/// As a browser writes it: in lower case, in ASCII, without the dot at its end.
fn parse_host(text: &str) -> Option<String> {
    let host = Host::parse(text.trim_end_matches('.')).ok()?;
    Some(host.to_string()).filter(|host| !host.is_empty())
}

fn host_of(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok()?;
    Some(url.host_str()?.trim_end_matches('.').to_owned())
}

/// Emails, and hosts whose every email is meant.
#[derive(Debug)]
pub(super) struct Emails {
    addresses: HashSet<String>,
    hosts: Hosts,
}

impl Emails {
    pub fn new(emails: &[String]) -> Result<Self, Fault> {
        let all = read_all("emails", "email", emails, |entry| match entry.trim_start_matches('@') {
            address if address.contains('@') => {
                let (user, host) = address.rsplit_once('@')?;
                (!user.is_empty()).then_some(format!("{}@{}", text::fold(user), parse_host(host)?))
            }
            host => parse_host(host),
        })?;
        let (addresses, hosts) = all.into_iter().partition(|entry| entry.contains('@'));
        Ok(Self { addresses, hosts: Hosts(hosts) })
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        let email = submission.email?;
        let (user, host) = email.rsplit_once('@')?;
        let host = parse_host(host).unwrap_or_else(|| text::fold(host));
        let is_listed = self.hosts.has(&host) || self.addresses.contains(&format!("{}@{host}", text::fold(user)));
        is_listed.then(Found::email)
    }
}

/// Networks, as ranges in order that do not touch.
#[derive(Debug)]
pub(super) struct Networks(Vec<(String, String)>);

impl Networks {
    pub fn new(networks: &[String]) -> Result<Self, Fault> {
        let mut ranges: Vec<_> = read_all("networks", "network", networks, network::range)?.into_iter().collect();
        ranges.sort();
        let mut apart: Vec<(String, String)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match apart.last_mut() {
                Some(last) if low <= last.1 => last.1 = high.max(std::mem::take(&mut last.1)),
                _ => apart.push((low, high)),
            }
        }
        Ok(Self(apart))
    }

    fn has(&self, address: IpAddr) -> bool {
        let address = network::sortable(address);
        let before = self.0.partition_point(|(low, _)| *low <= address);
        before.checked_sub(1).is_some_and(|last| address <= self.0[last].1)
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        let address = submission.address?;
        self.has(address).then(Found::address)
    }
}

/// Every entry of a list, or the first that is none.
fn read_all<T: Eq + std::hash::Hash>(
    name: &str,
    code: &'static str,
    entries: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<HashSet<T>, Fault> {
    if entries.is_empty() {
        return Err(Fault::new(name, "required"));
    }
    let one = |(index, entry): (usize, &String)| {
        let is_short = entry.len() <= MAX_ENTRY;
        is_short.then(|| read(entry.trim())).flatten().ok_or_else(|| Fault::of_element(name, index, code))
    };
    entries.iter().enumerate().map(one).collect()
}
