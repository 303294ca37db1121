//! Whom a ban is about, as it is written and as it is compared.
//!
//! Names are compared folded, emails in lower case. Addresses are numbers of 128 bits, IPv4 mapped into IPv6, so that a
//! network is a range; an IPv6 address stands for its /64, which is what one subscriber has at least (RFC 6177) and what
//! the limits count by. A network may be no larger than an IPv4 /16 or an IPv6 /32: nobody bans the internet by accident.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use validator::ValidateEmail;

use crate::kit::fault::{self, Fault};
use crate::kit::text;

/// The longest name and email, in bytes: those of the reply form.
const MAX_NAME: usize = 245;
const MAX_EMAIL: usize = 100;

/// The widest networks, by the length of their prefix.
const WIDEST_IPV4: u8 = 16;
const WIDEST_IPV6: u8 = 32;

/// What one IPv6 subscriber has.
const SUBSCRIBER: u8 = 64;
/// Where IPv4 lies in IPv6.
const MAPPED: u8 = 96;

/// By what somebody is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BanKind {
    Name,
    Email,
    Address,
    Network,
}

impl BanKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Name, Self::Email, Self::Address, Self::Network];

    /// Reads the word of the contract and of the database.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The word of the contract and of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Address => "address",
            Self::Network => "network",
        }
    }
}

/// Somebody, as far as comments tell who they are by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Folded.
    Name(String),
    /// In lower case.
    Email(String),
    /// Everybody from the first address to the last.
    Addresses { first: u128, last: u128 },
}

impl Who {
    /// Reads a value of some kind; also gives it as it will be shown.
    ///
    /// # Errors
    /// What is wrong with it, as a fault of the field `name`.
    pub fn read(kind: BanKind, name: &str, value: &str) -> Result<(String, Self), Fault> {
        let refuse = |code| Fault::new(name, code);
        let too_long = |most: usize| Fault { limit: Some(most as u64), ..refuse("too_long") };
        let value = value.trim();
        match kind {
            BanKind::Name if value.len() > MAX_NAME => Err(too_long(MAX_NAME)),
            BanKind::Name => {
                let shown = text::name(value).map_err(|fault| refuse(fault::code_of_text(fault)))?;
                let folded = text::fold(&shown);
                Ok((shown, Self::Name(folded)))
            }
            BanKind::Email if value.len() > MAX_EMAIL => Err(too_long(MAX_EMAIL)),
            BanKind::Email => {
                let is_email = text::check_plain(value).is_ok() && value.validate_email();
                if is_email { Ok((value.to_owned(), Self::email(value))) } else { Err(refuse("email")) }
            }
            BanKind::Address => {
                let address: IpAddr = value.parse().map_err(|_| refuse("address"))?;
                let address = address.to_canonical();
                Ok((address.to_string(), Self::address(address)))
            }
            BanKind::Network => {
                let network = read_network(value).ok_or_else(|| refuse("network"))?;
                let whole = Self::network(network).ok_or_else(|| refuse("too_wide"))?;
                Ok((network.to_string(), whole))
            }
        }
    }

    /// Whoever writes under this email.
    pub fn email(email: &str) -> Self {
        Self::Email(email.to_lowercase())
    }

    /// Whoever writes from this address.
    pub fn address(address: IpAddr) -> Self {
        let number = number_of(address);
        let length = if address.to_canonical().is_ipv4() { 128 } else { SUBSCRIBER };
        Self::Addresses { first: number & mask(length), last: number | !mask(length) }
    }

    /// `None` when it is wider than any that may be banned.
    fn network(network: IpNet) -> Option<Self> {
        let (number, length, widest) = match network {
            IpNet::V4(network) => {
                (number_of(network.network().into()), MAPPED + network.prefix_len(), MAPPED + WIDEST_IPV4)
            }
            IpNet::V6(network) => (u128::from(network.network()), network.prefix_len(), WIDEST_IPV6),
        };
        let (first, last) = (number & mask(length), number | !mask(length));
        let holds_all_of_ipv4 = length <= MAPPED && (first..=last).contains(&number_of(Ipv4Addr::UNSPECIFIED.into()));
        (length >= widest && !holds_all_of_ipv4).then_some(Self::Addresses { first, last })
    }

