//! The tree of a folder as text.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs;

use holotype::ErrorKind;
use holotype::store::tree::{TreeOptions, tree};
use holotype::suffix::Formats;
use support::Scratch;

fn check(scratch: &Scratch, options: &TreeOptions, expected: &str) {
    let root = fs::canonicalize(scratch.path("t")).unwrap();
    let text = tree(&scratch.path("t"), options, &Formats::default()).unwrap();
    assert_eq!(text, expected.replace("<root>", root.to_str().unwrap()));
}

fn options() -> TreeOptions {
    TreeOptions::default()
}

#[test]
fn a_location_is_shown_with_counts_and_sorted_entries() {
    let scratch = Scratch::new();
    for name in [".lamindb/storage_uid.txt", ".lamindb/MDUUO7diYg5Ckkyb0000.fcs", "output.bam"] {
        scratch.source(&format!("t/{name}"), "x");
    }
    let expected = "1 sub-directory & 3 files with suffixes '.bam', '.fcs', '.txt'
<root>
├── .lamindb/
│   ├── MDUUO7diYg5Ckkyb0000.fcs
│   └── storage_uid.txt
└── output.bam";
    check(&scratch, &options(), expected);
    let dirs = "1 sub-directory & 0 files\n<root>\n└── .lamindb/";
    check(&scratch, &TreeOptions { only_dirs: true, ..options() }, dirs);
}

#[test]
fn only_the_levels_shown_are_counted() {
    let scratch = Scratch::new();
    for name in ["a/b/c/deep.bai", "a/b/x.tsv.gz", "a/noext"] {
        scratch.source(&format!("t/{name}"), "x");
    }
    check(
        &scratch,
        &options(),
        "2 sub-directories & 1 files with suffixes ''\n<root>\n└── a/\n    ├── b/\n    └── noext",
    );
    check(
        &scratch,
        &TreeOptions { level: Some(1), ..options() },
        "1 sub-directory & 0 files\n<root>\n└── a/",
    );
    let all = "3 sub-directories & 3 files with suffixes '', '.bai', '.tsv.gz'
<root>
└── a/
    ├── b/
    │   ├── c/
    │   │   └── deep.bai
    │   └── x.tsv.gz
    └── noext";
    check(&scratch, &TreeOptions { level: None, ..options() }, all);
}

#[test]
fn long_listings_are_cut_but_counted() {
    let scratch = Scratch::new();
    for name in ["1.txt", "2.txt", "3.txt", "4.csv", "5.txt", "6.csv"] {
        scratch.source(&format!("t/{name}"), "x");
    }
    let per_type = "0 sub-directories & 6 files with suffixes '.csv', '.txt'
<root>
├── 1.txt
├── ...
├── 4.csv
└── 6.csv";
    check(&scratch, &TreeOptions { n_max_files_per_dir_and_type: Some(2), ..options() }, per_type);
    let in_all = "0 sub-directories & 6 files with suffixes '.csv', '.txt'
<root>
├── 1.txt
├── 2.txt
... only showing 2 out of 6 files";
    check(&scratch, &TreeOptions { n_max_files: Some(2), ..options() }, in_all);
}

#[test]
fn some_folders_are_not_entered() {
    let scratch = Scratch::new();
    scratch.source("t/a.zarr/x", "x");
    scratch.source("t/b/x", "x");
    let expected = "2 sub-directories & 1 files with suffixes ''\n<root>\n├── a.zarr/\n└── b/\n    └── x";
    let skip_suffixes = BTreeSet::from([".zarr".to_owned()]);
    check(&scratch, &TreeOptions { skip_suffixes, ..options() }, expected);
}

#[test]
fn an_empty_folder_has_no_suffixes() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("t")).unwrap();
    check(&scratch, &options(), "0 sub-directories & 0 files\n<root>");
    let missing = tree(&scratch.path("none"), &options(), &Formats::default()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::FileNotFound);
}

#[test]
#[cfg(unix)]
fn a_link_to_a_folder_is_not_entered() {
    let scratch = Scratch::new();
    scratch.source("t/x", "x");
    std::os::unix::fs::symlink("..", scratch.path("t/up")).unwrap();
    check(
        &scratch,
        &TreeOptions { level: None, ..options() },
        "1 sub-directory & 1 files with suffixes ''\n<root>\n├── up/\n└── x",
    );
}
