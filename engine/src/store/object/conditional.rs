//! Large objects written only over a known version: sent in parts, and put together under a condition.
//!
//! Not every server looks at conditions when it puts parts together: some do in single requests only, and would replace
//! what they were to keep. So a server shows first, on an object of no worth, that it replaces neither what nobody knows
//! nor another version than the known one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use object_store::client::HttpRequestBody;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Location;
use object_store::{Error as Theirs, MultipartId, ObjectStoreExt as _, PutPayload, PutResult};

use super::azure_blocks::Blocks;
use super::client::Client;
use super::parts::Upload;
use super::request::{Signer, Signing, encode, generic, is_passing, value};
use super::versioned::Sought;
use super::{Object, failure, runtime};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::hash::Stamp;
use crate::store::{Publish, Version};
use crate::uid;

/// How Google counts the versions of an object; none is zero.
const GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");

impl Object {
    /// Returns true when the store has shown that it puts parts together under conditions; the object on which it does lies
    /// beside `key` meanwhile.
    pub(in crate::store) fn replaces_in_parts(&self, key: &str) -> Result<bool> {
        self.writable()?;
        runtime::run(&self.patience(), async { self.shows_conditions(self.client().await?, key).await })
    }

    /// Sends a file in parts over the known version; see `write_over`.
    pub(in crate::store) fn write_file_over(
        &self,
        key: &str,
        known: Option<&Version>,
        source: &Path,
    ) -> Result<Option<Version>> {
        self.writable()?;
        runtime::run(&self.patience(), async {
            let client = self.client().await?;
            match (&client.signer, &client.parts) {
                (Some(signer), Some(parts)) if self.shows_conditions(client, key).await? => {
                    let id = parts.create_multipart(&self.location(key)?).await;
                    let id = id.map_err(|error| self.fail(client, key, error))?;
                    let location = self.location(key)?;
                    let upload = Upload { parts: parts.clone(), location, id, note: None, open: true };
                    self.send_over(client, signer, upload, key, known, source).await
                }
                _ => Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "{} does not show that it puts an upload in parts together under a condition: {} cannot be \
                         replaced safely by {}, and nothing was sent",
                        self.root,
                        self.url(key),
                        source.display()
                    ),
                )),
            }
        })
    }

    async fn send_over(
        &self,
        client: &Client,
        signer: &Arc<Signer>,
        mut upload: Upload<'_>,
        key: &str,
        known: Option<&Version>,
        source: &Path,
    ) -> Result<Option<Version>> {
        let stamp = Stamp::of(source)?;
        let patience = self.patience();
        let how = Publish { progress: &patience, ..Publish::default() };
        let (identity, ids, md5s) = match self.send(client, &upload, source, BTreeMap::new(), key, &how).await
        {
            Ok(sent) => sent,
            Err(error) => return upload.fail(error, source, &stamp).await,
        };
        faults::hit("object.sent");
        let size = identity.content.size;
        let sought = Sought { size, digest: identity.digest, md5s: &md5s, in_parts: true };
        match signer.complete(&upload.location, &upload.id, ids, known).await {
            Ok(put) => {
                upload.open = false;
                faults::hit("object.together");
                self.check_stored(client, key, put.e_tag.as_deref(), &md5s, true, identity.digest).await?;
                Ok(Some(self.version_put(key, put).await))
            }
            Err(error) if failure::status(&error).is_some_and(|status| !is_passing(status)) => {
                // An answer may have been lost, and the second attempt have met the first.
                if let Some(version) = self.if_holds(key, &sought).await? {
                    upload.open = false;
                    return Ok(Some(version));
                }
                if is_refusal(&error) {
                    upload.give_up().await;
                    return Ok(None);
                }
                upload.fail(self.fail(client, key, error), source, &stamp).await
            }
            Err(error) => upload.fail(self.fail(client, key, error), source, &stamp).await,
        }
    }

    /// Returns the version that was just put, in the words in which the store tells of it later. If it does not, or of
    /// another one by now, what the answer said must do.
    async fn version_put(&self, key: &str, put: PutResult) -> Version {
        let bare = |tag: &Option<String>| tag.as_ref().map(|tag| tag.trim_matches('"').to_owned());
        let found = self.found(key).await.ok().flatten().filter(|meta| {
            let numbers = put.version.as_ref().zip(meta.version.as_ref());
            bare(&meta.e_tag) == bare(&put.e_tag) && numbers.is_none_or(|(put, found)| put == found)
        });
        found.map_or(Version { tag: put.e_tag, number: put.version }, |meta| Version::of(&meta))
    }

    async fn shows_conditions(&self, client: &Client, key: &str) -> Result<bool> {
        let show = || async {
            let (Some(signer), Some(parts)) = (&client.signer, &client.parts) else { return Ok(false) };
            let key = format!("{key}.try-{}", uid::random(&self.env, 8));
            let location = self.location(&key)?;
            let shown = try_conditions(client, signer, &**parts, &location).await;
            // Nobody needs it, and nothing is wrong if it was never there.
            let _ = client.store.delete(&location).await;
            match shown {
                // Who refuses shows nothing.
                Err(error) if failure::status(&error).is_some_and(|status| !is_passing(status)) => Ok(false),
                shown => shown.map_err(|error| self.fail(client, &key, error)),
            }
        };
        client.conditions.get_or_try_init(show).await.copied()
    }
}

