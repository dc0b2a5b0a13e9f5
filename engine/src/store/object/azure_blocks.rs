//! Uploads in parts to Azure Blob Storage that can be taken up: blocks whose names tell what they hold.
//!
//! Azure knows no uploads: what has arrived for a blob lies beside it as blocks under names that the client chose, until a
//! list of names makes some of them the blob. The library draws names by lot, which tell nothing to the next process. Ours
//! are made of an upload, drawn by lot as well, number and MD5: what two processes send for the same blob stays apart.
//!
//! Nothing can discard blocks: those that no list names vanish when the blob is written, or by themselves within a week.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use object_store::client::HttpRequestBody;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Location;
use object_store::{MultipartId, PutPayload, PutResult, Result};

use super::request::{Signer, encode, generic, value};
use super::resume::There;
use super::tags;

/// The header by which the store compares what arrives.
const MD5: HeaderName = HeaderName::from_static("content-md5");

/// Uploads to one container.
pub(super) struct Blocks(pub(super) Arc<Signer>);

#[async_trait::async_trait]
impl MultipartStore for Blocks {
    /// Asks nobody: there is nothing to begin.
    async fn create_multipart(&self, location: &Location) -> Result<MultipartId> {
        Ok(format!("{:016x}", RandomState::new().hash_one(location.as_ref())))
    }

    async fn put_part(
        &self,
        location: &Location,
        id: &MultipartId,
        at: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        let body = Bytes::from(data);
        let md5 = tags::md5(&body);
        let name = encode(&name(id, at, &md5));
        let url = format!("{}?comp=block&blockid={name}", self.0.url(location));
        let sum = HeaderValue::from_str(&STANDARD.encode(md5)).map_err(generic)?;
        let headers = HeaderMap::from_iter([(MD5, sum)]);
        self.0.send(Method::PUT, &url, headers, HttpRequestBody::from(body)).await?;
        Ok(PartId { content_id: tags::hex(&md5) })
    }

    async fn complete_multipart(
        &self,
        location: &Location,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.put_list(location, id, parts, HeaderMap::new()).await
    }

    /// Does nothing: there is no way to discard blocks.
    async fn abort_multipart(&self, _: &Location, _: &MultipartId) -> Result<()> {
        Ok(())
    }
}

impl Blocks {
    /// Makes the blob of blocks that have arrived, under conditions.
    pub(super) async fn put_list(
        &self,
        location: &Location,
        id: &MultipartId,
        parts: Vec<PartId>,
        conditions: HeaderMap,
    ) -> Result<PutResult> {
        let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for (at, part) in parts.iter().enumerate() {
            let no_md5 = || generic(std::io::Error::other(format!("Part {at} of {location} has no MD5")));
            let md5 = tags::md5_of(&part.content_id).ok_or_else(no_md5)?;
            // The latest of this name, wherever it is: when the answer was lost, all of them are part of the blob already.
            list.push_str(&format!("<Latest>{}</Latest>", name(id, at, &md5)));
        }
        list.push_str("</BlockList>");
        let url = format!("{}?comp=blocklist", self.0.url(location));
        let answer = self.0.send(Method::PUT, &url, conditions, HttpRequestBody::from(list)).await?;
        Ok(PutResult { e_tag: answer.header("etag"), version: answer.header("x-ms-version-id") })
    }
}

/// Returns the blocks of an upload that wait beside a blob, by their number.
pub(super) fn waiting(page: &str, id: &MultipartId) -> BTreeMap<usize, There> {
    let blocks = page.split("<Block>").skip(1).filter_map(|block| {
        let (at, md5) = parse(id, &value(block, "Name")?)?;
        let size = value(block, "Size")?.parse().ok()?;
        Some((at, There { size, tag: tags::hex(&md5) }))
    });
    blocks.collect()
}

/// Returns the name of a block. All of a blob must be of one length: of the 32 bytes that the library gives them, which
/// may have left some.
fn name(id: &MultipartId, at: usize, md5: &[u8; 16]) -> String {
    STANDARD.encode([&number(id).to_be_bytes()[..], &(at as u64).to_be_bytes(), md5].concat())
}

/// Returns number and MD5 of a block; nothing for one of another upload or program.
fn parse(id: &MultipartId, name: &str) -> Option<(usize, [u8; 16])> {
    let name = STANDARD.decode(name).ok()?;
    let (at, md5) = name.strip_prefix(&number(id).to_be_bytes())?.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_be_bytes(*at)).ok()?, md5.try_into().ok()?))
}

/// Returns the number of an upload, as names hold it.
fn number(id: &MultipartId) -> u64 {
    u64::from_str_radix(id, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_of_the_upload_are_seen() {
        let (id, other) = ("00000000000000a1".to_owned(), "00000000000000a2".to_owned());
        let md5 = tags::md5(b"bytes");
        let theirs = STANDARD.encode("0123456789abcdef0123456789abcdef");
        let names = [name(&id, 9_999, &md5), name(&other, 3, &md5), theirs.clone(), "%".to_owned()];
        assert!(
            names[..3].iter().all(|name| name.len() == theirs.len()),
            "names of one blob are of one length"
        );
        let blocks = names.map(|name| format!("<Block><Name>{name}</Name><Size>5</Size></Block>"));
        let there = waiting(&format!("<UncommittedBlocks>{}</UncommittedBlocks>", blocks.concat()), &id);
        assert_eq!(there.keys().collect::<Vec<_>>(), [&9_999]);
        assert!(there[&9_999].is(b"bytes") && !there[&9_999].is(b"other"));
    }
}
