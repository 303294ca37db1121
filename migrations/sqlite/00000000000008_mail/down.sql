DROP TABLE remembered_browsers;
DROP TABLE comment_proofs;
DROP TABLE verified_emails;
DROP TABLE outbox;
