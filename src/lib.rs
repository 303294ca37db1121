//! Rejoinder: a comment moderation backend. Readers reply, moderators decide, the article shows what was approved.
//!
//! Feature folders stand on numbered floors and import from lower floors only; `README.md` has the map.

pub mod accounts;
pub mod app;
pub mod articles;
pub mod audit;
pub mod bans;
pub mod campaigns;
pub mod cli;
pub mod comments;
pub mod config;
pub mod http;
pub mod jobs;
pub mod kit;
pub mod learning;
pub mod notify;
pub mod outbound;
pub mod outside;
pub mod readers;
pub mod review;
pub mod rules;
pub mod screening;
pub mod server;
pub mod sites;
pub mod store;
