//! Google Cloud Storage for the tests: what its XML interface has of its own, in front of a server that answers like S3.
//!
//! Its own are generations, which count the versions of an object and which writes may ask for; tags that say nothing about
//! content when an object was put together from parts; and an error when what is to be removed is not there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::stores::http_server::{Answer, Asked, WebServer};
use crate::stores::server::{SMALL_PARTS, with_vars};

/// Answers like Google Cloud Storage.
pub static GOOGLE: LazyLock<WebServer> = LazyLock::new(|| {
    let bucket = Mutex::new(Objects::default());
    WebServer::start(move |asked| answer(&bucket, asked))
});

/// Returns a root that nobody else uses.
pub fn root() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let bucket = format!("google-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    assert!(SMALL_PARTS.ask("PUT", &format!("/{bucket}"), b"").starts_with("HTTP/1.1 200"));
    format!("gs://{bucket}/some/prefix")
}

/// Returns an environment that finds the server.
pub fn env() -> holotype::Env {
    with_vars(&[("STORAGE_EMULATOR_HOST", &GOOGLE.address())])
}

/// The server behind wants to see a signature, and does not check it.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=google/20261122/us-east-1/s3/aws4_request, \
                         SignedHeaders=host, Signature=0";

/// What the server behind does not know of its objects.
#[derive(Default)]
struct Objects {
    generations: HashMap<String, u64>,
    /// The last number given; numbers only grow.
    last: u64,
}

fn answer(objects: &Mutex<Objects>, asked: &Asked) -> Answer {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let name = decode(path);
    let has = |parameter: &str| query.split('&').any(|pair| pair.split('=').next() == Some(parameter));
    let completes = asked.method == "POST" && has("uploadId");
    let writes = asked.method == "PUT" && !has("uploadId") || completes;
    if !writes && has("uploadId") {
        return behind(asked);
    }
    let mut objects = objects.lock().unwrap();
    let generation = objects.generations.get(&name).copied().unwrap_or(0);
    let wanted = asked.header("x-goog-if-generation-match").map(|text| text.parse::<u64>().ok());
    if wanted.is_some_and(|wanted| wanted != Some(generation)) {
        return failure(412, "PreconditionFailed");
    }
    match asked.method.as_str() {
        "DELETE" if generation == 0 => return failure(404, "NoSuchKey"),
        "DELETE" => drop(objects.generations.remove(&name)),
        "GET" | "HEAD" if asked.header("if-match").is_some() => {
            let head = behind(&Asked { method: "HEAD".to_owned(), headers: Vec::new(), ..asked.clone() });
            if head.header("etag") != asked.header("if-match") {
                return failure(412, "PreconditionFailed");
            }
        }
        _ => {}
    }
    let mut answer = behind(asked);
    if writes && answer.status == 200 {
        objects.last += 1;
        let last = objects.last;
        objects.generations.insert(name.clone(), last);
    }
    match objects.generations.get(&name) {
        Some(generation) if answer.status < 300 => {
            answer = answer.with("x-goog-generation", generation.to_string());
            if writes && answer.header("etag").is_none() && !completes {
                let head = Asked { method: "HEAD".to_owned(), path: path.to_owned(), ..Asked::default() };
                answer = answer.with("etag", behind(&head).header("etag").unwrap_or_default());
            }
            answer
        }
        _ => answer,
    }
}

/// Asks the server behind in its own words.
fn behind(asked: &Asked) -> Answer {
    let mut asked = asked.clone();
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    asked.path = format!("{}?{query}", encode(&decode(path)));
    asked
        .headers
        .retain(|(name, _)| ["content-type", "range", "x-goog-copy-source"].contains(&name.as_str()));
    for (name, value) in asked.headers.iter_mut().filter(|(name, _)| name == "x-goog-copy-source") {
        (*name, *value) = ("x-amz-copy-source".to_owned(), encode(&decode(value)));
    }
    asked.headers.push(("authorization".to_owned(), SIGNATURE.to_owned()));
    let mut answer = asked.ask(SMALL_PARTS.port).unwrap();
    for (name, value) in &mut answer.headers {
        if name == "etag" {
            *value = composed(value);
        }
    }
    if let Ok(text) = String::from_utf8(answer.body.clone())
        && text.contains("</ETag>")
    {
        let parts: Vec<String> = text
            .split("<ETag>")
            .enumerate()
            .map(|(at, part)| match part.split_once("</ETag>") {
                Some((tag, rest)) if at > 0 => format!("<ETag>{}</ETag>{rest}", composed(tag)),
                _ => part.to_owned(),
            })
            .collect();
        answer.body = parts.concat().into_bytes();
        answer.headers.retain(|(name, _)| name != "content-length");
    }
    answer
}

/// Returns the tag as this store gives it to objects that were put together: it is the MD5 of nothing.
fn composed(tag: &str) -> String {
    let plain = tag.replace("&quot;", "\"");
    match plain.trim_matches('"').split_once('-') {
        Some((md5, _)) => format!("\"-C{}\"", STANDARD.encode(&md5[..11])),
        None => plain,
    }
}

fn failure(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!("<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"),
    )
}

/// Resolves `%xx`.
fn decode(path: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).unwrap()
}

/// Spells a path so that the server behind sees the bucket.
fn encode(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let spell = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(spell).collect()
}
