//! Uploads in parts that nobody completed: what killed processes leave in a bucket, which is paid for and shown by no list.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use object_store::Error as Theirs;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::gcp::GcpCredentialProvider;

use super::{Object, runtime};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Unfinished;
use crate::value::Timestamp;

/// What asking a bucket itself needs, for requests that the library does not know; S3 and Google speak alike.
pub(super) struct Signer {
    pub(super) signing: Signing,
    /// URL of the bucket.
    pub(super) bucket: String,
}

/// How requests show who asks.
pub(super) enum Signing {
    /// Not at all.
    Nobody,
    /// By a signature for a region.
    Signature(AwsCredentialProvider, String),
    /// By a token; an empty one is none.
    Token(GcpCredentialProvider),
}

impl Object {
    /// Returns the unfinished uploads to keys below `folder`; none where the store does not tell.
    pub(in crate::store) fn unfinished(&self, folder: &str) -> Result<Vec<Unfinished>> {
        runtime::run(&self.patience(), async {
            let mut found = Vec::new();
            let Some(signer) = &self.client().await?.signer else { return Ok(found) };
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

    /// Returns one page of the list; nothing from stores that keep none, or do not show it.
    pub(super) async fn page(&self, signer: &Signer, url: &str) -> Result<Option<String>> {
        let client = self.client().await?;
        let fail = |what: String| {
            let root = &self.root;
            Error::new(
                ErrorKind::Io,
                format!("The unfinished uploads of {root} cannot be listed: {what}; try again later"),
            )
        };
        let mut request =
            Request::get(url).body(HttpRequestBody::empty()).map_err(|error| fail(error.to_string()))?;
        signer.sign(&mut request).await.map_err(|error| self.fail(client, "", error))?;
        let answer = client.http.execute(request).await;
        let answer = answer.map_err(|error| fail(error.to_string()).because(error))?;
        match answer.status().as_u16() {
            200 => {}
            status @ (429 | 500 | 503) => return Err(fail(format!("it answered with status {status}"))),
            _ => return Ok(None),
        }
        let bytes = answer.into_body().bytes().await;
        let bytes = bytes.map_err(|error| fail(error.to_string()).because(error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Returns the region that a bucket of S3 tells, if it tells one.
    pub(super) async fn region_of_bucket(&self, signer: &Signer) -> Option<String> {
        let client = self.client().await.ok()?;
        let mut request = Request::head(&signer.bucket).body(HttpRequestBody::empty()).ok()?;
        signer.sign(&mut request).await.ok()?;
        let answer = client.http.execute(request).await.ok()?;
        let region = answer.headers().get("x-amz-bucket-region")?.to_str().ok()?;
        Some(region.to_owned()).filter(|region| !region.is_empty())
    }

    fn unfinished_of(&self, upload: &str) -> Option<Unfinished> {
        let key = self.address.key(&value(upload, "Key")?)?.to_owned();
        let since = Timestamp::parse(&value(upload, "Initiated")?)?;
        Some(Unfinished { key, id: value(upload, "UploadId")?, since })
    }
}

impl Signer {
    /// Lets a request show who asks.
    async fn sign(&self, request: &mut HttpRequest) -> object_store::Result<()> {
        match &self.signing {
            Signing::Nobody => {}
            Signing::Signature(credentials, region) => {
                let credential = credentials.get_credential().await?;
                AwsAuthorizer::new(&credential, "s3", region).authorize(request, None);
            }
            Signing::Token(credentials) => {
                let credential = credentials.get_credential().await?;
                if !credential.bearer.is_empty() {
                    let bearer = HeaderValue::from_str(&format!("Bearer {}", credential.bearer));
                    let mut bearer = bearer
                        .map_err(|error| Theirs::Generic { store: "Google", source: Box::new(error) })?;
                    bearer.set_sensitive(true);
                    request.headers_mut().insert(AUTHORIZATION, bearer);
                }
            }
        }
        Ok(())
    }
}

/// Returns the text of the first element of this name.
pub(super) fn value(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.trim().to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

/// Returns a text as a part of a query.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_entities() {
        let xml = "<Upload><Key>a&amp;lt; &lt;b&gt;</Key><UploadId> x </UploadId></Upload>";
        assert_eq!(value(xml, "Key").as_deref(), Some("a&lt; <b>"));
        assert_eq!(value(xml, "UploadId").as_deref(), Some("x"));
        assert_eq!(value(xml, "Initiated"), None);
        assert_eq!(encode("a/b c"), "a%2Fb%20c");
    }
}
