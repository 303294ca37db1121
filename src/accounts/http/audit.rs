//! The audit log, for those who may read it.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::accounts::Right;
use crate::accounts::read_audit::{self, AuditError, AuditItem, AuditQuery};
use crate::app::App;
use crate::audit::Action;
use crate::http::body::Query;
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, AuditEntryId, ModeratorId};

use super::By;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_audit, list_audit);
}

/// Something that was done.
#[derive(Serialize, ToSchema)]
struct AuditEntry {
    #[schema(value_type = i64)]
    id: AuditEntryId,
    /// Its place in the chain; null for the second it takes to get one.
    seq: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
    /// What was done, such as `decided` or `signed-in`.
    action: String,
    /// Who did it; null for the command line, and for whoever had not shown who they are.
    by: Option<AuditActor>,
    /// The key by which a program did it in their place.
    key: Option<AuditKey>,
    /// Key of the site that it concerns.
    site: Option<String>,
    subject: Option<AuditSubject>,
    /// What there is to say about it, such as `from`, `to` and `reason`.
    facts: BTreeMap<String, Value>,
    /// What is personal, such as `address` and `user_agent`; null for whoever may not see it, and once it is erased.
    private: Option<BTreeMap<String, Value>>,
}

#[derive(Serialize, ToSchema)]
struct AuditActor {
    #[schema(value_type = i64)]
    id: ModeratorId,
    username: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct AuditKey {
    #[schema(value_type = i64)]
    id: ApiKeyId,
    /// Null when it has been ended since.
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct AuditSubject {
    /// `comment`, `moderator`, `session`, `key`, `site`, `article` or `ban`.
    kind: String,
    id: i64,
}

/// Who did what, the newest first: for admins everything, for leads what concerns their sites.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", security(("bearer" = [])),
    params(("action" = Option<Vec<String>>, Query), ("moderator" = Option<String>, Query, description = "User name or id of who did it"),
        ("site" = Option<Vec<String>>, Query), ("since" = Option<String>, Query, format = DateTime, description = "Inclusive, RFC 3339"),
        ("until" = Option<String>, Query, format = DateTime, description = "Exclusive, RFC 3339"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<AuditEntry>), (status = 400, description = "Not a cursor of this list"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 422, description = "A parameter is wrong, or names what is not there")))]
async fn list_audit(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(fields)) = asked;
    moderator.require(Right::ReadAudit)?;
    let (query, list) = read_query(&app, fields)?;
    let (items, next) = read_audit::list_audit(&app, &moderator, query).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, &list));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/audit"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items: items.into_iter().map(body).collect(), next }))
}

/// The query, and what the list is, for its cursors.
fn read_query(app: &App, mut fields: Fields) -> Result<(AuditQuery, String), Problem> {
    let mut actions = Vec::new();
    for word in fields.texts("action") {
        match Action::parse(&word) {
            Some(action) => actions.push(action),
            None => {
                fields.refuse::<()>("action", "choice");
            }
        }
    }
    let moderator = fields.text("moderator");
    let mut sites = fields.texts("site");
    sites.sort();
    let (since, until) = (fields.moment("since"), fields.moment("until"));
    let list = format!("audit {actions:?} {moderator:?} {sites:?} {since:?} {until:?}");
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list);
    fields.refuse_unknown();
    fields.finish()?;
    Ok((AuditQuery { actions, moderator, sites, since, until, page: page? }, list))
}

fn body(item: AuditItem) -> AuditEntry {
    let row = item.row;
    AuditEntry {
        id: row.id,
        seq: row.seq,
        at: row.at,
        action: row.action,
        by: row.actor_id.map(|id| AuditActor { id, username: item.username }),
        key: row.api_key_id.map(|id| AuditKey { id, name: item.key_name }),
        site: item.site,
        subject: row.subject_kind.zip(row.subject_id).map(|(kind, id)| AuditSubject { kind, id }),
        facts: item.facts,
        private: item.private,
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::ForeignCursor => {
                Self::new(Kind::Unreadable, "The cursor is not one of ours, or belongs to another list.")
            }
            AuditError::Invalid(faults) => Self::invalid(faults),
            AuditError::Store(error) => error.into(),
        }
    }
}
