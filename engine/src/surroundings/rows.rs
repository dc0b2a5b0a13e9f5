//! Where surroundings are kept: documents once per content, and which of them belong to a run.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::Surroundings;
use crate::db::{Cell, Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::instance::Instance;
use crate::record::Record;
use crate::value::{Kind, Value};

/// Compression of documents: the packages of a machine are worth some work, once.
const LEVEL: i32 = 9;

/// What is kept once, and named by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Digest of its content.
    pub digest: String,
    /// Bytes that it takes.
    pub size: u64,
}

impl Instance {
    /// Returns what is kept of the surroundings of a run that called `track`; nothing for runs that ended without a word
    /// and for those of other programs.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] for a document that is no longer what was kept.
    pub fn surroundings(&self, run: &Record) -> Result<Option<Surroundings>> {
        // Whoever may only read found what another program made.
        if self.db().read_only() && self.db().present(&["holotype_run"])?.is_empty() {
            return Ok(None);
        }
        let mut sql =
            Sql::new("SELECT \"environment\", \"origin\" FROM \"holotype_run\" WHERE \"run_id\" = ");
        sql.bind(run.id().unwrap_or_default());
        let mut digests = None;
        self.db().each(&sql, &mut |cells| {
            if let [Cell::Text(environment), Cell::Text(origin)] = cells {
                digests = Some(((*environment).to_owned(), (*origin).to_owned()));
            }
            Ok(())
        })?;
        let Some((environment, origin)) = digests else { return Ok(None) };
        let origin = self.parsed(&origin)?;
        let difference = match origin["repository"]["difference"].as_str() {
            Some(digest) => Some(String::from_utf8_lossy(&self.document(digest)?).into_owned()),
            None => None,
        };
        Ok(Some(Surroundings { environment: self.parsed(&environment)?, origin, difference }))
    }

    /// Returns the documents that no run names, sorted by digest; none while it is not certain which those are.
    ///
    /// They need no age: a document is written in the transaction that lets a run name it.
    pub(crate) fn unnamed_documents(&self) -> Result<Vec<Document>> {
        if self.db().present(&["holotype_run", "holotype_document"])?.len() < 2 {
            return Ok(Vec::new());
        }
        let texts = |sql: &str| -> Result<BTreeSet<String>> {
            let rows = self.db().rows(&Sql::new(sql), &[Kind::Text])?;
            Ok(rows.into_iter().flatten().map(|digest| digest.to_string()).collect())
        };
        let origins = texts("SELECT DISTINCT \"origin\" FROM \"holotype_run\"")?;
        let mut named = texts("SELECT DISTINCT \"environment\" FROM \"holotype_run\"")?;
        for origin in &origins {
            match self.parsed(origin) {
                Ok(origin) => named.extend(origin["repository"]["difference"].as_str().map(str::to_owned)),
                // Who can say what it named?
                Err(error) if error.kind() == ErrorKind::Integrity => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        named.extend(origins);
        let all = "SELECT \"digest\", length(\"content\") FROM \"holotype_document\" ORDER BY \"digest\"";
        let all = self.db().rows(&Sql::new(all), &[Kind::Text, Kind::BigInt])?;
        let document = |row: Vec<Value>| {
            let size = u64::try_from(row.get(1)?.as_int()?).ok()?;
            Some(Document { digest: row.first()?.to_string(), size })
        };
        Ok(all
            .into_iter()
            .filter_map(document)
            .filter(|document| !named.contains(&document.digest))
            .collect())
    }

    fn parsed(&self, digest: &str) -> Result<Json> {
        serde_json::from_slice(&self.document(digest)?).map_err(|error| damaged(digest).because(error))
    }

    fn document(&self, digest: &str) -> Result<Vec<u8>> {
        let mut sql = Sql::new("SELECT \"content\" FROM \"holotype_document\" WHERE \"digest\" = ");
        sql.bind(digest);
        let mut found = None;
        self.db().each(&sql, &mut |cells| {
            if let [Cell::Bytes(bytes)] = cells {
                found = Some(bytes.to_vec());
            }
            Ok(())
        })?;
        let content = found.and_then(|packed| zstd::stream::decode_all(packed.as_slice()).ok());
        content.filter(|content| Digest::of(content).to_hex() == digest).ok_or_else(|| damaged(digest))
    }
}

/// Keeps what was gathered for a run.
pub(crate) fn keep(tx: &Tx<'_>, run: &Record, mut found: Surroundings) -> Result<()> {
    if let Some(difference) = &found.difference {
        found.origin["repository"]["difference"] = json!(put(tx, difference.as_bytes())?);
    }
    let environment = put(tx, found.environment.to_string().as_bytes())?;
    let origin = put(tx, found.origin.to_string().as_bytes())?;
    let mut sql = Sql::new("INSERT INTO \"holotype_run\" (\"run_id\", \"environment\", \"origin\") VALUES (");
    sql.binds([Value::Int(run.id().unwrap_or_default()), environment.into(), origin.into()]);
    // A run that went on has the surroundings of its last part.
    sql.push(
        ") ON CONFLICT (\"run_id\") DO UPDATE SET \"environment\" = excluded.\"environment\", \
         \"origin\" = excluded.\"origin\"",
    );
    tx.execute(&sql).map(|_| ())
}

/// Keeps a document and returns its digest.
fn put(tx: &Tx<'_>, content: &[u8]) -> Result<String> {
    let digest = Digest::of(content).to_hex();
    let mut known = Sql::new("SELECT 1 FROM \"holotype_document\" WHERE \"digest\" = ");
    known.bind(digest.as_str());
    if tx.scalar(&known, Kind::Int)?.is_none() {
        let packed = zstd::bulk::compress(content, LEVEL)
            .map_err(|error| Error::value("A document could not be compressed").because(error))?;
        let mut sql = Sql::new("INSERT INTO \"holotype_document\" (\"digest\", \"content\") VALUES (");
        sql.binds([digest.as_str().into(), Value::Bytes(packed.into())])
            .push(") ON CONFLICT (\"digest\") DO NOTHING");
        tx.execute(&sql)?;
    }
    Ok(digest)
}

fn damaged(digest: &str) -> Error {
    Error::integrity(format!("The document {digest} in holotype_document is missing or damaged"))
}