/// Has a store put parts together over one object: with none known, with a former version, and with the present one.
async fn try_conditions(
    client: &Client,
    signer: &Arc<Signer>,
    parts: &dyn MultipartStore,
    location: &Location,
) -> Result<bool, Theirs> {
    let put = async |bytes: &'static [u8]| {
        let put = client.store.put(location, PutPayload::from_static(bytes)).await?;
        Ok::<_, Theirs>(Version { tag: put.e_tag, number: put.version })
    };
    let (former, present) = (put(b"1").await?, put(b"22").await?);
    for (known, wanted) in [(None, false), (Some(&former), false), (Some(&present), true)] {
        let id = parts.create_multipart(location).await?;
        let part = parts.put_part(location, &id, 0, PutPayload::from_static(b"333")).await?;
        let answered = signer.complete(location, &id, vec![part], known).await;
        if let Err(error) = &answered {
            let _ = parts.abort_multipart(location, &id).await;
            if failure::status(error).is_none_or(is_passing) {
                return answered.map(|_| false);
            }
        }
        // An answer may be that to a second attempt: what lies there is what counts.
        let done = client.store.head(location).await?.size == 3;
        if done != wanted || answered.is_ok() && !wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns true when a condition does not hold; of an object that is gone, S3 says so instead.
fn is_refusal(error: &Theirs) -> bool {
    matches!(error, Theirs::Precondition { .. } | Theirs::AlreadyExists { .. } | Theirs::NotFound { .. })
        && !failure::has_code(error, "NoSuchUpload")
}

impl Signer {
    /// Puts the parts of an upload together over the known version, or where nothing lies.
    async fn complete(
        self: &Arc<Self>,
        location: &Location,
        id: &MultipartId,
        parts: Vec<PartId>,
        known: Option<&Version>,
    ) -> Result<PutResult, Theirs> {
        let condition = self.condition(known)?;
        if let Signing::Azure(..) = self.signing {
            return Blocks(self.clone()).put_list(location, id, parts, condition).await;
        }
        let mut list = String::from("<CompleteMultipartUpload>");
        for (number, part) in (1..).zip(&parts) {
            let tag = &part.content_id;
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
        }
        list.push_str("</CompleteMultipartUpload>");
        let url = format!("{}?uploadId={}", self.url(location), encode(id));
        let body = HttpRequestBody::from(Bytes::from(list));
        let answer = self.send(Method::POST, &url, condition, body).await?;
        let number = match self.signing {
            Signing::Token(_) => "x-goog-generation",
            _ => "x-amz-version-id",
        };
        Ok(PutResult { e_tag: value(&answer.body, "ETag"), version: answer.header(number) })
    }

    /// Returns the header that asks for a version, or for none.
    fn condition(&self, known: Option<&Version>) -> Result<HeaderMap, Theirs> {
        let named = |part: &Option<String>| {
            part.clone().ok_or_else(|| generic(std::io::Error::other("the known version has no name")))
        };
        let (name, text) = match (&self.signing, known) {
            (Signing::Token(_), None) => (GENERATION, "0".to_owned()),
            (Signing::Token(_), Some(version)) => (GENERATION, named(&version.number)?),
            (_, None) => (IF_NONE_MATCH, "*".to_owned()),
            (_, Some(version)) => (IF_MATCH, named(&version.tag)?),
        };
        Ok(HeaderMap::from_iter([(name, HeaderValue::from_str(&text).map_err(generic)?)]))
    }
}
