//! The challenge that whoever posts must solve while that is asked for, and what is said of one that is not solved.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::comments::ground::find_ground;
use crate::comments::robots::{ChallengeFault, make_challenge};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::altcha::{self, Unsolved};
use crate::kit::fault::Fault;
use crate::kit::key::Key;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_challenge, show_challenge);
}

/// A challenge of ALTCHA's protocol, version 1.
#[derive(Serialize, ToSchema)]
struct ChallengeBody {
    /// `SHA-256`.
    algorithm: &'static str,
    /// The hash to find the number for, in hexadecimal digits.
    challenge: String,
    /// The highest number it may be; numbers begin with 0.
    maxnumber: u32,
    /// What stands before the number's decimal digits.
    salt: String,
    /// To be sent back as it is.
    signature: String,
}

/// A proof-of-work challenge for a comment on this article: good for ten minutes and one comment.
#[utoipa::path(get, path = "/api/v1/sites/{site}/articles/{article}/challenge", tag = "readers",
    description = "The solution goes into the field `altcha` of the reply form: base64 of the JSON object `{algorithm, challenge, number, salt, signature}`, where SHA-256 of the salt and the number behind it is the challenge.",
    params(("site" = String, Path), ("article" = String, Path)),
    responses((status = 200, body = ChallengeBody), (status = 404, description = "No such site or article")))]
async fn show_challenge(app: web::Data<App>, path: web::Path<(Key, Key)>) -> Result<HttpResponse, Problem> {
    let (site, article) = path.into_inner();
    find_ground(&app, &site, &article).await?.ok_or_else(Problem::not_found)?;
    let made = make_challenge(&app, &site, &article).map_err(Problem::internal)?;
    let body = ChallengeBody {
        algorithm: altcha::ALGORITHM,
        challenge: made.challenge,
        maxnumber: altcha::MAX_NUMBER,
        salt: made.salt,
        signature: made.signature,
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// What is said of a challenge that is not solved.
pub fn problem(fault: ChallengeFault) -> Problem {
    let (code, detail) = match fault {
        ChallengeFault::Missing => (
            "required",
            "Solve a challenge first: the article's `challenge` address gives one, `altcha` takes the solution.",
        ),
        ChallengeFault::Unsolved(Unsolved::Wrong) => {
            ("wrong", "What came as `altcha` is not the solution of a challenge that was made for this article.")
        }
        ChallengeFault::Unsolved(Unsolved::Expired) => {
            ("expired", "The challenge is older than ten minutes. Solve a new one.")
        }
        ChallengeFault::Spent => ("spent", "A comment was taken with this solution before. Solve a new challenge."),
    };
    let mut problem = Problem::new(Kind::ChallengeUnsolved, detail);
    problem.errors.push(Fault::new("altcha", code));
    problem
}
