//! `verify`.

use crate::lab::Lab;

#[test]
fn what_is_wrong_stands_in_a_table_and_ends_with_code_1() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    lab.write("b.txt", "second");
    let place = |key: &str| {
        let saved = lab.json(&["save", key, "--key", key]);
        std::path::PathBuf::from(saved["storage_path"].as_str().unwrap())
    };
    let (a, b) = (place("a.txt"), place("b.txt"));
    assert!(lab.ok(&["verify"]).ends_with("→ verified 2 artifacts (no content read): nothing is wrong\n"));
    assert!(lab.ok(&["verify", "--full"]).ends_with("→ verified 2 artifacts (9 B read): nothing is wrong\n"));
    assert!(lab.ok(&["verify", "--sample", "1"]).contains("verified 2 artifacts (1 of them read, "));

    std::fs::write(&a, "onE").unwrap();
    lab.ok(&["verify", "--fast"]);
    std::fs::write(&b, "sec").unwrap();
    let ran = lab.run(&["verify", "--full"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("✗ verified 2 artifacts (3 B read): 2 are wrong") || ran.err.contains("2 are wrong")
    );
    assert!(ran.out.contains("holotype repair --dry-run"), "{ran:?}");
    for part in ["a.txt", "damaged", "its bytes are not those that were saved", "has 3 bytes instead of 6"] {
        assert!(ran.out.contains(part), "{part} in {ran:?}");
    }
    lab.ok(&["verify", "--full", "key=c.txt"]);
    assert!(lab.fails(1, &["verify", "key__startswith=b"]).contains("verified 1 artifact "));

    let ran = lab.run(&["verify", "--full", "--json"]);
    let data: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &data["checked"], data["wrong"].as_array().unwrap().len()), (1, &2.into(), 2));
    assert_eq!(data["wrong"][0]["state"], "damaged");
    assert_eq!(data["wrong"][0]["path"], a.to_str().unwrap());
}

#[test]
fn what_is_asked_for_wrongly_is_said() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["verify", "--fast", "--full"]).code, 2);
    assert_eq!(lab.run(&["verify", "key"]).code, 2);
    assert!(lab.fails(1, &["verify", "kee=x"]).contains("kee"));
    assert_eq!(Lab::empty().run(&["verify"]).code, 1);
}
