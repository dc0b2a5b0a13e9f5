//! The full digest of every artifact's content, beside the hash that the format knows.

use std::path::Path;

use crate::db::{Cell, Sql, Tx};
use crate::error::Result;
use crate::hash::{
    ContentHash, Digest, FolderIdentity, HashKind, Identity, Manifest, hash_folder, identify_file,
};
use crate::ingest::is_incomplete;
use crate::instance::Instance;
use crate::record::Record;
use crate::store::{Published, Store};
use crate::value::{Timestamp, Value};

/// What the table `holotype_content` holds of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Digest of the file, or of the folder's manifest.
    pub digest: Digest,
    /// Bytes in all.
    pub size: u64,
    /// Compressed manifest of a folder.
    pub manifest: Option<Vec<u8>>,
}

/// Returns how the hash in the row of an artifact was made.
pub(crate) fn recorded_kind(record: &Record) -> Option<HashKind> {
    record.text("_hash_type")?.parse().ok()
}

/// Returns what the row of an artifact says of its content.
pub(crate) fn recorded_hash(record: &Record) -> Option<ContentHash> {
    Some(ContentHash {
        hash: record.text("hash")?.to_owned(),
        kind: recorded_kind(record)?,
        size: record.int("size").and_then(|size| u64::try_from(size).ok())?,
        n_files: record.int("n_files").and_then(|n| u64::try_from(n).ok()),
    })
}

impl Content {
    /// Returns the content of a file.
    pub fn of_file(digest: Digest, content: &ContentHash) -> Content {
        Content { digest, size: content.size, manifest: None }
    }

    /// Returns what publishing found.
    pub(crate) fn of_published(published: &Published) -> Result<Content> {
        let manifest = published.manifest.as_ref().map(Manifest::to_bytes).transpose()?;
        Ok(Content { digest: published.digest, size: published.content.size, manifest })
    }

    /// Returns the content of a folder.
    pub fn of_folder(identity: &FolderIdentity) -> Result<Content> {
        Ok(Content {
            digest: identity.digest,
            size: identity.content.size,
            manifest: Some(identity.manifest.to_bytes()?),
        })
    }

    /// Returns the hash of what lies at `path` and its content, read anew.
    pub(crate) fn identify(path: &Path) -> Result<(ContentHash, Content)> {
        if path.is_dir() {
            let identity = hash_folder(path)?;
            return Ok((identity.content.clone(), Content::of_folder(&identity)?));
        }
        let Identity { content, digest } = identify_file(path)?;
        let found = Content::of_file(digest, &content);
        Ok((content, found))
    }

    /// Returns the hash of what is stored at `key` and its content, read anew, over the network if need be.
    pub(crate) fn identify_at(store: &Store, key: &str) -> Result<(ContentHash, Content)> {
        if !store.is_remote() {
            return Content::identify(&store.path(key)?);
        }
        if store.is_folder(key)? {
            let identity = store.identify_folder(key)?;
            return Ok((identity.content.clone(), Content::of_folder(&identity)?));
        }
        let Identity { content, digest } = store.identify_file(key)?;
        let found = Content::of_file(digest, &content);
        Ok((content, found))
    }

    /// Writes the row of an artifact, replacing an older one.
    pub(crate) fn write(&self, tx: &Tx<'_>, artifact: i64, now: Timestamp) -> Result<()> {
        let mut sql = Sql::new(
            "INSERT INTO \"holotype_content\" (\"artifact_id\", \"digest\", \"size\", \"manifest\", \"computed_at\", \
             \"hash\", \"hash_type\") VALUES (",
        );
        sql.binds([
            Value::Int(artifact),
            Value::Text(self.digest.to_hex()),
            Value::Int(i64::try_from(self.size).unwrap_or(i64::MAX)),
            self.manifest.clone().map_or(Value::Null, |manifest| Value::Bytes(manifest.into())),
            Value::DateTime(now),
        ]);
        // What the row says of the same bytes: once another program has changed it, the digest is out of date.
        for column in ["hash", "_hash_type"] {
            sql.push(", (SELECT ")
                .ident(column)
                .push(" FROM \"lamindb_artifact\" WHERE \"id\" = ")
                .bind(artifact);
            sql.push(")");
        }
        sql.push(
            ") ON CONFLICT (\"artifact_id\") DO UPDATE SET \"digest\" = excluded.\"digest\", \"size\" = excluded.\"size\", \
             \"manifest\" = excluded.\"manifest\", \"computed_at\" = excluded.\"computed_at\", \"hash\" = excluded.\"hash\", \
             \"hash_type\" = excluded.\"hash_type\", \"verified_at\" = NULL",
        );
        tx.execute(&sql).map(|_| ())
    }
}

impl Instance {
    /// Returns the digest of an artifact's content; it is computed from the stored content when nobody has yet.
    ///
    /// `None` when the content is incomplete or out of reach: nothing is fetched to learn its digest.
    pub fn content_of(&self, record: &Record) -> Result<Option<Content>> {
        let Some(id) = record.id() else { return Ok(None) };
        if let Some(known) = self.known_content(id)? {
            return Ok(Some(known));
        }
        let (store, key) = self.located(record)?;
        if store.is_remote() || is_incomplete(record) || !store.exists(&key)? || !self.holds_place(record)? {
            return Ok(None);
        }
        let (hash, content) = Content::identify_at(&store, &key)?;
        // A digest of bytes that are not the artifact's own would vouch for them ever after.
        if recorded_kind(record) == Some(hash.kind) && record.text("hash") != Some(hash.hash.as_str()) {
            return Ok(None);
        }
        if self.db().writes_in_passing() {
            self.db().write(|tx| content.write(tx, id, self.env().now()))?;
        }
        Ok(Some(content))
    }

    /// Returns the files of a folder artifact without touching them; `None` for single files.
    pub fn manifest(&self, record: &Record) -> Result<Option<Manifest>> {
        match self.content_of(record)?.and_then(|content| content.manifest) {
            Some(bytes) => Manifest::from_bytes(&bytes).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn known_content(&self, id: i64) -> Result<Option<Content>> {
        Ok(self.known_contents(&[id])?.pop().map(|(_, content)| content))
    }

    /// Returns what is known of the content of these artifacts; digests of content that another program has replaced
    /// since are left out.
    pub(crate) fn known_contents(&self, ids: &[i64]) -> Result<Vec<(i64, Content)>> {
        let mut sql = Sql::new(
            "SELECT c.\"artifact_id\", c.\"digest\", c.\"size\", c.\"manifest\" FROM \"holotype_content\" AS c \
             JOIN \"lamindb_artifact\" AS a ON a.\"id\" = c.\"artifact_id\" \
             WHERE (c.\"hash\" IS NULL OR c.\"hash\" = a.\"hash\") AND c.\"artifact_id\" IN (",
        );
        sql.binds(ids.iter().map(|id| Value::Int(*id))).push(")");
        let mut found = Vec::new();
        self.db().each(&sql, &mut |cells| {
            if let [Cell::Int(id), Cell::Text(digest), size, manifest] = cells {
                let content = Content {
                    digest: digest.parse()?,
                    size: match size {
                        Cell::Int(size) => u64::try_from(*size).unwrap_or(0),
                        _ => 0,
                    },
                    manifest: match manifest {
                        Cell::Bytes(bytes) => Some(bytes.to_vec()),
                        _ => None,
                    },
                };
                found.push((*id, content));
            }
            Ok(())
        })?;
        Ok(found)
    }
}
