//! Outside services among a site's settings. Secrets go in and never come out: what is read says `********`, and the same
//! put back leaves them as they are.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::outbound;
use crate::sites::outside::{LEAST_TIME_MS, MOST_TIME_MS};
use crate::sites::{Outside, SealedSecret, Service};
use crate::store::StoreError;

/// In place of a secret.
const MASK: &str = "********";
/// Where Akismet is.
const AKISMET: &str = "https://rest.akismet.com/";
/// The longest key of Akismet or a service like it, in bytes.
const LONGEST_KEY: usize = 200;

/// Services outside that are asked about each comment before it is kept. They may hold it or call it spam, never publish
/// it; without an answer in time it is held.
#[derive(Serialize, ToSchema)]
pub(super) struct OutsideBody {
    /// Is sent: the site's address, the article's, the comment's text, the author's name, email, URL, network address and
    /// user agent. Later, when moderators decide otherwise than it did, the same again.
    akismet: Option<AkismetBody>,
    /// Is sent the same, signed as Standard Webhooks says; answers `{"verdict": "hold"}`, `{"verdict": "spam"}` or nothing.
    webhook: Option<WebhookBody>,
    /// How long each is waited for: 100 to 5,000, and 2,000 when nothing is said.
    #[schema(minimum = 100, maximum = 5000)]
    time_limit_ms: u32,
}

/// Akismet, or a service that speaks as it does.
#[derive(Serialize, ToSchema)]
struct AkismetBody {
    /// Never shown: reads `********`. The same put back leaves it, while `url` is the same too.
    key: String,
    /// Where it is, when it is not Akismet itself: `https`, and no private address.
    url: String,
}

/// A receiver of the site's own.
#[derive(Serialize, ToSchema)]
struct WebhookBody {
    /// `https`, and no private address.
    url: String,
    /// `whsec_` and base64 of 24 to 64 bytes. Never shown: reads `********`. The same put back leaves it, while `url` is the
    /// same too.
    secret: String,
}

/// As somebody puts them.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
pub(super) struct PutOutsideBody {
    akismet: Option<PutAkismetBody>,
    webhook: Option<WebhookBody>,
    #[schema(minimum = 100, maximum = 5000)]
    time_limit_ms: Option<u32>,
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct PutAkismetBody {
    key: String,
    url: Option<String>,
}

/// As it is read.
pub(super) fn body(outside: &Outside) -> OutsideBody {
    let url = |service: &Service| service.url.clone();
    OutsideBody {
        akismet: outside.akismet.as_ref().map(|one| AkismetBody { key: MASK.to_owned(), url: url(one) }),
        webhook: outside.webhook.as_ref().map(|one| WebhookBody { url: url(one), secret: MASK.to_owned() }),
        time_limit_ms: outside.time_limit_ms,
    }
}

/// Takes what was put for a site, its secrets sealed at once; what is wrong with it is noted in `fields`.
pub(super) fn take(app: &App, site: &Key, fields: &mut Fields) -> Result<Outside, Problem> {
    let usual = Outside::default();
    let Some(mut object) = fields.object("outside") else { return Ok(usual) };
    let (low, high) = (i64::from(LEAST_TIME_MS), i64::from(MOST_TIME_MS));
    let time_limit_ms = object.whole("time_limit_ms", low, high).and_then(|number| number.try_into().ok());
    let akismet = object.object("akismet").map(|mut of| {
        let url = of.filled_text("url").unwrap_or_else(|| AKISMET.to_owned());
        let is_key = |key: &str| key.len() <= LONGEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic());
        let service = take_service(app, site, &mut of, url, "key", is_key);
        object.end(of, "/akismet");
        service
    });
    let webhook = object.object("webhook").map(|mut of| {
        let url = of.required_text("url");
        let service = take_service(app, site, &mut of, url, "secret", |text| outbound::signing_secret(text).is_some());
        object.end(of, "/webhook");
        service
    });
    fields.end(object, "/outside");
    let (akismet, webhook) = (akismet.transpose()?, webhook.transpose()?);
    Ok(Outside { akismet, webhook, time_limit_ms: time_limit_ms.unwrap_or(usual.time_limit_ms) })
}

fn take_service(
    app: &App,
    site: &Key,
    of: &mut Fields,
    url: String,
    name: &'static str,
    is_secret: impl Fn(&str) -> bool,
) -> Result<Service, Problem> {
    let text = of.required_text(name);
    let mut faults = Vec::new();
    if app.outbound.target(&url).is_none() {
        faults.push(Fault::new("url", "format"));
    }
    let secret = if text == MASK {
        SealedSecret::KEPT
    } else {
        if !is_secret(&text) {
            faults.push(Fault::new(name, "format"));
        }
        let sealed = SealedSecret::seal(&app.keys.outside, site, &text);
        sealed.map_err(|error| StoreError::Broken(error.to_string()))?
    };
    of.add_faults(faults);
    Ok(Service { url, secret })
}
