//! Asking: all services of a site at once, each within its time.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join;

use crate::app::App;
use crate::kit::secret::{NoRandomness, random};
use crate::outbound::{OutboundAnswer, OutboundError, Outgoing, signature, signing_secret};
use crate::screening::{Effect, Finding};
use crate::sites::Service;

use super::breaker::Breakers;
use super::{Opinion, Submission, akismet, webhook};

/// What the program calls the two, in rules and in reasons.
pub(super) const AKISMET: Named = Named { rule: "akismet", name: "Akismet" };
const WEBHOOK: Named = Named { rule: "webhook", name: "The site's webhook" };

/// A service by its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub rule: &'static str,
    name: &'static str,
}

/// Why there is no opinion.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoOpinion {
    #[error("it has failed too often and is left alone for a while")]
    Rests,
    #[error("its secret cannot be opened: the installation's secret is another one now")]
    SecretLost,
    #[error("its answer is none")]
    NotUnderstood,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

/// What the site's services say about a comment: a finding for each that has something against it, and for each that could
/// not say. Waits up to the site's time limit; for a site that asks nobody not at all.
pub async fn ask_outside(app: &App, submission: &Submission<'_>) -> Vec<Finding> {
    let outside = &submission.site.settings.outside;
    if outside.is_off() {
        return Vec::new();
    }
    let time_limit = Duration::from_millis(outside.time_limit_ms.into());
    let akismet = async {
        let service = outside.akismet.as_ref()?;
        let asked = guarded(app, submission, AKISMET, ask_akismet(app, service, submission, time_limit)).await;
        Some(finding(AKISMET, asked))
    };
    let webhook = async {
        let service = outside.webhook.as_ref()?;
        let asked = guarded(app, submission, WEBHOOK, ask_webhook(app, service, submission, time_limit)).await;
        Some(finding(WEBHOOK, asked))
    };
    let (akismet, webhook) = join(akismet, webhook).await;
    akismet.into_iter().chain(webhook).collect()
}

/// Asks unless the service rests, and notes how it went.
async fn guarded(
    app: &App,
    submission: &Submission<'_>,
    named: Named,
    asking: impl Future<Output = Result<Opinion, NoOpinion>>,
) -> Result<Opinion, NoOpinion> {
    let (breakers, which) = (app.shelves.get::<Breakers>(), (submission.site.id, named.rule));
    if !breakers.may_ask(which, app.clock.elapsed()) {
        return Err(NoOpinion::Rests);
    }
    let asked = asking.await;
    breakers.note(which, asked.is_ok(), app.clock.elapsed());
    if let Err(error) = &asked {
        tracing::warn!(site = submission.site.key.as_str(), service = named.rule, %error, "an outside service gave no opinion");
    }
    asked
}

async fn ask_akismet(
    app: &App,
    service: &Service,
    submission: &Submission<'_>,
    time_limit: Duration,
) -> Result<Opinion, NoOpinion> {
    let answer = call_akismet(app, service, akismet::Call::CommentCheck, submission, time_limit).await?;
    akismet::opinion(answer.status, &answer.body).ok_or(NoOpinion::NotUnderstood)
}

/// One call of Akismet's.
pub(super) async fn call_akismet(
    app: &App,
    service: &Service,
    call: akismet::Call,
    submission: &Submission<'_>,
    time_limit: Duration,
) -> Result<OutboundAnswer, NoOpinion> {
    let key = service.secret.open(&app.keys.outside, &submission.site.key).ok_or(NoOpinion::SecretLost)?;
    let url = format!("{}/{}", service.url.trim_end_matches('/'), call.path());
    let target = app.outbound.target(&url).ok_or(OutboundError::Refused)?;
    let (content_type, body) = ("application/x-www-form-urlencoded", akismet::form(&key, submission));
    let outgoing = Outgoing { target, content_type, headers: Vec::new(), body, time_limit };
    Ok(app.outbound.post(outgoing).await?)
}

async fn ask_webhook(
    app: &App,
    service: &Service,
    submission: &Submission<'_>,
    time_limit: Duration,
) -> Result<Opinion, NoOpinion> {
    let secret = service.secret.open(&app.keys.outside, &submission.site.key);
    let secret = secret.as_deref().and_then(signing_secret).ok_or(NoOpinion::SecretLost)?;
    let target = app.outbound.target(&service.url).ok_or(OutboundError::Refused)?;
    let (body, at) = (webhook::body(submission), submission.at.0.div_euclid(1_000));
    let id = message_id()?;
    let headers = vec![
        ("webhook-signature", signature(&secret, &id, at, &body)),
        ("webhook-id", id),
        ("webhook-timestamp", at.to_string()),
    ];
    let outgoing = Outgoing { target, content_type: "application/json", headers, body, time_limit };
    let answer = app.outbound.post(outgoing).await?;
    webhook::opinion(answer.status, &answer.body).ok_or(NoOpinion::NotUnderstood)
}

/// What a message is called, so that a receiver knows one that comes again: there is no second.
fn message_id() -> Result<String, NoRandomness> {
    Ok(format!("msg_{}", URL_SAFE_NO_PAD.encode(&random()?[..15])))
}

/// What screening is told. That Akismet had nothing against it is kept too: it is told when people see it otherwise.
fn finding(named: Named, asked: Result<Opinion, NoOpinion>) -> Finding {
    let Named { rule, name } = named;
    match asked {
        Ok(Opinion::Spam) => Finding::of_whole(rule, Effect::Spam, format!("{name} calls it spam.")),
        Ok(Opinion::Hold) => Finding::of_whole(rule, Effect::Hold, format!("{name} wants it held.")),
        Ok(Opinion::Nothing) => Finding::of_whole(rule, Effect::Log, format!("{name} has nothing against it.")),
        Err(error) => Finding::of_whole(rule, Effect::Hold, format!("{name} could not be asked: {error}.")),
    }
}
