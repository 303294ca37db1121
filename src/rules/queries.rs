//! All SQL about the rules of sites.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::SiteId;
use crate::screening::Rule;
use crate::store::schema::site_rules;
use crate::store::{Conn, StoreError, StoreResult, execute_on_either, lock_rows};

use super::SiteRules;

/// The version of a site's rules.
pub(super) fn find_version(conn: &mut Conn, site: SiteId) -> StoreResult<i64> {
    let version = site_rules::table.find(site.get()).select(site_rules::version).first(conn).optional()?;
    Ok(version.unwrap_or(0))
}

/// The rules of a site. Those that this program does not know, kept by a newer one, are left out.
pub(super) fn load_rules(conn: &mut Conn, site: SiteId) -> StoreResult<SiteRules> {
    let row = site_rules::table.find(site.get()).select((site_rules::rules, site_rules::version));
    let Some((text, version)) = row.first::<(String, i64)>(conn).optional()? else { return Ok(SiteRules::default()) };
    let broken = |error| StoreError::Broken(format!("the rules of site {site}: {error}"));
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(broken)?;
    let rules: Vec<Rule> = all.into_iter().filter_map(|rule| serde_json::from_value(rule).ok()).collect();
    Ok(SiteRules { rules, version })
}

/// As [`load_rules`], and nobody else changes them until this transaction ends.
pub(super) fn load_rules_to_change(conn: &mut Conn, site: SiteId, now: Millis) -> StoreResult<SiteRules> {
    let none = (
        site_rules::site_id.eq(site.get()),
        site_rules::rules.eq("[]"),
        site_rules::version.eq(0),
        site_rules::changed_at.eq(now.0),
    );
    execute_on_either(conn, diesel::insert_into(site_rules::table).values(none).on_conflict_do_nothing())?;
    lock_rows(conn, "SELECT site_id FROM site_rules WHERE site_id = ANY($1) FOR UPDATE", vec![site.get()])?;
    load_rules(conn, site)
}

pub(super) fn update_rules(conn: &mut Conn, site: SiteId, rules: &SiteRules, now: Millis) -> StoreResult<()> {
    let text = serde_json::to_string(&rules.rules).map_err(|error| StoreError::Broken(error.to_string()))?;
    diesel::update(site_rules::table.find(site.get()))
        .set((site_rules::rules.eq(text), site_rules::version.eq(rules.version), site_rules::changed_at.eq(now.0)))
        .execute(conn)?;
    Ok(())
}
