//! All SQL of this feature, a file for each thing it is about.

pub mod audit;
pub mod keys;
pub mod manage;
pub mod people;
pub mod resets;
pub mod second_factor;
pub mod sessions;
pub mod signing;
