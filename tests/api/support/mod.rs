//! What tests stand on: a server of their own, people who use it, and a clock to turn.

pub mod answer;
pub mod database;
pub mod events;
pub mod mailbox;
pub mod markup;
pub mod outside;
pub mod people;
pub mod process;
pub mod raw;
pub mod routes;
pub mod server;
pub mod training;

pub use answer::{Answer, percent};
pub use database::postgres_url;
pub use people::form;
pub use server::{Setup, eventually, on_each_database, on_each_database_with};
