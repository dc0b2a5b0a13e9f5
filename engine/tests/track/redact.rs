//! Secrets stay out of the database.

use holotype::track::{REDACTED, arguments, source};
use proptest::prelude::*;

/// Returns the source with what stands for a secret abbreviated, and how many there were.
fn hidden(code: &str) -> (String, usize) {
    let (text, n) = source(code);
    (text.replace(REDACTED, "…"), n)
}

#[test]
fn quoted_assignments_lose_their_value() {
    for (code, text) in [
        ("api_key = \"sk-abcdef123456\"", "api_key = \"…\""),
        ("API_KEY='x'", "API_KEY='…'"),
        ("password=\"hunter2\"", "password=\"…\""),
        ("AWS_SECRET_ACCESS_KEY = \"wJalrXUtnFEMI/K7MDENG\"", "AWS_SECRET_ACCESS_KEY = \"…\""),
        ("x.token = \"abc\"", "x.token = \"…\""),
        ("accessToken = 'abc'", "accessToken = '…'"),
        (
            "d = {\"token\": \"abc\", 'api_key': 'xyz', \"name\": \"foo\"}",
            "d = {\"token\": \"…\", 'api_key': '…', \"name\": \"foo\"}",
        ),
        ("login(token=\"abc\", name=\"x\")", "login(token=\"…\", name=\"x\")"),
        ("# token = \"commented\"", "# token = \"…\""),
        ("token := \"abc\"", "token := \"…\""),
        ("token += \"abc\"", "token += \"…\""),
        ("token: str = \"abc\"", "token: str = \"…\""),
        ("def f(password: str | None = 'abc'):", "def f(password: str | None = '…'):"),
        ("os.environ[\"HF_TOKEN\"] = \"abc\"", "os.environ[\"HF_TOKEN\"] = \"…\""),
        ("secret = rb'abc'", "secret = rb'…'"),
        ("client_secret = f\"abc{x}\"", "client_secret = f\"…\""),
        ("private_key = \"\"\"-----BEGIN\nMIIE\n-----END\"\"\"\nx = 1", "private_key = \"\"\"…\"\"\"\nx = 1"),
        ("token = 'it\\'s'", "token = '…'"),
        ("token = (\"abc\" 'def')", "token = (\"…\" '…')"),
        ("token <- \"abc\"", "token <- \"…\""),
        ("export TOKEN=\"abc\"", "export TOKEN=\"…\""),
        ("# don't: token = 'abc'", "# don't: token = '…'"),
        ("'{\"token\": \"abc\"}'", "'{\"token\": \"…\"}'"),
        ("\"\"\"Use it:\n\n    login(token='abc')\n\"\"\"", "\"\"\"Use it:\n\n    login(token='…')\n\"\"\""),
    ] {
        assert!(hidden(code).0 == text && hidden(code).1 > 0, "{code}: {:?}", hidden(code));
    }
}

#[test]
fn everything_else_stays() {
    for code in [
        "secret = os.environ[\"TOKEN\"]",
        "token = getpass(\"API token: \")",
        "token = some_variable",
        "token = 12345",
        "tokenizer = \"bert\"",
        "max_tokens = \"7\"",
        "key = \"data/cells.csv\"",
        "token == \"abc\"",
        "if token != \"abc\":",
        "password = \"\"",
        "token = f(\"abc\")",
        "print(\"the token is\", token)",
        "f(\"token: \", \"x\", 'password=', 'y')",
        "sep = ': '  # it's the token's: 'x",
        "url = \"https://example.org:8080/path@version\"",
        "db = f\"postgresql://{user}:{password}@host/db\"",
        "token = \"***REDACTED***\"",
        "token = \"unterminated\nx = 1",
    ] {
        assert_eq!(source(code), (code.to_owned(), 0));
    }
}

#[test]
fn urls_with_passwords_go_wherever_they_stand() {
    for (code, text) in [
        ("db = \"postgresql://user:pass@host:5432/db\"", "db = \"…\""),
        ("connect('postgres://u:p@h/db', timeout=3)", "connect('…', timeout=3)"),
        ("urls = [f'mysql://root:secret@h']", "urls = [f'…']"),
    ] {
        assert_eq!(hidden(code), (text.to_owned(), 1));
    }
}

#[test]
fn a_realistic_script_keeps_its_shape() {
    let code = "import os\nimport lamindb as ln\n\nAPI_KEY = \"sk-1\"  # do not share\nclient = Client(\n    api_key=API_KEY,\n    \
                token=os.environ[\"TOKEN\"],\n    password=\"hunter2\",\n)\nln.track(params={\"lr\": 0.1})\n";
    let (text, n) = source(code);
    assert_eq!(n, 2);
    assert_eq!(text, code.replace("sk-1", REDACTED).replace("hunter2", REDACTED));
    assert_eq!(source(&text), (text.clone(), 0));
}

#[test]
fn command_lines_lose_the_values_of_secret_options() {
    let given = |list: &[&str]| arguments(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    assert_eq!(given(&["--foo", "1", "bar"]), "--foo 1 bar");
    assert_eq!(given(&["--api-key", "sk-1", "x"]), format!("--api-key {REDACTED} x"));
    assert_eq!(given(&["--token=abc", "--n=3"]), format!("--token={REDACTED} --n=3"));
    assert_eq!(given(&["--token", "--verbose"]), "--token --verbose");
    assert_eq!(given(&["postgresql://u:p@h/db"]), REDACTED);
    assert_eq!(given(&["--db=postgresql://u:p@h/db"]), format!("--db={REDACTED}"));
    let clone = "https://ghp_A1b2C3d4E5f6G7h8I9j0K1l2@github.com/lab/code";
    assert_eq!(given(&["clone", clone]), format!("clone https://{REDACTED}@github.com/lab/code"));
    assert_eq!(given(&["--as=AKIAIOSFODNN7EXAMPLE"]), format!("--as={REDACTED}"));
    assert_eq!(given(&["--model", "sk-learn-forest-of-many-trees"]), "--model sk-learn-forest-of-many-trees");
    assert_eq!(given(&[]), "");
}

/// Returns pieces of code that matter to the search, in no sensible order.
fn any_part() -> impl Strategy<Value = String> {
    let known = [
        "token",
        "tokens",
        "'",
        "\"",
        "'''",
        "\"\"\"",
        "\\",
        "\n",
        " ",
        "=",
        ":",
        "(",
        ")",
        "[",
        "]",
        "#",
        "f",
        "str",
        "a://b:c@d",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), "(?s)."]
}

proptest! {
    #[test]
    fn anything_can_be_searched(parts in prop::collection::vec(any_part(), 0..40)) {
        let code = parts.concat();
        let (text, n) = source(&code);
        prop_assert!(n > 0 || text == code);
        prop_assert_eq!(text.contains(REDACTED), n > 0);
    }

    #[test]
    fn a_secret_never_survives(value in "[a-zA-Z0-9+/=_-]{1,40}", quote in prop::sample::select(vec!["'", "\"", "'''", "\"\"\""])) {
        let value = format!("Zq{value}");
        let (text, n) = source(&format!("x = 1\nmy_token = {quote}{value}{quote}\ny = 2\n"));
        prop_assert_eq!(n, 1);
        prop_assert!(!text.contains(&value));
        prop_assert!(text.starts_with("x = 1\n") && text.ends_with("\ny = 2\n"));
    }
}
