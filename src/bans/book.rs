//! The book of bans, in memory: whether somebody is banned costs a few look-ups, however many bans there are.
//!
//! A name is banned when it says the same. One that can only be taken for a banned one is not: people have names that look
//! alike, so their comments are held for a moderator and not put away as spam.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::kit::clock::Millis;
use crate::kit::ids::{BanId, SiteId};
use crate::kit::text;
use crate::screening::{Effect, Finding};

use super::Who;
use super::who::{mask, number_of};

/// Every ban there is, expired ones too: what has expired is asked at each look.
#[derive(Debug, Default)]
pub struct Book {
    names: HashMap<String, Vec<Entry>>,
    lookalikes: [HashMap<String, Vec<Entry>>; 2],
    emails: HashMap<String, Vec<Entry>>,
    /// By the length of the prefix, then by the prefix.
    networks: BTreeMap<u8, HashMap<u128, Vec<Entry>>>,
}

/// Where and until when a ban holds.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub ban: BanId,
    /// None: on all sites.
    pub site: Option<SiteId>,
    pub expires_at: Option<Millis>,
}

/// Who sends something, where and when.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub address: Option<IpAddr>,
    pub site: SiteId,
    pub now: Millis,
}

/// A ban that somebody met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub ban: BanId,
    pub by: HitBy,
}

/// By what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitBy {
    Name,
    Email,
    Address,
    /// The name can be taken for a banned one.
    Lookalike,
}

impl Hit {
    /// Whether it bans, or only asks for a moderator's look.
    fn is_ban(self) -> bool {
        self.by != HitBy::Lookalike
    }

    /// What screening is told. It names the ban and nothing personal.
    pub fn finding(&self) -> Finding {
        let effect = if self.is_ban() { Effect::Spam } else { Effect::Hold };
        Finding::of_whole("ban", effect, self.reason())
    }

    /// The reason, for moderators. It names the ban; what of it everybody may read, [`without_ban`] says.
    fn reason(self) -> String {
        let what = match self.by {
            HitBy::Name => "The name is banned",
            HitBy::Email => "The email is banned",
            HitBy::Address => "The network address is banned",
            HitBy::Lookalike => "The name can be taken for one that is banned",
        };
        format!("{what} (ban {}).", self.ban)
    }
}

