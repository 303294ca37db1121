//! The tests are clients: each starts a server on a port of its own with a database of its own and speaks HTTP to it.
//!
//! Every test runs on `SQLite`, and on `PostgreSQL` too when `TEST_POSTGRES_URL` names a server on which it may make schemas.

mod support;

mod accounts;
mod articles;
mod comments_post;
mod databases;
mod openapi;
mod problems;
mod review_decide;
mod review_queue;
mod rights;
mod tokens_forged;
