//! Uploads in parts that nobody completed: what killed processes leave in a bucket, which is paid for and shown by no list.

use http::{HeaderMap, Method};
use object_store::client::HttpRequestBody;
use object_store::{Error as Theirs, ObjectStore as _, PutMode, PutPayload, UpdateVersion};

use super::address::Scheme;
use super::request::{Signer, Signing, encode, is_passing, value};
use super::{Object, failure, runtime};
use crate::error::{ErrorKind, Result};
use crate::store::Unfinished;
use crate::value::Timestamp;

impl Object {
    /// Returns the unfinished uploads to keys below `folder`; none where the store does not tell.
    pub(in crate::store) fn unfinished(&self, folder: &str) -> Result<Vec<Unfinished>> {
        runtime::run(&self.patience(), async {
            let mut found = Vec::new();
            let Some(signer) = &self.client().await?.signer else { return Ok(found) };
            // Azure forgets by itself what nobody completed.
            if matches!(signer.signing, Signing::Azure(..)) {
                return Ok(found);
            }
            let prefix = encode(&self.address.object(&format!("{folder}/")));
            let mut after = String::new();
            loop {
                let url = format!("{}?{after}prefix={prefix}&uploads=", signer.bucket);
                let Some(page) = self.page(signer, &url).await? else { return Ok(found) };
                for upload in page.split("<Upload>").skip(1) {
                    found.extend(self.unfinished_of(upload));
                }
                if value(&page, "IsTruncated").as_deref() != Some("true") {
                    return Ok(found);
                }
                let marker = |name: &str| encode(&value(&page, name).unwrap_or_default());
                let (key, id) = (marker("NextKeyMarker"), marker("NextUploadIdMarker"));
                let next = format!("key-marker={key}&upload-id-marker={id}&");
                if next == after {
                    return Ok(found);
                }
                after = next;
            }
        })
    }

    /// Lets the store forget the parts of an upload; one that is gone meanwhile is passed over.
    pub(in crate::store) fn give_up(&self, upload: &Unfinished) -> Result<()> {
        self.writable()?;
        runtime::run(&|_| Ok(()), async {
            let (client, location) = (self.client().await?, self.location(&upload.key)?);
            let Some(parts) = &client.parts else { return Ok(()) };
            match parts.abort_multipart(&location, &upload.id).await {
                Ok(()) | Err(Theirs::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.fail(client, &upload.key, error)),
            }
        })
    }

    /// Returns true when the store would take a file for `key`, of which it keeps nothing.
    pub(in crate::store) fn takes_files(&self, key: &str) -> Result<bool> {
        runtime::run(&self.patience(), async {
            let (client, location) = (self.client().await?, self.location(key)?);
            let Some(parts) = &client.parts else { return Ok(false) };
            let asked = if self.address.scheme == Scheme::Az {
                // It has no uploads to begin, but looks at permissions before a condition that cannot hold.
                let never = UpdateVersion { e_tag: Some("\"0\"".to_owned()), version: None };
                let put = client.store.put_opts(&location, PutPayload::new(), PutMode::Update(never).into());
                match put.await {
                    Err(Theirs::Precondition { .. } | Theirs::NotFound { .. }) => Ok(()),
                    put => put.map(drop),
                }
            } else {
                match parts.create_multipart(&location).await {
                    // Whatever stays of it holds no part.
                    Ok(id) => parts.abort_multipart(&location, &id).await.or(Ok(())),
                    Err(error) => Err(error),
                }
            };
            match asked.map_err(|error| self.fail(client, key, error)) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(false),
                asked => asked.map(|()| true),
            }
        })
    }

    /// Returns one page of a list; nothing from stores that keep none, or do not show it.
    pub(super) async fn page(&self, signer: &Signer, url: &str) -> Result<Option<String>> {
        match signer.send(Method::GET, url, HeaderMap::new(), HttpRequestBody::empty()).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) => match failure::status(&error) {
                Some(status) if !is_passing(status) => Ok(None),
                _ => Err(self.fail(self.client().await?, "", error)),
            },
        }
    }

    /// Returns the region that a bucket of S3 tells, if it tells one.
    pub(super) async fn region_of_bucket(&self, signer: &Signer) -> Option<String> {
        let asked = signer.send(Method::HEAD, &signer.bucket, HeaderMap::new(), HttpRequestBody::empty());
        asked.await.ok()?.header("x-amz-bucket-region").filter(|region| !region.is_empty())
    }

    fn unfinished_of(&self, upload: &str) -> Option<Unfinished> {
        let key = self.address.key(&value(upload, "Key")?)?.to_owned();
        let since = Timestamp::parse(&value(upload, "Initiated")?)?;
        Some(Unfinished { key, id: value(upload, "UploadId")?, since })
    }
}
