//! Setting a password by a link, for programs. The page for people is [`super::reset_page`].

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::ToSchema;

use crate::accounts::reset::{self, ResetError, UseReset};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::Client;
use crate::http::limits::SignInPaced;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::key::Key;

use super::password;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_use_password_reset, use_password_reset);
}

/// A new password.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
pub(super) struct NewPasswordBody {
    /// 15 to 128 characters, 8 to 128 beside a second factor; none of the commonest.
    #[schema(min_length = 8, max_length = 128)]
    new_password: String,
}

/// Set a password by the link that an administrator made. It ends every session and signs nobody in.
#[utoipa::path(post, path = "/api/v1/password-resets/{token}", tag = "session", params(("token" = String, Path)), request_body = inline(NewPasswordBody),
    responses((status = 204, description = "Set"), (status = 404, description = "No such link"), (status = 410, description = "Used, expired, or a newer one was made"),
        (status = 422, description = "Not a password that can be used"), (status = 429, description = "Too many tries from this address")))]
async fn use_password_reset(
    _: SignInPaced,
    app: web::Data<App>,
    // The shape of a key is that of any token; what has another is 404 before its body is read.
    token: web::Path<Key>,
    client: Client,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let mut fields = body.0;
    let password = fields.required_text("new_password");
    fields.refuse_unknown();
    fields.finish()?;
    let asked =
        UseReset { token: token.as_str().to_owned(), password, address: client.address, user_agent: client.user_agent };
    reset::use_reset(&app, asked).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// The address of a link is the secret: it must not be sent on from the page of a problem either.
impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        let problem = match error {
            ResetError::Unknown => Self::not_found(),
            ResetError::Over => {
                Self::new(Kind::Gone, "This link was used, has expired, or a newer one was made. Ask for a new one.")
            }
            ResetError::Password(error) => password::problem("new_password", &error),
            ResetError::Store(error) => error.into(),
        };
        problem.header(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"))
    }
}
