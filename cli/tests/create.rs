//! `create`.

use crate::lab::Lab;

#[test]
fn records_are_created_by_name() {
    let lab = Lab::new();
    let out = lab.ok(&["create", "branch", "b1"]);
    assert_eq!(out, "→ connected lamindb: anonymous/lab\n→ created branch: b1\n");
    assert!(lab.ok(&["create", "project", "P1"]).ends_with("→ created project: P1\n"));
    assert!(lab.ok(&["create", "project", "--name", "P2"]).ends_with("→ created project: P2\n"));
    let made = lab.json(&["create", "ulabel", "healthy", "--description", "No finding"]);
    assert_eq!((made["name"].as_str(), made["description"].as_str()), (Some("healthy"), Some("No finding")));
    assert_eq!(lab.json(&["list", "project"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_name_is_taken_once() {
    let lab = Lab::new();
    lab.ok(&["create", "branch", "b1"]);
    assert_eq!(lab.fails(1, &["create", "branch", "B1"]), "✗ Branch 'b1' already exists.\n");
    lab.ok(&["create", "ulabel", "healthy"]);
    let again = lab.ok(&["create", "ulabel", "healthy", "--description", "No finding"]);
    assert!(again.contains("→ returning ulabel with same name: 'healthy'"), "{again}");
    assert!(
        again.contains("! updated description from None to No finding") && !again.contains("created"),
        "{again}"
    );
    let listed = lab.json(&["list", "ulabel"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["description"], "No finding");
}

#[test]
fn other_registries_are_a_usage_error() {
    let lab = Lab::new();
    for registry in ["artifact", "thing"] {
        assert!(lab.fails(2, &["create", registry, "x"]).contains("Invalid value for REGISTRY"));
    }
    assert_eq!(lab.run(&["create", "branch"]).code, 2);
}
