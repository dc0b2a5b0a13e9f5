//! Uploads in parts that nobody completed: what killed processes leave in a bucket, which is paid for and shown by no list.

use http::{HeaderMap, Method};
use object_store::client::HttpRequestBody;

use super::request::{Signer, Signing, encode, is_passing, value};
use super::{Object, failure, runtime};
use crate::error::Result;
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
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.fail(client, &upload.key, error)),
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
