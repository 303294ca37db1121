//! Sites over HTTP, for moderators: which there are, adding and changing them, and their settings. Readers meet a site in
//! the paths of its articles alone.

mod list;
mod outside;
mod settings;

use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;

use super::add::SiteError;

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    list::routes(table);
    settings::routes(table);
}

impl From<SiteError> for Problem {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Taken => Self::invalid_field("key", "taken"),
            SiteError::Unknown => Self::not_found(),
            SiteError::Name(error) => Self::invalid(vec![Fault::of_rule("name", &error)]),
            SiteError::Origin(_) => Self::invalid_field("origins", "origin"),
            SiteError::Depth => Self::invalid_field("max_depth", "range"),
            SiteError::Store(error) => error.into(),
        }
    }
}
