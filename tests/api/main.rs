//! The tests are clients: each starts a server on a port of its own with a database of its own and speaks HTTP to it.
//!
//! Every test runs on SQLite, and on PostgreSQL too when `TEST_POSTGRES_URL` names a server on which it may make schemas.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

#[allow(dead_code)] // Each story uses what it needs of it.
mod support;

mod accounts;
mod accounts_attacked;
mod articles;
mod audit;
mod audit_chain;
mod audit_read;
mod bans;
mod bodies;
mod browser_sessions;
mod campaigns;
mod clock_jumps;
mod command_line;
mod comments_post;
mod comments_thread;
mod crash;
mod databases;
mod disk_full;
mod durability;
mod figures;
mod floors;
mod found_by_attack;
mod generate;
mod guessing;
mod headers;
mod keys;
mod leaks;
mod learning;
mod learning_killed;
mod learning_stream;
mod lost_database;
mod mail;
mod migrations;
mod moderators_day;
mod nodes;
mod openapi;
mod outside;
mod overload;
mod pages;
mod passwords;
mod people;
mod problems;
mod receipts;
mod reports;
mod review_claims;
mod review_decide;
mod review_edit;
mod review_events;
mod review_find;
mod review_many;
mod review_notes;
mod review_queue;
mod review_replies;
mod review_undo;
mod rights;
mod robots;
mod rules;
mod screening;
mod second_factor;
mod sessions;
mod settings;
mod signing_keys;
mod sites;
mod slow_clients;
mod tokens_forged;
mod trust;
mod unicode;
