//! What a form says about being remembered, and the cookie that comes of it. Without being asked, no cookie is set.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::app::App;
use crate::comments::ReplyForm;
use crate::http::body::MediaType;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::readers::{Browser, Details, Remembered, forget_cookie, remember_cookie};

/// What a post says about it: a box of a form that is not ticked is not sent, so a form that says nothing says no.
pub fn is_wished(fields: &mut Fields, media_type: MediaType) -> Option<bool> {
    let silence = (media_type != MediaType::Json).then_some(false);
    fields.tick("remember").or(silence)
}

/// Makes the browser of a post that was taken remember what its form said, or forget what it knew.
pub fn answer_wish(
    app: &App,
    response: &mut HttpResponse,
    wish: Option<bool>,
    form: &ReplyForm,
    known: Option<&Remembered>,
) -> Result<(), Problem> {
    let cookie = match (wish, known) {
        (Some(true), known) => {
            let browser = known.map_or_else(Browser::fresh, |known| Ok(known.browser)).map_err(Problem::internal)?;
            let details = Details { name: form.name.clone(), email: form.email.clone(), url: form.url.clone() };
            remember_cookie(app, &Remembered { browser, details })?
        }
        (Some(false), Some(_)) => forget_cookie()?,
        _ => return Ok(()),
    };
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}

/// The form of somebody who is remembered, filled in.
pub fn filled_in(known: Option<&Remembered>) -> ReplyForm {
    let details = known.map(|known| known.details.clone()).unwrap_or_default();
    ReplyForm { name: details.name, email: details.email, url: details.url, ..ReplyForm::default() }
}
