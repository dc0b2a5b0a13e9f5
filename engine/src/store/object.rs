//! Remote locations: buckets of object stores, and servers that can only be read.
//!
//! The interface blocks; requests run on a runtime of this module's own. An object appears whole or not at all: small ones
//! in one request, large ones in parts that the store puts together at the end, when all that was hashed has arrived.
//! A folder is a prefix and cannot appear at once: it is complete when its row in the registry says so.

mod address;
mod azure;
mod azure_blocks;
mod bulk;
mod client;
mod conditional;
mod credentials;
mod download;
mod endpoint;
mod failure;
mod folder;
mod gather;
mod google;
mod google_machine;
mod http;
mod look;
mod moves;
mod parts;
mod plain;
mod repository;
mod request;
mod resume;
mod runtime;
mod tags;
mod unfinished;
mod upload;
mod versioned;
mod whole;

use std::sync::{Arc, OnceLock};

use address::{Address, Scheme};
use client::Client;
use object_store::path::Path as Location;

pub use look::Stat;
pub use resume::UploadNote;

use crate::env::Env;
use crate::error::{Error, Result};
use crate::key::split_query;

/// A remote location; nothing is connected until something is asked.
#[derive(Clone)]
pub(super) struct Object {
    root: String,
    address: Address,
    env: Env,
    client: Arc<OnceLock<Arc<Client>>>,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Object {
    /// Returns the location of a root such as `s3://bucket/folder`.
    pub(super) fn new(root: &str, env: &Env) -> Result<Object> {
        let address = Address::parse(root)?;
        Ok(Object { root: root.to_owned(), address, env: env.clone(), client: Arc::default() })
    }

    /// Returns the URL of the object at `key`, without a query.
    pub(super) fn url(&self, key: &str) -> String {
        let root = split_query(&self.root).0.trim_end_matches('/');
        if key.is_empty() { root.to_owned() } else { format!("{root}/{key}") }
    }

    /// Returns where the bucket lies, as the registry of storage locations notes it.
    pub(super) fn region(&self) -> Result<Option<String>> {
        runtime::run(&|_| Ok(()), async {
            let client = self.client().await?;
            match (&client.region, &client.signer, self.address.scheme) {
                (None, Some(signer), Scheme::S3) => Ok(self.region_of_bucket(signer).await),
                (known, ..) => Ok(known.clone()),
            }
        })
    }

    async fn client(&self) -> Result<&Arc<Client>> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::of(&self.address, &self.root, &self.env).await?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Fails for servers that only give.
    fn writable(&self) -> Result<()> {
        match self.address.scheme {
            Scheme::Http | Scheme::Hf => Err(client::read_only(&self.root)),
            _ => Ok(()),
        }
    }

    /// Returns the place of `key` within the bucket.
    fn location(&self, key: &str) -> Result<Location> {
        let key = key.trim_end_matches('/');
        let bad = || {
            let (key, root) = (key.escape_debug(), &self.root);
            Error::invalid(format!("Key '{key}' names no place below the storage location {root}"))
        };
        let down = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !down || key.contains('\0') {
            return Err(bad());
        }
        Location::parse(self.address.object(key)).map_err(|error| bad().because(error))
    }

    /// Returns the error for a failure on `key`.
    fn fail(&self, client: &Client, key: &str, error: object_store::Error) -> Error {
        failure::explain(client, &self.root, &self.url(key), error)
    }
}
