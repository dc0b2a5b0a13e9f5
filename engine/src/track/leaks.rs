//! Secrets in free text: differences of files, addresses, words of a command line.
//!
//! Where [`super::source`] touches nothing but quoted texts that are assigned, so that code stays code, this looks for
//! everything that is likely to be a secret: what it hides by mistake costs little.

use std::sync::OnceLock;

use regex::{Captures, Regex};

use super::redact::{REDACTED, is_secret_name};

/// A shape that secrets have, and what stays of it around the secret.
struct Shape {
    pattern: Regex,
    stays: &'static str,
}

/// Shapes with the part that stays: addresses, keys, tokens of well-known services, headers.
const SHAPES: [(&str, &str); 8] = [
    // A private key, line by line also in a difference.
    (
        r"(?s)(?P<head>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----).*?(?P<tail>-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        "${head}***REDACTED***${tail}",
    ),
    // The login in an address: name and password, or a token in their place.
    (
        r#"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#@'"<>:{]*:[^\s/?#'"<>{]+|(?:[A-Za-z0-9_.-]{16,}))@"#,
        "${head}***REDACTED***@",
    ),
    // Tokens that say themselves whose they are.
    (
        r"\b(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}|sk-(?:[a-z]+-)?[A-Za-z0-9_]{20,}|sk_(?:live|test)_[A-Za-z0-9]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{16,}|dckr_pat_[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
        "***REDACTED***",
    ),
    (r"(?P<head>hooks\.slack\.com/services/)[A-Za-z0-9/_-]+", "${head}***REDACTED***"),
    (r"(?i)(?P<head>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/-]{16,}=*", "${head}***REDACTED***"),
    // Signed addresses and connection strings of object stores.
    (
        r#"(?i)(?P<head>\b(?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|AccountKey|SharedAccessKey|sig)=)[^&;\s'"]{8,}"#,
        "${head}***REDACTED***",
    ),
    // Options of commands, and files like `.netrc`, where a blank stands between name and value.
    (
        r#"(?i)(?P<head>--[a-z-]*(?:password|passwd|token|secret|api-key)[ \t]+)[^\s'"$<{-][^\s'"]*"#,
        "${head}***REDACTED***",
    ),
    (
        r"(?m)(?P<head>\blogin[ \t]+\S+[ \t]+password[ \t]+|^[+-]?[ \t]*password[ \t]+)\S+[ \t]*$",
        "${head}***REDACTED***",
    ),
];

/// A name and what is assigned to it: quoted, or up to the next blank.
const ASSIGNMENT: &str = r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?P<sign>["']?\]?[ \t]*(?::=|=>|=|:)[ \t]*)(?P<value>[rRbBuUfF]?"[^"\n]*"|[rRbBuUfF]?'[^'\n]*'|[^\s'",;)}\]]+)"#;

/// Beginnings of values that are looked up elsewhere.
const LOOKUPS: [&str; 10] =
    ["os.", "self.", "args.", "config.", "settings.", "environ", "getenv", "$", "{", "<"];

/// Values that hide nothing.
const PLAIN: [&str; 9] = ["None", "null", "nil", "true", "false", "True", "False", "str", REDACTED];

fn shapes() -> &'static [Shape] {
    static SHAPES_READ: OnceLock<Vec<Shape>> = OnceLock::new();
    SHAPES_READ.get_or_init(|| {
        let shape = |(pattern, stays): &(&str, &'static str)| {
            Regex::new(pattern).ok().map(|pattern| Shape { pattern, stays })
        };
        SHAPES.iter().filter_map(shape).collect()
    })
}

fn assignments() -> Option<&'static Regex> {
    static READ: OnceLock<Option<Regex>> = OnceLock::new();
    READ.get_or_init(|| Regex::new(ASSIGNMENT).ok()).as_ref()
}

/// Reads the patterns now: a fork while another thread reads them would leave a process that waits for ever.
pub(crate) fn prepare_redaction() {
    shapes();
    assignments();
}

/// Returns text without what is likely to be a secret, and how many there were.
///
/// ```
/// use holotype::track::redacted_text;
///
/// let (text, n) = redacted_text("+export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCY\n+threads=4\n");
/// assert_eq!((text.as_str(), n), ("+export AWS_SECRET_ACCESS_KEY=***REDACTED***\n+threads=4\n", 1));
/// ```
pub fn redacted_text(text: &str) -> (String, usize) {
    let (text, mut found) = without_shapes(text);
    let Some(assignments) = assignments() else { return (text, found) };
    let hidden = assignments.replace_all(&text, |part: &Captures<'_>| {
        let (name, sign, value) = (&part["name"], &part["sign"], &part["value"]);
        if !announces(name) || !hides(value) {
            return part[0].to_owned();
        }
        found += 1;
        let quote = value.chars().find(|c| matches!(c, '"' | '\'')).filter(|quote| value.ends_with(*quote));
        match quote {
            Some(quote) => format!("{name}{sign}{quote}{REDACTED}{quote}"),
            None => format!("{name}{sign}{REDACTED}"),
        }
    });
    (hidden.into_owned(), found)
}

