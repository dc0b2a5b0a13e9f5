//! Repositories of Hugging Face: what their interface tells of files. Content comes as from any web server.

use http::Request;
use object_store::client::HttpRequestBody;
use serde_json::Value;

use super::client::hf_endpoint;
use super::request::encode;
use super::{Object, Stat};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::hf_hash;

/// Returns what the repository knows of the file at `key`.
pub(super) async fn stat(object: &Object, key: &str) -> Result<Option<Stat>> {
    let key = key.trim_end_matches('/');
    object.location(key)?;
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    Ok(tree(object, folder, false).await?.into_iter().find(|stat| stat.key == key))
}

/// Returns all files below a folder.
pub(super) async fn list(object: &Object, folder: &str) -> Result<Vec<Stat>> {
    tree(object, folder, true).await
}

async fn tree(object: &Object, folder: &str, recursive: bool) -> Result<Vec<Stat>> {
    let address = &object.address;
    let kind = if address.bucket.matches('/').count() == 1 { "models/" } else { "" };
    let revision = address.revision.as_deref().unwrap_or("main").replace('/', "%2F");
    let path: Vec<String> =
        address.object(folder).split('/').filter(|part| !part.is_empty()).map(encode).collect();
    let mut url = format!(
        "{}/api/{kind}{}/tree/{revision}/{}?recursive={recursive}",
        hf_endpoint(&object.env),
        address.bucket,
        path.join("/")
    );
    let mut found = Vec::new();
    loop {
        let Some((page, next)) = page(object, &url).await? else { return Ok(found) };
        for entry in page.as_array().into_iter().flatten() {
            found.extend(stat_of(object, entry));
        }
        match next {
            Some(next) => url = next,
            None => return Ok(found),
        }
    }
}

/// Returns one page and where the next one is; `None` when there is no such folder.
async fn page(object: &Object, url: &str) -> Result<Option<(Value, Option<String>)>> {
    let client = object.client().await?;
    let fail = |what: String| {
        Error::new(
            ErrorKind::Io,
            format!("{} cannot be listed at {url}: {what}; try again later", object.root),
        )
    };
    let request =
        Request::get(url).body(HttpRequestBody::empty()).map_err(|error| fail(error.to_string()))?;
    let answer =
        client.http.execute(request).await.map_err(|error| fail(error.to_string()).because(error))?;
    match answer.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        401 | 403 => {
            let (root, who) = (&object.root, &client.who);
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                format!("No permission for {root}; asked {who}"),
            ));
        }
        status => return Err(fail(format!("it answered with status {status}"))),
    }
    let next = answer.headers().get("link").and_then(|link| link.to_str().ok()).and_then(next_of);
    let bytes = answer.into_body().bytes().await.map_err(|error| fail(error.to_string()).because(error))?;
    let page = serde_json::from_slice(&bytes).map_err(|error| fail(error.to_string()).because(error))?;
    Ok(Some((page, next)))
}

fn stat_of(object: &Object, entry: &Value) -> Option<Stat> {
    if entry["type"] != "file" {
        return None;
    }
    let key = object.address.key(entry["path"].as_str()?)?.to_owned();
    let (id, size) = (entry["oid"].as_str()?, entry["size"].as_u64()?);
    Some(Stat { key, size, modified: None, tag: Some(id.to_owned()), content: hf_hash(id, size) })
}

fn next_of(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}
