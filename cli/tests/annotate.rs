//! `annotate`.

use crate::lab::Lab;

#[test]
fn labels_projects_and_tags_are_set() {
    let lab = Lab::new();
    lab.write("f.txt", "one");
    lab.ok(&["save", "f.txt", "--key", "data/f.txt"]);
    lab.ok(&["create", "ulabel", "healthy"]);
    lab.ok(&["create", "project", "atlas"]);
    let annotate =
        ["annotate", "--key", "data/f.txt", "--ulabel", "healthy", "--project", "atlas", "--version", "1.0"];
    for _ in 0..2 {
        let out = lab.ok(&annotate);
        assert_eq!(out, "→ connected lamindb: anonymous/lab\n→ annotated artifact: data/f.txt\n");
    }
    let filters = ["--filter", "ulabels__name=healthy", "--filter", "projects__name=atlas"];
    let listed = lab.json(&[&["list", "artifact"], filters.as_slice()].concat());
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["version"], "1.0");
}

#[test]
fn a_typo_changes_nothing() {
    let lab = Lab::new();
    lab.write("f.txt", "one");
    lab.ok(&["save", "f.txt", "--key", "f.txt"]);
    lab.ok(&["create", "ulabel", "healthy"]);
    let err = lab.fails(
        1,
        &["annotate", "--key", "f.txt", "--version", "1.0", "--ulabel", "healthy", "--ulabel", "lab"],
    );
    assert_eq!(
        err,
        "✗ ULabel 'lab' not found, either create it with `ln.ULabel(name='...').save()` or fix typos.\n"
    );
    let listed = lab.json(&["list", "artifact", "--filter", "ulabels__name=healthy"]);
    assert_eq!(listed.as_array().unwrap().len(), 0);
    assert_eq!(lab.json(&["get", "--key", "f.txt"])["version"], "0000");
}

#[test]
fn features_are_given_values() {
    let lab = Lab::new();
    lab.write("f.txt", "one");
    lab.ok(&["save", "f.txt", "--key", "f.txt"]);
    lab.ok(&["create", "ulabel", "healthy"]);
    let err = lab.fails(1, &["annotate", "--key", "f.txt", "--features", "a=1"]);
    assert!(err.starts_with("✗ These keys could not be validated: ['a']"), "{err}");
    for (name, dtype) in [("temp", "float"), ("tags", "list[str]"), ("state", "cat[ULabel]")] {
        lab.ok(&["create", "feature", name, "--dtype", dtype]);
    }
    assert!(lab.fails(1, &["create", "feature", "x"]).contains("Please pass dtype, one of"));
    let features = ["--features", "temp=21.5", "--features", "tags=p,q", "--features", "state=healthy"];
    lab.ok(&[&["annotate", "--key", "f.txt"], features.as_slice()].concat());
    let out = lab.ok(&["describe", "--key", "f.txt"]);
    for line in
        ["state     ULabel      healthy", "tags      list[str]   ['p', 'q']", "temp      float       21.5"]
    {
        assert!(out.contains(line), "{out}");
    }
    let listed = lab.json(&["list", "artifact", "--filter", "temp__gt=20"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let err = lab.fails(1, &["annotate", "--key", "f.txt", "--features", "temp=warm"]);
    assert!(err.contains("expected series 'temp' to have type float, got object"), "{err}");
    lab.fails(2, &["annotate", "--key", "f.txt", "--features", "temp"]);
}
