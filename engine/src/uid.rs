//! Uids: base62 text, drawn at random or derived from what it names.

use md5::{Digest, Md5};
use uuid::Uuid;

use crate::env::Env;
use crate::error::{Error, Result};

/// The characters of base62 in the order of their values.
pub const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns `n` characters drawn uniformly from base62.
pub fn random(env: &Env, n: usize) -> String {
    // 248 is the largest multiple of 62 in a byte: bytes beyond it would favour the first characters.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(n);
    let mut pool = [0u8; 32];
    while text.len() < n {
        env.fill_random(&mut pool);
        let fair = pool.iter().filter(|&&byte| byte < FAIR);
        text.extend(fair.take(n - text.len()).map(|&byte| char::from(BASE62[usize::from(byte % 62)])));
    }
    text
}

/// Returns `bytes` read as one big-endian number, in base62.
///
/// Leading zero bytes, which a number cannot carry, come first as `0` and the character whose value is their count
/// (`0z` again and again for more than 61 of them).
pub fn base62_of_bytes(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let mut text = "0z".repeat(zeros / 61);
    if !zeros.is_multiple_of(61) {
        text.push('0');
        text.push(char::from(BASE62[zeros % 61]));
    }
    // Schoolbook division; the inputs are digests of 16 bytes.
    let mut number = bytes[zeros..].to_vec();
    let mut digits = Vec::new();
    while !number.is_empty() {
        let mut remainder = 0u32;
        for byte in &mut number {
            let value = remainder << 8 | u32::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        digits.push(char::from(BASE62[remainder as usize]));
        let used = number.iter().take_while(|&&byte| byte == 0).count();
        number.drain(..used);
    }
    text.extend(digits.iter().rev());
    text
}

/// Returns the uid of `n` characters that `text` always yields: the head of base62 over its MD5.
pub fn from_text(text: &str, n: usize) -> String {
    let mut uid = base62_of_bytes(&Md5::digest(text));
    uid.truncate(n);
    uid
}

/// Returns the id of the instance `owner/name`: 32 lower-case hex digits of a name-based UUID.
pub fn instance_id(slug: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, slug.as_bytes()).simple().to_string()
}

/// Returns the uid of the instance whose id is `hex`, 32 lower-case hex digits.
pub fn instance_uid(hex: &str) -> String {
    from_text(hex, 12)
}

/// Returns an instance id as 32 lower-case hex digits, from hex or the dashed form.
///
/// # Errors
/// [`crate::ErrorKind::Value`] when the text is no UUID.
pub fn parse_instance_id(text: &str) -> Result<String> {
    match Uuid::try_parse(text.trim()) {
        Ok(id) => Ok(id.simple().to_string()),
        Err(error) => {
            Err(Error::value(format!("'{text}' is no instance id: expected 32 hex digits")).because(error))
        }
    }
}

/// Returns true when `text` consists of base62 characters only.
pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    fn env(mut next: impl FnMut() -> u8 + Send + 'static) -> Env {
        Env::new(|| Timestamp(0), move |bytes| bytes.fill_with(&mut next), "/home/u", "/home/u")
    }

    #[test]
    fn random_uids_use_every_character_equally_often() {
        let mut byte = 0u8;
        let env = env(move || {
            byte = byte.wrapping_add(1);
            byte
        });
        let text = random(&env, 62 * 4 * 10);
        for character in BASE62 {
            assert_eq!(
                text.bytes().filter(|byte| byte == character).count(),
                40,
                "{}",
                char::from(*character)
            );
        }
        assert_eq!(random(&env, 0), "");
        assert_eq!(random(&env, 7).len(), 7);
    }

    #[test]
    fn unfair_bytes_are_drawn_again() {
        let mut bytes = [255u8, 248, 247, 250, 0].into_iter().cycle();
        let env = env(move || bytes.next().unwrap());
        assert_eq!(random(&env, 4), "z0z0");
    }

    #[test]
    fn base62_counts_leading_zero_bytes() {
        assert_eq!(base62_of_bytes(b""), "");
        assert_eq!(base62_of_bytes(&[61]), "z");
        assert_eq!(base62_of_bytes(&[62]), "10");
        assert_eq!(base62_of_bytes(&[1, 0]), "48");
        assert_eq!(base62_of_bytes(&[0, 0, 61]), "02z");
        assert_eq!(base62_of_bytes(&[0; 3]), "03");
        assert_eq!(base62_of_bytes(&[0; 62]), "0z01");
        assert_eq!(base62_of_bytes(&u128::MAX.to_be_bytes()), "7n42DGM5Tflk9n8mt7Fhc7");
    }

    #[test]
    fn derived_uids_match_the_format() {
        for (text, n, uid) in [
            ("CL:0000084", 14, "22LvKd01YyNA1a"),
            ("my own", 14, "23d7RTCu9U9nrb"),
            ("NCBITaxon:9606", 14, "1dpCL6TduFJ3AP"),
            ("ENSG00000141510", 14, "25go2bMsQFCxy3"),
            ("my new cell", 14, "5mFWQQCA6T3Uyy"),
            ("bionty.CellTypeclall2026-06-08", 8, "dq7QgcSP"),
        ] {
            assert_eq!(from_text(text, n), uid, "{text}");
        }
    }

    #[test]
    fn instances_are_identified_by_their_slug() {
        for (slug, id, uid) in [
            ("anonymous/key-eval", "aed0c84a717b58739b63c21a8406e168", "2hvJDMF9MRQN"),
            ("testuser1/keep-artifacts-local", "cc7f2489bf7251f79ff9ca8df7ac045b", "6uGWmLpZlNoJ"),
            ("laminlabs/lamindata", "000b5913b43356da8d7d12f539890c70", "4FrYXn8a3piK"),
        ] {
            assert_eq!(instance_id(slug), id);
            assert_eq!(instance_uid(id), uid);
        }
        let dashed = "AED0C84A-717B-5873-9B63-C21A8406E168";
        assert_eq!(parse_instance_id(dashed).unwrap(), "aed0c84a717b58739b63c21a8406e168");
        assert!(parse_instance_id("aed0").unwrap_err().message().contains("'aed0'"));
    }
}
