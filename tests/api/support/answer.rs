//! An answer, read whole.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// Status, headers and body of an answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if headers.get("content-type").is_some_and(|media_type| media_type == "text/event-stream") {
            // It has no end to wait for.
            return Self { status, headers, body: Vec::new() };
        }
        Self { status, headers, body: response.bytes().await.expect("the whole body").to_vec() }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("JSON, not {:?}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body of a problem without its trace id, the one part that no two share.
    pub fn without_trace(&self) -> String {
        let trace = self.json()["trace_id"].as_str().expect("a trace id").to_owned();
        self.text().replace(&trace, "")
    }

    /// Fails with the whole answer when the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Fails unless it is a problem of this kind; gives its body.
    #[track_caller]
    pub fn expect_problem(self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        assert!(kind.ends_with(&format!("/problems/{slug}")), "{body}");
        assert_eq!(body["status"], status);
        body
    }

    /// Fails unless it is a 422 that names exactly these fields and codes, in any order.
    #[track_caller]
    pub fn expect_faults(self, faults: &[(&str, &str)]) {
        let body = self.expect_problem(422, "invalid");
        let mut found: Vec<(String, String)> = body["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|error| (text(&error["pointer"]), text(&error["code"])))
            .collect();
        let mut wanted: Vec<(String, String)> =
            faults.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted);
    }
}

/// A text as part of a path or query: everything but letters and digits escaped.
pub fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
