//! Articles over HTTP: their heads and counts for readers, putting them for publishers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::{JsonBody, Query};
use crate::http::caching::PublicBytes;
use crate::http::client::{Client, address_of};
use crate::http::pressure::asks_for_challenge;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::altcha;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::sites::Site;

use super::put::{PutArticle, PutError, put_article};
use super::{Article, Door, count, show};

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_article, show_article);
    table.add(__path_replace_article, replace_article);
    table.add(__path_count_comments, count_comments);
}

/// An article, to everyone.
#[derive(Serialize, ToSchema)]
pub struct ArticleBody {
    site: String,
    key: String,
    title: String,
    summary: Option<String>,
    url: String,
    /// Whether it takes comments now.
    comments_open: bool,
    /// When it closes for good, by its publisher's word or the site's.
    #[schema(value_type = Option<String>, format = DateTime)]
    comments_close_at: Option<Millis>,
    /// When it takes comments again, outside the site's hours.
    #[schema(value_type = Option<String>, format = DateTime)]
    comments_open_at: Option<Millis>,
    /// How many comments are published.
    comments: i64,
    form: FormBody,
}

/// What the reply form asks for.
#[derive(Serialize, ToSchema)]
struct FormBody {
    /// Names of the fields that must be filled in.
    required: Vec<&'static str>,
    limits: LimitsBody,
    /// What must be solved before posting; null when nothing is asked. It may depend on the address that asks.
    challenge: Option<AskedChallengeBody>,
}

/// A challenge that must be solved before posting.
#[derive(Serialize, ToSchema)]
struct AskedChallengeBody {
    /// Where one is given, a new one each time.
    url: String,
    /// `SHA-256`, of ALTCHA's protocol, version 1.
    algorithm: &'static str,
}

/// Limits in bytes of UTF-8, as WordPress has them.
#[derive(Serialize, ToSchema)]
struct LimitsBody {
    name: usize,
    email: usize,
    url: usize,
    comment: usize,
}

/// Published comments by article.
#[derive(Serialize, ToSchema)]
struct CountsBody {
    counts: BTreeMap<String, i64>,
}

/// What an article is said to be.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct PutArticleBody {
    #[schema(min_length = 1, max_length = 1000)]
    title: String,
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
    #[schema(max_length = 4000)]
    summary: Option<String>,
    comments_open: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime)]
    comments_close_at: Option<Millis>,
}

/// An article's head.
#[utoipa::path(get, path = "/api/v1/sites/{site}/articles/{article}", tag = "readers",
    params(("site" = String, Path), ("article" = String, Path)),
    responses((status = 200, body = ArticleBody), (status = 304, description = "Not changed"), (status = 404, description = "No such site or article")))]
async fn show_article(
    app: web::Data<App>,
    path: web::Path<(Key, Key)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (site, article) = path.into_inner();
    let (site, article) = show::find_article(&app, site, article).await?.ok_or_else(Problem::not_found)?;
    Ok(PublicBytes::json(&body(&app, &site, article, address_of(&request)))?.respond(&request))
}

/// What comes with one that is put.
type PutRequest = (web::Path<(Key, Key)>, Client, JsonBody);

/// Say what an article is.
#[utoipa::path(put, path = "/api/v1/sites/{site}/articles/{article}", tag = "articles", security(("bearer" = [])),
    params(("site" = String, Path), ("article" = String, Path)), request_body = inline(PutArticleBody),
    responses((status = 200, body = ArticleBody, description = "Changed"), (status = 201, body = ArticleBody, description = "New"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 404, description = "No such site"),
        (status = 422, description = "Fields are wrong")))]
async fn replace_article(app: web::Data<App>, request: By<PutRequest>) -> Result<HttpResponse, Problem> {
    let By(moderator, (path, client, body)) = request;
    moderator.require(Right::PutArticles)?;
    let (site, article) = path.into_inner();
    let (put, faults) = read_put(body);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let put = put_article(&app, Some(&moderator), &site, &article, put).await?;
    let mut response = if put.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    if put.is_new {
        response.insert_header((header::LOCATION, app.link(&format!("/api/v1/sites/{site}/articles/{article}"))));
    }
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.json(self::body(&app, &put.site, put.article, client.address)))
}

/// Published comments of up to 100 articles; those that there are not are left out.
#[utoipa::path(get, path = "/api/v1/sites/{site}/counts", tag = "readers",
    params(("site" = String, Path), ("article" = Vec<String>, Query, description = "Keys of articles, 1 to 100 times")),
    responses((status = 200, body = CountsBody), (status = 304, description = "Not changed"), (status = 404, description = "No such site"),
        (status = 422, description = "More than 100")))]
async fn count_comments(
    app: web::Data<App>,
    site: web::Path<Key>,
    query: Query,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let keys = query.0.into_texts("article");
    if keys.len() > count::MOST {
        return Err(Problem::invalid(vec![Fault {
            limit: Some(count::MOST as u64),
            ..Fault::new("article", "range")
        }]));
    }
    let keys = keys.into_iter().filter(|key| Key::parse(key).is_some()).collect();
    let counts = count::list_counts(&app, site.into_inner(), keys).await?.ok_or_else(Problem::not_found)?;
    Ok(PublicBytes::json(&CountsBody { counts: counts.into_iter().collect() })?.respond(&request))
}

fn read_put(body: JsonBody) -> (PutArticle, Vec<Fault>) {
    let mut fields = body.0;
    let put = PutArticle {
        title: fields.required_text("title"),
        url: fields.required_text("url"),
        summary: fields.text("summary"),
        comments_open: fields.boolean("comments_open"),
        comments_close_at: fields.moment("comments_close_at"),
    };
    fields.refuse_unknown();
    fields.check(&put);
    (put, fields.take_faults())
}

fn body(app: &App, site: &Site, article: Article, address: IpAddr) -> ArticleBody {
    let required = site.settings.required;
    let names = [("name", required.name), ("email", required.email), ("comment", true)];
    let door = article.door(&site.settings, app.clock.now());
    let challenge = asks_for_challenge(app, site.id, address).then(|| AskedChallengeBody {
        url: app.link(&format!("/api/v1/sites/{}/articles/{}/challenge", site.key, article.key)),
        algorithm: altcha::ALGORITHM,
    });
    ArticleBody {
        comments_open: door == Door::Open,
        comments_close_at: article.closes_at(&site.settings),
        comments_open_at: if let Door::OpensAt(at) = door { Some(at) } else { None },
        site: site.key.to_string(),
        key: article.key.to_string(),
        title: article.title,
        summary: article.summary,
        url: article.url,
        comments: article.published,
        form: FormBody {
            required: names.into_iter().filter_map(|(name, is_required)| is_required.then_some(name)).collect(),
            limits: LimitsBody { name: 245, email: 100, url: 200, comment: 65_525 },
            challenge,
        },
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::NoSuchSite => Self::not_found(),
            PutError::Invalid(faults) => Self::invalid(faults),
            PutError::Store(error) => error.into(),
        }
    }
}
