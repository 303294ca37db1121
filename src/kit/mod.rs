//! Floor 0: small things everything else stands on. Std and small crates only, no I/O, nothing global.
//!
//! The identifier and time newtypes here know how diesel stores them (a `BIGINT` each), so that no
//! other floor converts them by hand. Nothing else here knows a database exists.

pub mod altcha;
pub mod back_off;
pub mod changes;
pub mod clock;
pub mod csv;
pub mod cursor;
pub mod fault;
pub mod gauge;
pub mod ids;
pub mod key;
pub mod markup;
pub mod month;
pub mod network;
pub mod news;
pub mod places;
pub mod qr;
pub mod seal;
pub mod search;
pub mod secret;
pub mod shelves;
pub mod text;
pub mod totp;
