//! Facts about the database as a whole, kept in a table of our own: a text under a name.

use super::{Db, Sql, Tx};
use crate::error::Result;
use crate::value::{Kind, Value};

/// The table.
pub(crate) const META: &str = "holotype_meta";

/// Returns the question for the text under a name.
pub(crate) fn query(key: &str) -> Sql {
    let mut sql = Sql::new("SELECT \"value\" FROM \"holotype_meta\" WHERE \"key\" = ");
    sql.bind(key);
    sql
}

impl Db {
    /// Returns the text under a name, if there is one; databases without the table hold none.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<String>> {
        let [text] = self.metas([key])?;
        Ok(text)
    }

    /// Returns the texts under these names, as [`Db::meta`] each.
    pub(crate) fn metas<const N: usize>(&self, keys: [&str; N]) -> Result<[Option<String>; N]> {
        let mut found = [const { None }; N];
        if self.present(&[META])?.is_empty() {
            return Ok(found);
        }
        let mut sql = Sql::new("SELECT \"key\", \"value\" FROM \"holotype_meta\" WHERE \"key\" IN (");
        sql.binds(keys.map(Value::from)).push(")");
        for row in self.rows(&sql, &[Kind::Text, Kind::Text])? {
            let [key, value] = [0, 1].map(|cell| row.get(cell).and_then(Value::as_str));
            if let Some(position) = keys.iter().position(|wanted| Some(*wanted) == key) {
                found[position] = value.map(str::to_owned);
            }
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// Returns the text under a name, if there is one; databases without the table hold none.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<String>> {
        if self.present(&[META])?.is_empty() {
            return Ok(None);
        }
        Ok(text(self.scalar(&query(key), Kind::Text)?))
    }

    /// Keeps a text under a name, in place of another one.
    pub(crate) fn set_meta(&self, key: &str, value: String) -> Result<()> {
        let mut sql = Sql::new("INSERT INTO \"holotype_meta\" (\"key\", \"value\") VALUES (");
        sql.binds([key.into(), Value::Text(value)]);
        sql.push(") ON CONFLICT (\"key\") DO UPDATE SET \"value\" = excluded.\"value\"");
        self.execute(&sql).map(drop)
    }

    /// Forgets the text under a name.
    pub(crate) fn forget_meta(&self, key: &str) -> Result<()> {
        let mut sql = Sql::new("DELETE FROM \"holotype_meta\" WHERE \"key\" = ");
        sql.bind(key);
        self.execute(&sql).map(drop)
    }
}

fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| value.as_str().map(str::to_owned))
}
