//! Servers that give a file whole or not at all.

use futures_util::TryStreamExt as _;
use object_store::{Error as Theirs, GetOptions, GetRange, ObjectStoreExt as _};

use super::address::Scheme;
use super::client::Client;
use super::{Object, Stat};
use crate::error::Result;

impl Object {
    /// Returns true where the server is known, or found when asked for the first byte, to give no ranges of a file.
    pub(super) async fn gives_whole_files(&self, client: &Client, key: &str, stat: &Stat) -> Result<bool> {
        if !matches!(self.address.scheme, Scheme::Http | Scheme::Hf) || stat.size == 0 {
            return Ok(false);
        }
        let first = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        match client.store.get_opts(&self.location(key)?, first).await {
            Ok(_) => Ok(false),
            Err(Theirs::NotSupported { .. }) => Ok(true),
            Err(error) => Err(self.fail(client, key, error)),
        }
    }

    /// Passes on the bytes of a file from `start` on as they come, in order, all with one request.
    pub(super) async fn stream(
        &self,
        client: &Client,
        key: &str,
        stat: &Stat,
        start: u64,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let fail = |error| self.fail(client, key, error);
        let found = client.store.get(&self.location(key)?).await.map_err(fail)?;
        let (mut coming, mut came) = (found.into_stream(), 0);
        while let Some(bytes) = coming.try_next().await.map_err(fail)? {
            // What is there already comes once more.
            let known = usize::try_from(start.saturating_sub(came)).unwrap_or(usize::MAX).min(bytes.len());
            came += bytes.len() as u64;
            take(&bytes[known..])?;
        }
        self.whole(key, came, stat.size)
    }
}
