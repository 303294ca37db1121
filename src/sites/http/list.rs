//! Which sites there are, adding one, and changing its name and origins, for administrators.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Moderator, Right};
use crate::app::App;
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::sites::add::{self, AddSite, SiteError, parse_origin};
use crate::sites::set::{self, SetSite};
use crate::sites::{Site, list};

/// The most origins that one site has.
const MOST_ORIGINS: usize = 100;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_sites, list_sites);
    table.add(__path_add_site, add_site);
    table.add(__path_change_site, change_site);
}

/// A site, to administrators.
#[derive(Serialize, ToSchema)]
struct SiteBody {
    key: String,
    name: String,
    /// BCP 47 tag of the language around comments.
    language: String,
    /// Scheme, host and port of the pages that may post and read.
    origins: Vec<String>,
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct AddSiteBody {
    /// 1 to 200 of `A-Z a-z 0-9 . _ ~ -`; it stays.
    #[schema(pattern = "^[A-Za-z0-9._~-]{1,200}$")]
    key: String,
    /// Up to 1,000 bytes.
    #[schema(min_length = 1, max_length = 1000)]
    name: String,
    /// Such as `https://news.example`; up to 100.
    origins: Option<Vec<String>>,
}

#[derive(ToSchema)]
#[schema(min_properties = 1)]
#[allow(dead_code)]
struct ChangeSiteBody {
    #[schema(min_length = 1, max_length = 1000)]
    name: Option<String>,
    /// In place of those there were.
    origins: Option<Vec<String>>,
}

/// The sites, the first added first.
#[utoipa::path(get, path = "/api/v1/sites", tag = "sites", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<SiteBody>), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not an administrator"), (status = 422, description = "A parameter is wrong")))]
async fn list_sites(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::ManageSites)?;
    let page = PageQuery::take(&mut fields, &app.keys.cursor, "sites");
    fields.refuse_unknown();
    fields.finish()?;
    let (sites, next) = list::list_sites(&app, &moderator, page?).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, "sites"));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/sites"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items: sites.into_iter().map(body).collect(), next }))
}

/// Add a site.
#[utoipa::path(post, path = "/api/v1/sites", tag = "sites", security(("bearer" = [])), request_body = inline(AddSiteBody),
    responses((status = 201, body = SiteBody), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not an administrator, or a key that is good for some sites only"), (status = 422, description = "Fields are wrong")))]
async fn add_site(app: web::Data<App>, asked: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(fields)) = asked;
    moderator.require(Right::ManageSites)?;
    if moderator.visible_sites().is_some() {
        return Err(Problem::new(Kind::Forbidden, "The key that this was sent with is good for some sites only."));
    }
    let add = read_site(fields)?;
    let key = add.key.clone();
    add::add_site(&app, moderator.actor(), add).await?;
    let site = find(&app, &moderator, &key).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(body(site)))
}

/// Change a site's name and origins.
#[utoipa::path(patch, path = "/api/v1/sites/{site}", tag = "sites", security(("bearer" = [])), params(("site" = String, Path)),
    request_body = inline(ChangeSiteBody),
    responses((status = 200, body = SiteBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 404, description = "No such site"), (status = 422, description = "Fields are wrong")))]
async fn change_site(app: web::Data<App>, asked: By<(web::Path<Key>, JsonBody)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, JsonBody(fields))) = asked;
    moderator.require(Right::ManageSites)?;
    find(&app, &moderator, &key).await?;
    let site = set::set_site(&app, moderator.actor(), &key, read_change(fields)?).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body(site)))
}

async fn find(app: &App, moderator: &Moderator, key: &Key) -> Result<Site, Problem> {
    list::find_own_site(app, moderator, key).await?.ok_or_else(Problem::not_found)
}

fn read_site(mut fields: Fields) -> Result<AddSite, Problem> {
    let text = fields.required_text("key");
    let key = Key::parse(&text);
    if key.is_none() {
        fields.add_faults(vec![Fault::new("key", "format")]);
    }
    let name = fields.required_text("name");
    let origins = read_origins(&mut fields).unwrap_or_default();
    note_name(&mut fields, &name);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(AddSite { key: key.ok_or_else(|| Problem::invalid_field("key", "format"))?, name, origins })
}

fn read_change(mut fields: Fields) -> Result<SetSite, Problem> {
    if !["name", "origins"].iter().any(|name| fields.has(name)) {
        fields.refuse_with(Fault::of_whole("required"));
    }
    let name = fields.text("name");
    let origins = read_origins(&mut fields);
    if let Some(name) = &name {
        note_name(&mut fields, name);
    }
    fields.refuse_unknown();
    fields.finish()?;
    Ok(SetSite { name, origins, ..SetSite::default() })
}

fn note_name(fields: &mut Fields, name: &str) {
    if let Err(SiteError::Name(error)) = add::check_name(name) {
        fields.add_faults(vec![Fault::of_rule("name", &error)]);
    }
}

fn read_origins(fields: &mut Fields) -> Option<Vec<String>> {
    let origins = fields.elements("origins", MOST_ORIGINS)?;
    for (index, origin) in origins.iter().enumerate() {
        if parse_origin(origin).is_err() {
            fields.refuse_with(Fault::of_element("origins", index, "origin"));
        }
    }
    Some(origins)
}

fn body(site: Site) -> SiteBody {
    SiteBody { key: site.key.to_string(), name: site.name, language: site.language, origins: site.origins }
}
