//! What many processes do at once to one instance.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Child;

use holotype::{Instance, NewArtifact, Q, Record, RunChoice};

use crate::proof::{artifact, save};

pub fn file(dir: &Path, name: &str, content: &str) -> String {
    let path = dir.join("work").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits for processes and returns the uids that they reported as saved.
pub fn saved(children: Vec<Child>) -> Vec<String> {
    let mut saved = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        saved.extend(text.lines().filter_map(|line| line.strip_prefix("@saved ")).map(str::to_owned));
    }
    saved
}

/// What one process does: its saves number `n` of them.
pub fn act(instance: &Instance, dir: &Path, what: &str, process: usize, n: usize) {
    let source = |i: usize| format!("p{process}/{i}.txt");
    let own = |i: usize| format!("content {i} of process {process}\n");
    for i in 0..n {
        let saved = match what {
            "distinct keys" => {
                let source = file(dir, &source(i), &own(i));
                save(instance, NewArtifact::new(source).key(format!("p{process}/{i}.txt")))
            }
            "distinct contents" => {
                save(instance, NewArtifact::new(file(dir, &source(i), &own(i))).key("k.txt"))
            }
            "equal content" => {
                save(instance, NewArtifact::new(file(dir, &source(i), "the same for all\n")).key("k.txt"))
            }
            "few contents" => {
                let content = format!("content {}\n", (i + process) % 5);
                save(instance, NewArtifact::new(file(dir, &source(i), &content)).key("k.txt"))
            }
            "real key" => {
                instance.with_creation(|creation| creation.use_virtual_keys = false).unwrap();
                save(instance, NewArtifact::new(file(dir, &source(i), &own(i))).key("real/k.txt"))
            }
            "folder" => {
                let folder = format!("p{process}/folder{i}");
                for name in ["a", "b/c"] {
                    file(dir, &format!("{folder}/{name}.txt"), &own(i));
                }
                let folder = dir.join("work").join(folder);
                save(instance, NewArtifact::new(folder.to_str().unwrap()).key("folder"))
            }
            "bulk" => {
                let folder = format!("p{process}/bulk{i}");
                for j in 0..10 {
                    file(dir, &format!("{folder}/{j}.txt"), &format!("{}{j}", own(i)));
                }
                let path = dir.join("work").join(folder);
                let all = instance.artifacts_from_dir(path.to_str().unwrap(), Some("bulk"), RunChoice::None);
                let mut all = all.unwrap();
                instance.save_artifacts(&mut all).map(|()| all[0].record.clone())
            }
            "replace" => {
                let mut old = artifact(instance, "k.txt");
                let source = file(dir, &source(i), &own(i));
                instance
                    .replace_content(&mut old, &source, false, RunChoice::None)
                    .and_then(|_| instance.save_artifact(&mut old))
                    .map(|()| old.record)
            }
            other => panic!("{other} is no race"),
        };
        let saved: Record =
            saved.unwrap_or_else(|error| panic!("{what}, process {process}, save {i}: {error}"));
        println!("@saved {}", saved.uid());
    }
}

/// Returns all versions of the one family of a key, checked to be numbered without a gap.
pub fn family(instance: &Instance, key: &str) -> Vec<Record> {
    let query = instance.registry("Artifact").unwrap().filter(Q::is("key", key)).unwrap();
    let all = query.order_by(["uid"]).unwrap().all().unwrap();
    let stems: BTreeSet<&str> = all.iter().map(Record::stem_uid).collect();
    assert_eq!(stems.len(), 1, "{key} has one family");
    for (i, record) in all.iter().enumerate() {
        let expected = holotype::version::suffix_of_value(u32::try_from(i).unwrap()).unwrap();
        assert_eq!(record.uid(), format!("{}{expected}", record.stem_uid()), "versions have no gap");
    }
    assert_eq!(all.iter().filter(|record| record.flag("is_latest")).count(), 1, "one is the latest");
    all
}
