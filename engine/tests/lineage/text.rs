//! The forms that are text: tree, Graphviz, Mermaid, JSON.

use holotype::Record;
use holotype::lineage::{Lineage, Walk};

use super::Lab;

fn small(lab: &Lab) -> (Record, Lineage) {
    let raw = lab.artifact("raw \"a\" <b> & [c];.txt", None);
    let other = lab.artifact("other.txt", None);
    let run = lab.run("align", &[&raw, &other]);
    let table = lab.artifact("table.csv", Some(&run));
    let plot = lab.run("plot", &[&table]);
    lab.artifact("figure.png", Some(&plot));
    let lineage = lab.instance().lineage(&table, &Walk::default()).unwrap();
    (table, lineage)
}

#[test]
fn the_tree_shows_both_sides() {
    let lab = Lab::new();
    let (_, lineage) = small(&lab);
    let text = lineage.to_text();
    let shape: Vec<String> =
        text.lines().map(|line| line.split("  [").next().unwrap().trim_end().to_owned()).collect();
    assert_eq!(
        shape,
        [
            "table.csv",
            "├── upstream",
            "│   └── ▶ align",
            "│       ├── other.txt",
            "│       └── raw \"a\" <b> & [c];.txt",
            "└── downstream",
            "    └── ▶ plot",
            "        └── figure.png",
        ],
        "{text}"
    );
}

#[test]
fn what_was_shown_is_not_unfolded_again() {
    let lab = Lab::new();
    let source = lab.run("source", &[]);
    let (a, b) = (lab.artifact("a", Some(&source)), lab.artifact("b", Some(&source)));
    let join = lab.run("join", &[&a, &b]);
    let c = lab.artifact("c", Some(&join));
    let raw = lab.artifact("raw", None);
    assert!(lab.instance().track_input(&raw, source.id()).unwrap());
    let text = lab.instance().lineage(&c, &Walk::upstream()).unwrap().to_text();
    assert_eq!(text.matches("raw  [").count(), 1, "{text}");
    assert_eq!(text.matches("▶ source").count(), 2, "{text}");
    assert_eq!(text.lines().filter(|line| line.ends_with('↑')).count(), 1, "{text}");
}

#[test]
fn long_lists_and_deep_chains_are_cut_in_the_tree() {
    let lab = Lab::new();
    let run = lab.run("many", &[]);
    for i in 0..40 {
        lab.artifact(&format!("{i}.txt"), Some(&run));
    }
    let text = lab.instance().lineage(&run, &Walk::default()).unwrap().to_text();
    assert!(text.ends_with("    └── … 28 more\n"), "{text}");
    let alone = lab.artifact("alone", None);
    let text = lab.instance().lineage(&alone, &Walk::default()).unwrap().to_text();
    assert!(text.contains("nothing is known of where it comes from"), "{text}");
}

#[test]
fn dot_uses_the_names_that_users_of_the_format_know() {
    let lab = Lab::new();
    let (table, lineage) = small(&lab);
    let dot = lineage.dot();
    assert!(dot.starts_with(&format!("digraph artifact_{} {{", table.uid())), "{dot}");
    assert!(dot.contains("[label=\"raw \\\"a\\\" <b> & [c];.txt\" fillcolor=\"white\""), "{dot}");
    let run = lineage.nodes.iter().find(|node| node.label == "align").unwrap();
    assert!(dot.contains(&format!("run_{} -> artifact_{} [color=dimgrey]", run.uid, table.uid())), "{dot}");
}

#[test]
fn mermaid_escapes_what_means_something() {
    let lab = Lab::new();
    let (_, lineage) = small(&lab);
    let text = lineage.mermaid();
    assert!(text.starts_with("flowchart LR\n"));
    assert!(text.contains("raw #34;a#34; #60;b#62; #38; #91;c#93;#59;.txt"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("-->")).count(), 5);
}

#[test]
fn json_names_the_ends_of_edges() {
    let lab = Lab::new();
    let (table, lineage) = small(&lab);
    let data = lineage.json();
    let nodes = data["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), data["edges"].as_array().unwrap().len()), (6, 5));
    assert_eq!(nodes[0]["name"], format!("artifact_{}", table.uid()));
    assert_eq!(nodes[0]["size"], 9);
    let names: Vec<&str> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    for edge in data["edges"].as_array().unwrap() {
        assert!(
            names.contains(&edge["from"].as_str().unwrap()) && names.contains(&edge["to"].as_str().unwrap())
        );
    }
}
