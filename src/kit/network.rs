//! Network addresses as texts that sort as the addresses do, so that a network is a range of them.
//!
//! An address is 32 hexadecimal digits; one of IPv4 stands where IPv6 maps it (`::ffff:0:0/96`, RFC 4291 §2.5.5.2).

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// An address as a text that sorts.
pub fn sortable(address: IpAddr) -> String {
    format!("{:032x}", u128::from(mapped(address)))
}

/// The first and the last address, as texts that sort, of an address or of a network in CIDR notation.
pub fn range(text: &str) -> Option<(String, String)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((sortable(address), sortable(address)));
    }
    let network: IpNet = text.parse().ok()?;
    Some((sortable(network.network()), sortable(network.broadcast())))
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_and_networks_are_ranges() {
        let one = "00000000000000000000ffffc6336407".to_owned();
        assert_eq!(range("198.51.100.7"), Some((one.clone(), one.clone())));
        assert_eq!(range("::ffff:198.51.100.7"), Some((one.clone(), one)));
        let (low, high) = range("198.51.100.7/24").unwrap();
        assert_eq!((&low[24..], &high[24..]), ("c6336400", "c63364ff"));
        let (low, high) = range("2001:db8::/32").unwrap();
        assert_eq!(
            (low.as_str(), high.as_str()),
            ("20010db8000000000000000000000000", "20010db8ffffffffffffffffffffffff")
        );
        for wrong in ["", "198.51.100", "198.51.100.7/33", "198.51.100.7/", "::/129", "example.org", "198.51.100.0-9"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_network_holds_what_its_text_range_holds(address: [u8; 4], network: [u8; 4], length in 0u8..=32) {
            let (address, network) = (IpAddr::from(address), IpNet::new(IpAddr::from(network), length).unwrap());
            let (low, high) = range(&network.to_string()).unwrap();
            prop_assert_eq!((low..=high).contains(&sortable(address)), network.contains(&address));
        }
    }
}
