//! Addresses of servers and buckets, before anything is asked of them.

use http::Uri;

use crate::error::{Error, Result};

/// Fails unless `server`, which `said` names, is the address of one, and `bucket` can be a part of its URLs.
pub(super) fn check(server: Option<&str>, said: &str, bucket: &str, root: &str) -> Result<()> {
    if let Some(server) = server.filter(|server| !is_server(server)) {
        return Err(Error::value(format!(
            "{root} cannot be reached: {said} names '{server}', which is no address of a server; write it as \
             http://HOST:PORT or https://HOST"
        )));
    }
    match format!("http://server/{bucket}").parse::<Uri>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::value(format!(
            "{root} cannot be reached: '{bucket}' is no name of a bucket or repository; correct the root"
        ))
        .because(error)),
    }
}

/// Returns true for addresses such as `http://host:9000`.
fn is_server(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let port = authority.as_str().ends_with(authority.host()) || authority.port_u16().is_some();
    matches!(uri.scheme_str(), Some("http" | "https")) && !authority.host().is_empty() && port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_from_what_is_none() {
        for server in ["http://127.0.0.1:9000", "https://host", "http://[::1]:9000/", "http://me:x@host:80/a"]
        {
            assert!(is_server(server), "{server}");
        }
        for other in ["", "foo", "localhost:9000", "http://", "http://a b", "http://host:99999", "ftp://host"]
        {
            assert!(!is_server(other), "{other}");
        }
    }
}