    /// What is compared, from the least to the most, as texts that sort alike.
    pub fn bounds(&self) -> (String, String) {
        match self {
            Self::Name(text) | Self::Email(text) => (text.clone(), text.clone()),
            Self::Addresses { first, last } => (hex(*first), hex(*last)),
        }
    }

    /// Reads what [`Who::bounds`] wrote for a ban of this kind.
    pub fn of_bounds(kind: BanKind, low: &str, high: &str) -> Option<Self> {
        match kind {
            BanKind::Name => Some(Self::Name(low.to_owned())),
            BanKind::Email => Some(Self::Email(low.to_owned())),
            BanKind::Address | BanKind::Network => {
                let number = |text| u128::from_str_radix(text, 16).ok();
                Some(Self::Addresses { first: number(low)?, last: number(high)? })
            }
        }
    }

    /// Whether they are who wrote something under this name and email, from this address.
    pub fn wrote(&self, name: &str, email: Option<&str>, address: Option<IpAddr>) -> bool {
        match self {
            Self::Name(folded) => text::fold(name) == *folded,
            Self::Email(lower) => email.is_some_and(|email| email.to_lowercase() == *lower),
            Self::Addresses { first, last } => {
                address.is_some_and(|address| (*first..=*last).contains(&number_of(address)))
            }
        }
    }
}

/// A network with the bits behind its prefix cleared; one of IPv4 that is written as IPv6 becomes what it is.
fn read_network(text: &str) -> Option<IpNet> {
    let network: IpNet = text.parse().ok()?;
    match network.trunc() {
        IpNet::V6(mapped) if mapped.prefix_len() >= MAPPED && mapped.network().to_ipv4_mapped().is_some() => {
            let address = mapped.network().to_ipv4_mapped()?;
            Ipv4Net::new(address, mapped.prefix_len() - MAPPED).ok().map(IpNet::V4)
        }
        IpNet::V6(network) => Some(IpNet::V6(Ipv6Net::new(network.network(), network.prefix_len()).ok()?)),
        IpNet::V4(network) => Some(IpNet::V4(network)),
    }
}

/// An address as a number, IPv4 mapped into IPv6.
pub fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(Ipv6Addr::from(address.segments())),
    }
}

/// An address as the database compares it: 32 hexadecimal digits.
pub fn hex_of(address: IpAddr) -> String {
    hex(number_of(address))
}

