//! Whom a request comes from: the address, through configured proxies only, the user agent, the origin of the page.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use ipnet::IpNet;

use crate::app::App;

use super::problem::Problem;

/// User agents are cut at this many bytes before they are stored.
const MAX_USER_AGENT: usize = 400;

/// The sender of a request.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).replace('\0', ""))
            .map(|text| text[..text.floor_char_boundary(MAX_USER_AGENT)].to_owned());
        std::future::ready(Ok(Self { address: address_of(request), user_agent }))
    }
}

/// The address a request comes from. `X-Forwarded-For` counts only as far as configured proxies wrote it: it is read
/// from its end, and the first address that is no such proxy is the client, whatever stands before it.
pub fn address_of(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let Some(app) = request.app_data::<web::Data<App>>() else { return peer };
    let proxies = &app.settings.trusted_proxies;
    if !is_proxy(proxies, peer) {
        return peer;
    }
    let mut client = peer;
    let lists: Vec<_> = request.headers().get_all("x-forwarded-for").collect();
    // Hop by hop, in bytes: what a client wrote before them must not make those that proxies wrote unreadable.
    let hops = lists.iter().rev().flat_map(|list| list.as_bytes().rsplit(|byte| *byte == b','));
    for hop in hops {
        let Some(address) = std::str::from_utf8(hop).ok().and_then(|hop| parse_hop(hop.trim())) else { break };
        client = address;
        if !is_proxy(proxies, address) {
            break;
        }
    }
    client
}

fn is_proxy(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// An address, perhaps with a port, IPv6 perhaps in brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

/// The origin of the page that sent a request, when it is not ours. None is fine: programs and old browsers send none.
pub fn foreign_origin(request: &HttpRequest, app: &App) -> Option<String> {
    let origin = request.headers().get(header::ORIGIN)?;
    let origin = String::from_utf8_lossy(origin.as_bytes());
    (!origin.eq_ignore_ascii_case(app.public_url.origin())).then(|| origin.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_an_address_with_or_without_a_port() {
        for (hop, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(parse_hop(hop), address.map(|text| text.parse().unwrap()), "{hop}");
        }
    }
}
