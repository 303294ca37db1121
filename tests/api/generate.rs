//! `rejoinder generate`: made-up comments that stand as posted ones do.

use rejoinder::comments::generate_comments;

use crate::support::on_each_database;
use crate::support::server::key_of;

#[test]
fn generated_comments_are_of_every_state_and_their_counts_are_right() {
    on_each_database(async |app| {
        let keys = ["a", "b", "c"];
        for key in keys {
            app.article(key).await;
        }
        let mut told = Vec::new();
        let articles = keys.map(key_of).to_vec();
        generate_comments(&app.app, &key_of("main"), articles, 5_500, |done| told.push(done)).await.unwrap();
        assert_eq!(told, [5_000, 5_500]);

        let admin = app.admin().await;
        for status in ["pending", "approved", "rejected", "spam", "trash"] {
            let queue = app.get_as(&admin, &format!("/api/v1/review/comments?status={status}&limit=1")).await.json();
            assert_eq!(queue["items"][0]["status"], status);
        }
        let mut counts = Vec::new();
        for key in keys {
            let article = format!("/api/v1/sites/main/articles/{key}");
            let counted = app.get(&article).await.json()["comments"].as_u64().unwrap();
            let (mut listed, mut page) = (0, format!("{article}/comments?view=flat&limit=100"));
            loop {
                let answer = app.get(&page).await.expect(200).json();
                listed += answer["items"].as_array().unwrap().len() as u64;
                let Some(next) = answer["next"].as_str() else { break };
                page = format!("{article}/comments?view=flat&limit=100&cursor={next}");
            }
            assert_eq!(listed, counted, "{key}");
            counts.push(counted);
        }
        assert!(counts.is_sorted_by(|a, b| a > b), "the first article has most: {counts:?}");
    });
}
