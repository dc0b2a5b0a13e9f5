//! Storage locations on other machines: whose they are, and which of them holds a URL.

use super::NewStorage;
use super::register::Claim;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::instance::marker::{Marker, read_in};
use crate::instance::root::{MARKER_KEY, StorageRoot};
use crate::record::Record;
use crate::store::Store;
use crate::uid;

impl Instance {
    /// Marks a bucket as ours unless it is somebody else's, and returns whose it is and where it lies.
    pub(super) fn claim_bucket(&self, root: &StorageRoot) -> Result<(Claim, Option<String>)> {
        let store = Store::open(root.as_str(), self.env())?;
        let settings = self.settings();
        let own = Marker::new(&uid::random(self.env(), 12), &settings.slug(), &settings.id);
        let nobodys = || {
            self.env().emit(Event::NoWriteAccess { root: root.as_str().to_owned() });
            Claim { storage_uid: own.storage_uid.clone(), manager: None }
        };
        if root.protocol().is_read_only() {
            return Ok((nobodys(), None));
        }
        let claim = match read_in(&store)? {
            Some(found) => self.claim_of(root.as_str(), found),
            None => match store.create(MARKER_KEY, own.to_text().as_bytes()) {
                Ok(true) => Claim { storage_uid: own.storage_uid, manager: Some(settings.uid()) },
                Ok(false) => match read_in(&store)? {
                    Some(found) => self.claim_of(root.as_str(), found),
                    None => nobodys(),
                },
                Err(error) if error.kind() == ErrorKind::PermissionDenied => nobodys(),
                Err(error) => return Err(error),
            },
        };
        Ok((claim, store.region()?))
    }

    /// Writes the mark of a registered bucket of ours again when somebody took it away.
    pub(super) fn mark_bucket_again(&self, storage: &Record, root: &StorageRoot) -> Result<()> {
        if !self.manages(storage) {
            return Ok(());
        }
        let store = Store::open(root.as_str(), self.env())?;
        if read_in(&store)?.is_none() {
            let settings = self.settings();
            let own = Marker::new(storage.uid(), &settings.slug(), &settings.id);
            store.create(MARKER_KEY, own.to_text().as_bytes())?;
        }
        Ok(())
    }

    /// Registers the server, repository or bucket that has a file at this URL, and returns it with the path below its root.
    ///
    /// Of buckets only those that this instance cannot write to: registering another one unasked would write to it.
    pub(crate) fn reference_giver(&self, url: &str) -> Result<Option<(Record, String)>> {
        let wanted = StorageRoot::stored(url.trim_end_matches('/'))?;
        let Some((root, key)) = wanted.giver() else { return Ok(None) };
        let store = Store::open(&root, self.env())?;
        if !key.is_empty() && !store.exists(&key)? {
            return Err(Error::new(ErrorKind::FileNotFound, url));
        }
        if wanted.protocol().is_bucket() && !self.only_reads(&store)? {
            return Ok(None);
        }
        self.create_storage(&NewStorage::new(root))?;
        self.location_of_url(url)
    }

    /// Returns true for a bucket that bears the mark of another instance, or that takes nothing from us.
    fn only_reads(&self, store: &Store) -> Result<bool> {
        if let Some(found) = read_in(store)? {
            return Ok(found.instance_id.as_deref() != Some(self.settings().id.as_str()));
        }
        Ok(!store.takes_files(MARKER_KEY)?)
    }

    /// Returns the location that a URL lies in, and the path below its root.
    ///
    /// A URL that names no endpoint may lie in a location that does; one that names another one does not.
    pub(crate) fn location_of_url(&self, url: &str) -> Result<Option<(Record, String)>> {
        self.location_holding(url, |relative| !relative.is_empty())
    }

    /// Returns the location that a folder's URL lies in, or whose root it is, and the path below that root.
    pub(crate) fn location_of_folder(&self, url: &str) -> Result<Option<(Record, String)>> {
        self.location_holding(url, |_| true)
    }

    /// Returns the location with the longest root whose path to a URL counts.
    fn location_holding(&self, url: &str, counts: impl Fn(&str) -> bool) -> Result<Option<(Record, String)>> {
        let wanted = StorageRoot::stored(url.trim_end_matches('/'))?;
        if wanted.path().split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Error::value(format!("{url} contains '.', '..' or '//': write the path out")));
        }
        for record in self.locations()? {
            let Ok(root) = StorageRoot::stored(record.text("root").unwrap_or_default()) else { continue };
            let same = root.protocol() == wanted.protocol()
                && (wanted.endpoint().is_none() || wanted.endpoint() == root.endpoint());
            let below = wanted.path().strip_prefix(root.path());
            let below =
                below.and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix('/') });
            if let (true, Some(relative)) = (same, below.filter(|relative| counts(relative))) {
                return Ok(Some((record, relative.to_owned())));
            }
        }
        Ok(None)
    }
}
