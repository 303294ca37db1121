//! One's own password, and what is wrong with one as a field.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::ToSchema;

use crate::accounts::change_password::{self, ChangePassword, ChangePasswordError};
use crate::accounts::guessing::TooSoon;
use crate::accounts::password::{LONGEST, PasswordError};
use crate::accounts::prove::ProveError;
use crate::accounts::{Right, password};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::Client;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;

use super::By;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_change_password, change_password);
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct ChangePasswordBody {
    #[schema(min_length = 1)]
    current_password: String,
    /// 15 to 128 characters, 8 to 128 beside a second factor; none of the commonest.
    #[schema(min_length = 8, max_length = 128)]
    new_password: String,
    /// Whether every other session ends; true when nothing is said.
    end_other_sessions: Option<bool>,
}

/// Change one's own password.
///
/// A wrong current password is a 422 on that field, not a 401: whoever sent it is signed in and stays so. It counts like
/// a failed sign-in.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "session", security(("bearer" = [])), request_body = inline(ChangePasswordBody),
    responses((status = 204, description = "Changed"), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person"),
        (status = 422, description = "The current password is wrong, or the new one cannot be one"), (status = 429, description = "Too many wrong passwords")))]
async fn change_password(app: web::Data<App>, asked: By<(Client, JsonBody)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (client, JsonBody(mut fields))) = asked;
    moderator.require(Right::ChangeOneself)?;
    let current = fields.required_text("current_password");
    let new = fields.required_text("new_password");
    let ends_other_sessions = fields.boolean("end_other_sessions").unwrap_or(true);
    fields.refuse_unknown();
    fields.finish()?;
    let asked = ChangePassword { current, new, ends_other_sessions, address: client.address };
    change_password::change_password(&app, &moderator, asked).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// What is wrong with the password in a field; none when it is not the password's fault.
pub(super) fn fault(name: &str, error: &PasswordError) -> Option<Fault> {
    let (code, limit) = match error {
        PasswordError::TooShort(shortest) => ("too_short", Some(*shortest)),
        PasswordError::TooLong => ("password_too_long", Some(LONGEST)),
        PasswordError::Common => ("password_common", None),
        PasswordError::Busy | PasswordError::Failed(_) => return None,
    };
    Some(Fault { limit: limit.map(|limit| limit as u64), ..Fault::new(name, code) })
}

/// A problem with the password in a field.
pub(super) fn problem(name: &str, error: &password::PasswordError) -> Problem {
    match (fault(name, error), error) {
        (Some(fault), _) => Problem::invalid(vec![fault]),
        (None, PasswordError::Busy) => Problem::new(Kind::Overloaded, "Too many sign-ins at once.").retry_after(1),
        (None, error) => Problem::internal(error),
    }
}

impl From<TooSoon> for Problem {
    fn from(TooSoon { wait_s }: TooSoon) -> Self {
        Self::new(Kind::TooFast, format!("Too many wrong passwords. Wait {wait_s} s, then try again."))
            .retry_after(wait_s)
    }
}

impl From<ProveError> for Problem {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Wrong => Self::invalid_field("password", "password_wrong"),
            ProveError::TooSoon(error) => error.into(),
            ProveError::Password(error) => problem("password", &error),
            ProveError::Store(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Wrong(new) => {
                let wrong = Fault::new("current_password", "password_wrong");
                Self::invalid(
                    [Some(wrong), new.and_then(|error| fault("new_password", &error))].into_iter().flatten().collect(),
                )
            }
            ChangePasswordError::NotProven(error) => error.into(),
            ChangePasswordError::Password(error) => problem("new_password", &error),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}
