//! What ties a login to the encrypted connection it goes through, so that nobody in between can pass it on: a digest of the
//! server's certificate (RFC 5929, `tls-server-end-point`).

use rustls::crypto::ring::cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384};

/// What signs certificates with RSA, but for the last byte.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

/// What signs certificates with ECDSA and SHA-2, but for the last byte.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

/// Returns the digest of a certificate by the function that it was signed with; `None` for those that are rarely met, which
/// a login does without.
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (content, _) = element(certificate)?;
    let (_, rest) = element(content)?;
    let (algorithm, _) = element(rest)?;
    let (name, _) = element(algorithm)?;
    let (last, family) = name.split_last()?;
    let suite = match (family, last) {
        // Instead of MD5 and SHA-1 as well, the rule says.
        (RSA, 4 | 5 | 11) | (ECDSA, 2) => TLS13_AES_128_GCM_SHA256,
        (RSA, 12) | (ECDSA, 3) => TLS13_AES_256_GCM_SHA384,
        _ => return None,
    };
    Some(suite.tls13()?.common.hash_provider.hash(certificate).as_ref().to_vec())
}

/// Takes one element of DER apart: its content, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match *der.get(1)? {
        short @ 0..0x80 => (usize::from(short), &der[2..]),
        long => {
            let (digits, rest) = der[2..].split_at_checked(usize::from(long & 0x7f))?;
            // Certificates are not longer than three digits can say.
            let digits = (1..=3).contains(&digits.len()).then_some(digits)?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate in outline: 200 bytes that are signed, the algorithm, and nothing else.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let mut content = [&[0x30, 0x81, 200][..], &[7; 200]].concat();
        let name = algorithm.len() as u8;
        content.extend([0x30, name + 2, 0x06, name]);
        content.extend(algorithm);
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82][..], &length, &content].concat()
    }

    #[test]
    fn the_function_is_that_of_the_signature() {
        let length = |family: &[u8], last: u8| {
            let whole = certificate(&[family, &[last]].concat());
            end_point(&whole).map(|digest| digest.len())
        };
        assert_eq!([5, 11, 12, 13].map(|last| length(RSA, last)), [Some(32), Some(32), Some(48), None]);
        assert_eq!([2, 3, 9].map(|last| length(ECDSA, last)), [Some(32), Some(48), None]);
        let whole = certificate(&[RSA, &[11]].concat());
        for shortened in 0..whole.len() {
            assert_eq!(end_point(&whole[..shortened]), None);
        }
    }
}
