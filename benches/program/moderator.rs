//! A moderator who is signed in and works beside the load.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Failure, PASSWORD, Running};

pub struct Moderator {
    client: reqwest::Client,
    base: String,
    access: String,
    refresh: String,
}

impl Moderator {
    pub async fn sign_in(server: &Running) -> Result<Self, Failure> {
        let base = server.base.clone();
        let mut moderator =
            Self { client: reqwest::Client::new(), base, access: String::new(), refresh: String::new() };
        let (status, body) = answered(moderator.signing_in()).await?;
        moderator.keep(&body).ok_or_else(|| format!("signing in was answered {status}"))?;
        Ok(moderator)
    }

    /// The status of signing in once more with the right password, and how long it took.
    pub async fn try_to_sign_in_again(&self) -> Result<(u16, Duration), Failure> {
        let began = Instant::now();
        Ok((answered(self.signing_in()).await?.0, began.elapsed()))
    }

    /// The statuses of reading the queue and of refreshing, and how long both took.
    pub async fn go_on(&mut self) -> Result<([u16; 2], Duration), Failure> {
        let began = Instant::now();
        let (queue, _) =
            answered(self.with_token(self.client.get(self.url("/api/v1/review/comments?limit=10")))).await?;
        let body = json!({ "refresh_token": self.refresh });
        let (refreshed, body) = answered(self.client.post(self.url("/api/v1/session/refresh")).json(&body)).await?;
        self.keep(&body);
        Ok(([queue, refreshed], began.elapsed()))
    }

    /// Decides about a comment at a version.
    pub async fn decide(&self, id: i64, version: i64, decision: &str) -> Result<u16, Failure> {
        let request = self.client.post(self.url(&format!("/api/v1/review/comments/{id}/decisions")));
        let request = request.header("If-Match", format!("\"{version}\"")).json(&json!({ "decision": decision }));
        Ok(answered(self.with_token(request)).await?.0)
    }

    fn signing_in(&self) -> RequestBuilder {
        self.client.post(self.url("/api/v1/session")).json(&json!({ "username": "ines", "password": PASSWORD }))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.access)
    }

    fn keep(&mut self, body: &Value) -> Option<()> {
        let token = |name: &str| body[name].as_str().map(str::to_owned);
        (self.access, self.refresh) = (token("access_token")?, token("refresh_token")?);
        Some(())
    }
}

async fn answered(request: RequestBuilder) -> Result<(u16, Value), Failure> {
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}
