//! `list`.

use crate::lab::Lab;

fn filled() -> Lab {
    let lab = Lab::new();
    for (name, content) in [("a.txt", "1"), ("b.txt", "22"), ("c.csv", "333")] {
        lab.write(name, content);
        lab.ok(&["save", name, "--key", &format!("raw/{name}")]);
    }
    lab
}

fn keys(listed: &serde_json::Value) -> Vec<&str> {
    listed.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect()
}

#[test]
fn newest_first_as_a_table() {
    let lab = filled();
    let out = lab.ok(&["list", "artifacts"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "→ connected lamindb: anonymous/lab");
    let header: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(header, ["uid", "key", "suffix", "otype", "size", "hash", "created_at"]);
    assert!(lines[3].contains("raw/c.csv") && lines[3].contains("3 B"), "{out}");
    assert!(lines[5].contains("raw/a.txt"), "{out}");
    assert_eq!(lines.len(), 6);
}

#[test]
fn filters_are_lookups() {
    let lab = filled();
    let list = |filters: &[&str]| {
        let mut args = vec!["list", "artifact"];
        filters.iter().for_each(|filter| args.extend(["--filter", filter]));
        lab.json(&args)
    };
    assert_eq!(keys(&list(&["key=raw/a.txt"])), ["raw/a.txt"]);
    assert_eq!(keys(&list(&["suffix=.txt", "size__gt=1"])), ["raw/b.txt"]);
    assert_eq!(keys(&list(&["key__in=raw/a.txt,raw/c.csv"])), ["raw/c.csv", "raw/a.txt"]);
    assert_eq!(keys(&list(&["description__isnull=true"])).len(), 3);
    assert_eq!(keys(&list(&["description__isnull=0"])).len(), 0);
    assert_eq!(keys(&list(&["description=None"])).len(), 3);
    assert_eq!(keys(&list(&["created_by__handle=anonymous"])).len(), 3);
    assert!(lab.fails(1, &["list", "artifact", "--filter", "nothing=1"]).contains("Unknown field 'nothing'"));
    assert!(
        lab.fails(2, &["list", "artifact", "--filter", "nothing"]).contains("not of the form FIELD=VALUE")
    );
}

#[test]
fn columns_reach_into_relations() {
    let lab = filled();
    let listed =
        lab.json(&["list", "artifact", "--columns", "key,storage__type,size,created_at", "--limit", "1"]);
    let row = listed[0].as_object().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["key", "storage__type", "size", "created_at"]);
    assert_eq!((row["storage__type"].as_str(), row["size"].as_i64()), (Some("local"), Some(3)));
    assert!(row["created_at"].as_str().unwrap().ends_with("+00:00"));
    let out = lab.ok(&["list", "artifact", "--columns", "key,storage__type"]);
    assert!(out.contains("raw/a.txt   local"), "{out}");
}

#[test]
fn a_cut_is_told() {
    let lab = filled();
    let out = lab.ok(&["list", "artifact", "--limit", "2"]);
    assert!(out.ends_with("! truncated query result to limit=2 Artifact objects\n"), "{out}");
    assert!(!lab.ok(&["list", "artifact", "--limit", "3"]).contains("truncated"));
    assert!(lab.fails(2, &["list", "artifact", "--limit", "0"]).contains("0 is not in the range x>=1"));
}

#[test]
fn trash_shows_only_when_asked_for() {
    let lab = filled();
    lab.ok(&["delete", "artifact", "--key", "raw/a.txt"]);
    assert_eq!(keys(&lab.json(&["list", "artifact"])), ["raw/c.csv", "raw/b.txt"]);
    assert_eq!(keys(&lab.json(&["list", "artifact", "--all"])).len(), 3);
    assert_eq!(keys(&lab.json(&["list", "artifact", "--filter", "branch__name=trash"])), ["raw/a.txt"]);
}

#[test]
fn every_registry_is_listed_in_every_spelling() {
    let lab = Lab::new();
    let names = |word: &str| {
        let listed = lab.json(&["list", word]);
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("branch"), ["main", "archive", "trash"]);
    assert_eq!(names("branches"), names("Branch"));
    assert_eq!(names("space"), ["all"]);
    for word in ["run", "ulabels", "features", "storage", "bionty.CellType", "cell-types", "users"] {
        lab.json(&["list", word]);
        lab.ok(&["list", word]);
    }
    let err = lab.fails(1, &["list", "artefact"]);
    assert!(err.contains("but you passed 'artefact'. Did you mean artifact?"), "{err}");
}