/// Returns text without what has the shape of a secret, whatever it is called, and how many there were.
pub(super) fn without_shapes(text: &str) -> (String, usize) {
    let mut found = 0;
    let mut text = text.to_owned();
    for shape in shapes() {
        let n = shape.pattern.find_iter(&text).count();
        if n > 0 {
            found += n;
            text = shape.pattern.replace_all(&text, shape.stays).into_owned();
        }
    }
    (text, found)
}

/// Returns true for a name to which secrets are assigned.
fn announces(name: &str) -> bool {
    let last = name.rsplit(['.', '-', '_']).next().unwrap_or(name).to_ascii_lowercase();
    // As in `PGPASSWORD` and `authtoken`.
    let joined = ["password", "passwd", "pwd", "passphrase", "token", "secret", "apikey", "credentials"];
    is_secret_name(name) || joined.iter().any(|end| last.ends_with(end))
}

/// Returns true for a value that stands for itself: no look-up, no word of a language.
fn hides(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']);
    let number = bare.chars().all(|c| c.is_ascii_digit()) && bare.len() < 6;
    let called = !value.ends_with(['"', '\'']) && value.contains(['(', '[']);
    !(bare.is_empty()
        || number
        || called
        || bare.starts_with("***")
        || PLAIN.contains(&bare)
        || LOOKUPS.iter().any(|start| bare.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn hidden(text: &str, secret: &str) {
        let (shown, n) = redacted_text(text);
        assert!(!shown.contains(secret) && shown.contains(REDACTED) && n > 0, "{text} became {shown}");
        // What was hidden once stays as it is.
        assert_eq!(redacted_text(&shown), (shown.clone(), redacted_text(&shown).1));
    }

    #[test]
    fn tokens_in_addresses_of_repositories_are_hidden() {
        for (url, secret) in [
            ("https://ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8@github.com/lab/code.git", "ghp_A1b2"),
            (
                "https://x-access-token:ghs_16C7e42F292c6912E7710c838347Ae178B4a@github.com/lab/code",
                "ghs_16C7",
            ),
            ("https://oauth2:glpat-AbCdEfGhIjKlMnOpQrSt@gitlab.com/lab/code.git", "glpat-"),
            ("https://jane:hunter2@git.lab.org/code", "hunter2"),
            ("https://jane:hun@ter2@git.lab.org/code", "ter2"),
            ("https://:s3cr3tvalue@git.lab.org/code", "s3cr3tvalue"),
            ("https://dev.azure.example/x?sig=abcdefgh12345678", "abcdefgh1234"),
            ("postgresql://u:p%40ss@db/lab", "p%40ss"),
        ] {
            hidden(url, secret);
        }
        for url in
            ["git@github.com:lab/code.git", "ssh://git@github.com/lab/code", "https://github.com/lab/code"]
        {
            assert_eq!(redacted_text(url), (url.to_owned(), 0));
        }
    }

    #[test]
    fn leaks_in_differences_are_hidden() {
        for (text, secret) in [
            ("+AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7"),
            ("+client = connect('AKIAIOSFODNN7EXAMPLE')", "AKIAIOSFODNN7"),
            ("+AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalr"),
            ("-aws_secret_access_key = \"wJalrXUtnFEMI/K7MDENG\"", "wJalr"),
            ("+  password: hunter2", "hunter2"),
            ("+export PGPASSWORD=hunter2", "hunter2"),
            ("+  \"apiKey\": \"0123456789abcdef\"", "0123456789abcdef"),
            ("+machine git.lab.org login jane password hunter2", "hunter2"),
            ("+db = connect(user='jane', password='hunter2')", "hunter2"),
            ("+curl -H 'Authorization: Bearer abcdefghijklmnop1234' https://x", "abcdefghijklmnop"),
            ("+OPENAI_API_KEY=sk-proj-abcdefghijklmnop", "sk-proj-abc"),
            ("+login(hf_abcdefghijklmnopqrstuvwxyz)", "hf_abcdef"),
            ("+mysql --password hunter2 db", "hunter2"),
            ("+jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF_123", "eyJhbGci"),
            (
                "+-----BEGIN OPENSSH PRIVATE KEY-----\n+b3BlbnNzaC1rZXk\n+-----END OPENSSH PRIVATE KEY-----",
                "b3Blb",
            ),
            ("+-----BEGIN RSA PRIVATE KEY-----\n+MIIEpAIBAAKCAQEA", "MIIEp"),
            ("+DefaultEndpointsProtocol=https;AccountKey=Zm9vYmFyYmF6cXV4;", "Zm9vYmFy"),
            ("+https://b.s3.amazonaws.com/k?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027", "fe5f80"),
        ] {
            hidden(text, secret);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "+token = os.environ['TOKEN']",
            "+password = getpass()",
            "+def login(token=None, secret: str = None):",
            "+max_tokens = 4096",
            "+password=$PASSWORD",
            "+tokenizer: bert-base",
            "+the password is asked for",
            "+key = 'reads.fastq'",
            "@@ -1,3 +1,4 @@ def secretary(name):",
            "+url = 'postgresql://{user}:{password}@host/db'",
        ] {
            assert_eq!(redacted_text(text), (text.to_owned(), 0));
        }
    }

    #[test]
    fn every_pattern_is_understood() {
        assert_eq!(shapes().len(), SHAPES.len());
        assert!(assignments().is_some());
    }
}