/// A reason without the ban that it names: for whoever may not see bans, and would learn by its number which comments are
/// from the same person. Other reasons are as they were.
pub fn without_ban(reason: &str) -> String {
    let of_ban = reason.strip_suffix(").").and_then(|reason| reason.rsplit_once(" (ban "));
    match of_ban {
        Some((what, id)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => format!("{what}."),
        _ => reason.to_owned(),
    }
}

impl Book {
    /// Writes a ban into the book.
    pub fn add(&mut self, who: &Who, entry: Entry) {
        match who {
            Who::Name(name) => {
                self.names.entry(name.clone()).or_default().push(entry);
                for (shapes, key) in self.lookalikes.iter_mut().zip(text::lookalike_keys(name)) {
                    shapes.entry(key).or_default().push(entry);
                }
            }
            Who::Email(email) => self.emails.entry(email.clone()).or_default().push(entry),
            Who::Addresses { first, last } => {
                // A network's addresses share their first bits and have every end.
                let length = u8::try_from((first ^ last).leading_zeros()).unwrap_or(128);
                self.networks.entry(length).or_default().entry(*first).or_default().push(entry);
            }
        }
    }

    /// The bans that the sender meets: of each kind the first.
    pub fn hits(&self, sender: &Sender) -> Vec<Hit> {
        let named = self.names.get(&text::fold(sender.name)).filter(|_| !sender.name.is_empty());
        let mut hits = Vec::new();
        let mut note = |by, entries: Option<&Vec<Entry>>| {
            let found = entries.and_then(|entries| in_force(entries, sender.site, sender.now));
            hits.extend(found.map(|ban| Hit { ban, by }));
        };
        note(HitBy::Name, named);
        note(HitBy::Email, sender.email.and_then(|email| self.emails.get(&email.to_lowercase())));
        if let Some(ban) = sender.address.and_then(|address| self.find_address(address, sender.site, sender.now)) {
            hits.push(Hit { ban, by: HitBy::Address });
        }
        let is_named = hits.iter().any(|hit| hit.by == HitBy::Name);
        if !is_named && let Some(ban) = self.find_lookalike(sender) {
            hits.push(Hit { ban, by: HitBy::Lookalike });
        }
        hits
    }

    /// A ban that an address meets.
    pub fn find_address(&self, address: IpAddr, site: SiteId, now: Millis) -> Option<BanId> {
        let number = number_of(address);
        self.networks
            .iter()
            .find_map(|(length, networks)| in_force(networks.get(&(number & mask(*length)))?, site, now))
    }

    fn find_lookalike(&self, sender: &Sender) -> Option<BanId> {
        if self.names.is_empty() || sender.name.is_empty() {
            return None;
        }
        let keys = text::lookalike_keys(sender.name);
        let known = self.lookalikes.iter().zip(&keys);
        known.filter_map(|(shapes, key)| shapes.get(key)).find_map(|entries| in_force(entries, sender.site, sender.now))
    }
}

fn in_force(entries: &[Entry], site: SiteId, now: Millis) -> Option<BanId> {
    let holds = |entry: &&Entry| {
        entry.site.is_none_or(|of| of == site) && entry.expires_at.is_none_or(|expires_at| now < expires_at)
    };
    entries.iter().find(holds).map(|entry| entry.ban)
}

#[cfg(test)]
mod tests {
    use super::super::BanKind;
    use super::*;

    const HERE: SiteId = SiteId::new(1);
    const ELSEWHERE: SiteId = SiteId::new(2);
    const NOW: Millis = Millis(1_000);

    fn book(bans: &[(BanKind, &str, Option<SiteId>, Option<Millis>)]) -> Book {
        let mut book = Book::default();
        for (id, (kind, value, site, expires_at)) in (1..).zip(bans) {
            let (_, who) = Who::read(*kind, "value", value).unwrap();
            book.add(&who, Entry { ban: BanId::new(id), site: *site, expires_at: *expires_at });
        }
        book
    }

    fn sender<'a>(name: &'a str, email: Option<&'a str>, address: &str) -> Sender<'a> {
        Sender { name, email, address: address.parse().ok(), site: HERE, now: NOW }
    }

    fn met(book: &Book, sender: &Sender) -> Vec<(i64, HitBy)> {
        book.hits(sender).into_iter().map(|hit| (hit.ban.get(), hit.by)).collect()
    }

    #[test]
    fn every_kind_is_met_and_named() {
        let book = book(&[
            (BanKind::Name, "Troll", None, None),
            (BanKind::Email, "Troll@example.org", None, None),
            (BanKind::Address, "192.0.2.1", None, None),
            (BanKind::Network, "198.51.100.0/24", None, None),
            (BanKind::Network, "2001:db8::/48", None, None),
        ]);
        let all = sender("TROLL", Some("troll@EXAMPLE.org"), "192.0.2.1");
        assert_eq!(met(&book, &all), [(1, HitBy::Name), (2, HitBy::Email), (3, HitBy::Address)]);
        assert_eq!(met(&book, &sender("Ada", None, "198.51.100.200")), [(4, HitBy::Address)]);
        assert_eq!(met(&book, &sender("Ada", None, "2001:db8:0:77::1")), [(5, HitBy::Address)]);
        assert_eq!(met(&book, &sender("Ada", Some("ada@example.org"), "192.0.2.2")), []);
        assert_eq!(met(&book, &sender("", None, "")), []);
    }

    #[test]
    fn a_name_that_only_looks_alike_asks_for_a_look() {
        let book = book(&[(BanKind::Name, "Troll", None, None)]);
        for name in ["Тroll", "TR0LL", "T r o l l", "𝐓roll"] {
            let hits = book.hits(&sender(name, None, ""));
            assert!(hits.len() == 1 && (hits[0].by == HitBy::Lookalike || name == "𝐓roll"), "{name}: {hits:?}");
        }
        assert_eq!(met(&book, &sender("Trolley", None, "")), []);
    }

    #[test]
    fn a_ban_holds_on_its_site_and_until_it_expires() {
        let book = book(&[
            (BanKind::Name, "A", Some(ELSEWHERE), None),
            (BanKind::Name, "B", Some(HERE), Some(NOW)),
            (BanKind::Name, "B", Some(HERE), Some(Millis(NOW.0 + 1))),
            (BanKind::Address, "192.0.2.1", Some(ELSEWHERE), None),
            (BanKind::Network, "192.0.2.0/24", None, Some(Millis(NOW.0 + 1))),
        ]);
        assert_eq!(met(&book, &sender("A", None, "")), []);
        assert_eq!(met(&book, &sender("B", None, "")), [(3, HitBy::Name)]);
        assert_eq!(met(&book, &sender("C", None, "192.0.2.1")), [(5, HitBy::Address)]);
        assert_eq!(met(&book, &Sender { now: Millis(NOW.0 + 1), ..sender("B", None, "192.0.2.1") }), []);
    }

    #[test]
    fn reasons_name_the_ban_and_nobody() {
        assert_eq!(Hit { ban: BanId::new(17), by: HitBy::Email }.reason(), "The email is banned (ban 17).");
        assert!(!Hit { ban: BanId::new(1), by: HitBy::Lookalike }.is_ban());
        assert_eq!(without_ban(&Hit { ban: BanId::new(17), by: HitBy::Email }.reason()), "The email is banned.");
        for other in ["Every comment here waits for a moderator.", "A word (ban x).", "Bad (ban ).", "(ban 1)", ""] {
            assert_eq!(without_ban(other), other);
        }
    }
}
