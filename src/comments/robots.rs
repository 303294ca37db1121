//! What tells robots from people without asking anybody else: a field that people do not see, the signed time at which
//! the form was given out, and, while it is asked for, a challenge whose solution costs some work.
//!
//! Only an unsolved challenge refuses a post, and only one that a program sent: a browser without JavaScript is held
//! instead. A stamp that is missing says nothing, since forms on publishers' own pages and programs have none; who leaves it
//! out gains no more than that. Which challenges were used up the database knows; see `post`.

use std::time::Duration;

use crate::app::App;
use crate::config::ChallengeMode;
use crate::http::pressure::asks_for_challenge;
use crate::kit::altcha::{self, Challenge, Solved, Unsolved};
use crate::kit::clock::Millis;
use crate::kit::key::Key;
use crate::kit::secret::{self, NoRandomness};
use crate::screening::{Signs, Stamp};

use super::Post;
use super::ground::Ground;

/// Bytes of the keyed hash in a stamp.
const MAC_BYTES: usize = 16;

/// What a reader's post carries beside what the reader typed.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// Whether something stands in the field that people do not see.
    pub is_trapped: bool,
    /// When the form was given out, signed.
    pub stamp: Option<String>,
    /// The solution of a challenge.
    pub solution: Option<String>,
    /// Whether a browser sent it that wants a page for an answer.
    pub is_browser: bool,
}

/// Why a challenge is not solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFault {
    #[error("the challenge that was asked for was not solved")]
    Missing,
    #[error(transparent)]
    Unsolved(#[from] Unsolved),
    #[error("a post was taken with this solution before")]
    Spent,
}

/// Looks at what a post carries. With the signs comes what is to be used up with it.
///
/// # Errors
/// When a challenge was asked for and not solved, or what came for a solution is none.
pub fn look(app: &App, post: &Post, ground: &Ground, now: Millis) -> Result<(Signs, Option<Solved>), ChallengeFault> {
    let (Some(traces), Some(address)) = (&post.traces, post.address) else { return Ok((Signs::default(), None)) };
    let is_asked = asks_for_challenge(app, ground.site.id, address);
    app.pressure.count(ground.site.id, address, app.clock.elapsed());
    // Whoever solves one when none is asked for may do so; but what is no solution is not passed over.
    let solution = traces.solution.as_ref().filter(|_| app.settings.challenge != ChallengeMode::Off);
    let place = [post.site.as_str().as_bytes(), post.article.as_str().as_bytes()];
    let solved = solution.map(|solution| altcha::check(&app.keys.challenge, &place, solution, now)).transpose()?;
    let lacks_work = is_asked && solved.is_none();
    if lacks_work && !traces.is_browser {
        return Err(ChallengeFault::Missing);
    }
    let stamp =
        traces.stamp.as_deref().map_or(Stamp::None, |stamp| read_stamp(app, &post.site, &post.article, stamp, now));
    Ok((Signs { is_trapped: traces.is_trapped, stamp, lacks_work }, solved))
}

/// A challenge for posting under an article.
///
/// # Errors
/// When there is no randomness.
pub fn make_challenge(app: &App, site: &Key, article: &Key) -> Result<Challenge, NoRandomness> {
    let place = [site.as_str().as_bytes(), article.as_str().as_bytes()];
    Ok(altcha::make(&app.keys.challenge, &place, &secret::random()?, app.clock.now()))
}

/// The stamp of a form that is given out now.
pub fn make_stamp(app: &App, site: &Key, article: &Key) -> String {
    let made_at = app.clock.now().0.to_be_bytes();
    secret::encode(&[&made_at, &mac(app, site, article, made_at)[..]].concat())
}

/// What a stamp says.
pub fn read_stamp(app: &App, site: &Key, article: &Key, stamp: &str, now: Millis) -> Stamp {
    let read = || {
        let bytes = secret::decode(stamp)?;
        let (made_at, signature) = bytes.split_first_chunk()?;
        secret::is_equal(&mac(app, site, article, *made_at), signature).then(|| i64::from_be_bytes(*made_at))
    };
    // One of the future was given out just now, by a node whose clock is ahead.
    let age = |made_at: i64| Duration::from_millis(u64::try_from(now.0.saturating_sub(made_at)).unwrap_or(0));
    read().map_or(Stamp::Forged, |made_at| Stamp::Aged(age(made_at)))
}

fn mac(app: &App, site: &Key, article: &Key, made_at: [u8; 8]) -> [u8; MAC_BYTES] {
    let mac = app.keys.stamp.mac(&[site.as_str().as_bytes(), article.as_str().as_bytes(), &made_at]);
    mac.first_chunk().copied().unwrap_or_default()
}
