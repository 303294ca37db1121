//! The one route table, and the OpenAPI document that it adds up to.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Server};

use crate::http::routes::RouteTable;
use crate::{accounts, articles, comments, learning, notify, review, rules, sites};

use super::operating;

/// Every route there is.
pub fn table() -> RouteTable {
    let mut table = RouteTable::default();
    accounts::routes(&mut table);
    sites::routes(&mut table);
    articles::routes(&mut table);
    rules::routes(&mut table);
    learning::routes(&mut table);
    comments::routes(&mut table);
    review::routes(&mut table);
    notify::routes(&mut table);
    operating::routes(&mut table);
    table
}

/// The contract for machines; `base` is where the server is reached.
pub fn document(base: &str) -> OpenApi {
    let (paths, components) = table().describe();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        accounts::SESSION_COOKIE,
        "For pages of this server. What changes something needs `Sec-Fetch-Site: same-origin` or the public URL as `Origin` too.",
    ));
    let components = components
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let info = InfoBuilder::new()
        .title("Rejoinder")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Readers reply, moderators decide, the article shows what was approved. Every error is an application/problem+json (RFC 9457)."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(base)]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}