/// The bits of a prefix.
pub fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn hex(number: u128) -> String {
    format!("{number:032x}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: BanKind, value: &str) -> Result<(String, Who), &'static str> {
        Who::read(kind, "value", value).map_err(|fault| fault.code)
    }

    fn who(kind: BanKind, value: &str) -> Who {
        read(kind, value).unwrap_or_else(|code| panic!("{value}: {code}")).1
    }

    fn is_from(who: &Who, address: &str) -> bool {
        who.wrote("", None, Some(address.parse().unwrap()))
    }

    #[test]
    fn values_are_read_strictly() {
        use BanKind::*;
        for (kind, value, outcome) in [
            (Name, "  Ada   Lovelace ", Ok("Ada Lovelace")),
            (Name, "", Err("blank")),
            (Name, "a\u{202e}b", Err("invisible_character")),
            (Name, &"x".repeat(246), Err("too_long")),
            (Email, "Ada@Example.org", Ok("Ada@Example.org")),
            (Email, "ada", Err("email")),
            (Email, "@example.org", Err("email")),
            (Address, "192.0.2.1", Ok("192.0.2.1")),
            (Address, "::ffff:192.0.2.1", Ok("192.0.2.1")),
            (Address, "2001:DB8::1", Ok("2001:db8::1")),
            (Address, "192.0.2.0/24", Err("address")),
            (Address, "192.0.2.01", Err("address")),
            (Address, "localhost", Err("address")),
            (Address, "", Err("address")),
            (Network, "192.0.2.77/24", Ok("192.0.2.0/24")),
            (Network, "::ffff:192.0.2.77/120", Ok("192.0.2.0/24")),
            (Network, "2001:db8::77/48", Ok("2001:db8::/48")),
            (Network, "192.0.2.1/32", Ok("192.0.2.1/32")),
            (Network, "10.0.0.0/16", Ok("10.0.0.0/16")),
            (Network, "10.0.0.0/15", Err("too_wide")),
            (Network, "0.0.0.0/0", Err("too_wide")),
            (Network, "::/0", Err("too_wide")),
            (Network, "2001::/31", Err("too_wide")),
            // All of IPv4 lies in these.
            (Network, "::/32", Err("too_wide")),
            (Network, "::/80", Err("too_wide")),
            (Network, "::ffff:0:0/96", Err("too_wide")),
            (Network, "192.0.2.1", Err("network")),
            (Network, "192.0.2.0/33", Err("network")),
            (Network, "192.0.2.0-192.0.2.9", Err("network")),
        ] {
            let read = read(kind, value).map(|(shown, _)| shown);
            assert_eq!(read.as_deref().map_err(|code| *code), outcome, "{kind:?} {value:?}");
        }
    }

    #[test]
    fn an_ipv6_address_is_its_subscriber() {
        let banned = who(BanKind::Address, "2001:db8:1:2::3");
        assert!(is_from(&banned, "2001:db8:1:2:ffff::9") && !is_from(&banned, "2001:db8:1:3::3"));
        let banned = who(BanKind::Address, "192.0.2.1");
        assert!(
            is_from(&banned, "192.0.2.1") && is_from(&banned, "::ffff:192.0.2.1") && !is_from(&banned, "192.0.2.2")
        );
    }

    #[test]
    fn names_and_emails_are_compared_without_case() {
        let banned = who(BanKind::Name, "José");
        assert!(
            banned.wrote("JOSE", None, None) && !banned.wrote("Josef", None, None) && !banned.wrote("", None, None)
        );
        let banned = who(BanKind::Email, "Ada@Example.org");
        assert!(banned.wrote("", Some("ADA@example.ORG"), None) && !banned.wrote("", None, None));
        assert!(!banned.wrote("", Some("ada@exämple.org"), None));
    }

    proptest! {
        #[test]
        fn a_network_holds_what_it_says_and_reads_back_its_bounds(number: u128, length in 32_u8..=128, other: u128) {
            let network = IpNet::new(IpAddr::V6(Ipv6Addr::from(number)), length).unwrap();
            if let Ok((_, banned)) = read(BanKind::Network, &network.to_string()) {
                let other = IpAddr::V6(Ipv6Addr::from(other));
                prop_assert_eq!(banned.wrote("", None, Some(other)), network.contains(&other));
                prop_assert!(banned.wrote("", None, Some(network.addr())));
                let (low, high) = banned.bounds();
                prop_assert!(low <= high && low.len() == 32 && high.len() == 32);
                prop_assert_eq!(Who::of_bounds(BanKind::Network, &low, &high), Some(banned));
            }
        }

        #[test]
        fn whatever_is_typed_is_read_or_refused(value in "\\PC{0,40}") {
            for kind in BanKind::ALL {
                if let Ok((shown, banned)) = read(kind, &value) {
                    let (low, high) = banned.bounds();
                    prop_assert_eq!(Who::of_bounds(kind, &low, &high), Some(banned.clone()));
                    // Tidying tidies once.
                    prop_assert_eq!(read(kind, &shown), Ok((shown.clone(), banned)));
                }
            }
        }
    }
}
