//! `src/comments/post.rs`, step by step.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

mod parse {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let body = json!({
                "name": "x".repeat(246),
                "email": "not an email",
                "url": "javascript:alert(1)",
                "comment": "\u{0}",
                "parent_id": "first",
            });
            app.post(&article, &body).await.expect_faults(&[
                ("/comment", "nul_character"),
                ("/email", "email"),
                ("/name", "too_long"),
                ("/parent_id", "type"),
                ("/url", "url"),
            ]);
        });
    }

    #[test]
    fn the_three_media_types_of_forms_are_read_alike() {
        on_each_database(async |app| {
            let article = format!("{}/comments", app.article("a").await);
            let fields = [("name", "Ada"), ("email", "ada@example.org")];
            let request = || app.request(Method::POST, &article);
            let urlencoded = request().header("content-type", "application/x-www-form-urlencoded");
            Answer::of(urlencoded.body("name=Ada&email=ada%40example.org&comment=one+%C3%A9")).await.expect(202);
            let multipart =
                fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(*name, *value));
            Answer::of(request().multipart(multipart.text("comment", "two é"))).await.expect(202);
            Answer::of(request().json(&form("three é"))).await.expect(202);
            let admin = app.admin().await;
            let items = app.get_as(&admin, "/api/v1/review/comments").await.json();
            let texts: Vec<_> = items["items"].as_array().unwrap().iter().map(|item| item["text"].clone()).collect();
            assert_eq!(texts, ["one é", "two é", "three é"]);
        });
    }
}

mod pace {
    use super::*;

    #[test]
    fn an_address_has_a_burst_of_five_then_one_per_fifteen_seconds() {
        on_each_database_with(&Setup { has_limits: true, ..Setup::default() }, async |app| {
            let article = app.article("a").await;
            for count in 0..5 {
                app.post(&article, &form(&format!("number {count}"))).await.expect(202);
            }
            let refused = app.post(&article, &form("one too many")).await;
            assert_eq!(refused.header("retry-after"), Some("15"));
            assert_eq!(refused.header("ratelimit"), Some("\"address\";r=0;t=15"));
            refused.expect_problem(429, "too-fast");
            app.advance(15);
            app.post(&article, &form("in time")).await.expect(202);
        });
    }
}
