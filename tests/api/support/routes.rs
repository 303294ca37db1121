//! The routes that the server says it has.

use reqwest::Method;
use serde_json::Value;

use super::answer::Answer;
use super::server::TestApp;

/// Every method that is asked somewhere.
pub const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

impl TestApp {
    /// The document of `/openapi.json`.
    pub async fn contract(&self) -> Value {
        self.get("/openapi.json").await.expect(200).json()
    }

    /// Every path of the document with its methods, in capitals.
    pub async fn routes(&self) -> Vec<(String, Vec<String>)> {
        let contract = self.contract().await;
        let paths = contract["paths"].as_object().expect("paths");
        paths
            .iter()
            .map(|(path, item)| {
                let methods = item.as_object().expect("a path item").keys().map(|name| name.to_uppercase());
                (path.clone(), methods.filter(|name| METHODS.contains(&name.as_str())).collect())
            })
            .collect()
    }

    pub async fn send(&self, method: &str, path: &str) -> Answer {
        let method: Method = method.parse().expect("a method");
        Answer::of(self.request(method, path)).await
    }
}

/// The path with its parameters filled in.
pub fn fill(path: &str, values: &[(&str, &str)]) -> String {
    let filled = values.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    assert!(!filled.contains('{'), "{path} has a parameter that this test does not know");
    filled
}
