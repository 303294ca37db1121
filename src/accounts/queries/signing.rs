//! All SQL about the keys that access tokens are signed with.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::store::schema::signing_keys;
use crate::store::{Conn, Db, StoreResult};

/// A key as it is kept.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
#[diesel(check_for_backend(Db))]
pub struct KeyRow {
    pub kid: String,
    pub sealed: Vec<u8>,
    pub is_sealed: bool,
    pub created_at: Millis,
}

/// All keys, the newest first.
pub fn list_keys(conn: &mut Conn) -> StoreResult<Vec<KeyRow>> {
    Ok(signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select(KeyRow::as_select())
        .load(conn)?)
}

pub fn insert_key(conn: &mut Conn, key: &KeyRow) -> StoreResult<()> {
    diesel::insert_into(signing_keys::table).values(key).execute(conn)?;
    Ok(())
}

pub fn delete_keys(conn: &mut Conn, kids: &[String]) -> StoreResult<()> {
    diesel::delete(signing_keys::table.filter(signing_keys::kid.eq_any(kids))).execute(conn)?;
    Ok(())
}
