//! Notebooks become scripts, byte for byte as LaminDB makes them.

use holotype::ErrorKind;
use holotype::testing::Scratch;
use holotype::track::{Notebook, SourceKind, notebook_text};
use proptest::prelude::*;

use super::notebook;

const GUIDE: (&str, &str) =
    (include_str!("../data/notebooks/guide.json"), include_str!("../data/notebooks/guide.txt"));
const MAGICS: (&str, &str) =
    (include_str!("../data/notebooks/magics.json"), include_str!("../data/notebooks/magics.txt"));

#[test]
fn real_notebooks_become_the_scripts_that_lamindb_makes() {
    for (json, script) in [GUIDE, MAGICS] {
        assert_eq!(Notebook::parse(json).unwrap().to_script(), script);
    }
}

#[test]
fn a_notebook_file_has_title_hash_and_gaps() {
    let scratch = Scratch::new().unwrap();
    for (name, json, title, hash, gaps) in [
        ("guide.ipynb", GUIDE.0, "Cell types of the lung", "FjdxT-fEKBpttqYuzomgSg", vec![]),
        (
            "magics.ipynb",
            MAGICS.0,
            "Everything a kernel can do",
            "asOVsMdrpogj_0xbo2n1IA",
            vec![(Some(1), Some(3)), (Some(8), Some(12))],
        ),
    ] {
        let path = scratch.file(name, json).unwrap();
        let file = scratch.instance().source_file(&path, true).unwrap();
        assert_eq!((file.kind, file.key.as_str(), file.interactive), (SourceKind::Notebook, name, true));
        assert_eq!(
            (file.title.as_deref(), file.hash.as_str(), file.gaps),
            (Some(title), hash, gaps),
            "{name}"
        );
    }
}

#[test]
fn the_text_of_the_specification_is_reproduced() {
    let json = notebook(&[
        ("markdown", "# My title\n\nsome text", None),
        ("code", "import lamindb as ln\nln.track()", Some(1)),
        ("code", "print(1)", Some(2)),
        ("code", "ln.finish()", None),
    ]);
    let text = "# %% [markdown]\n#\n#\n# some text\n\n# %%\nimport lamindb as ln\nln.track()\n\n# %%\nprint(1)\n\n# %%\n\
                ln.finish()\n";
    assert_eq!(Notebook::parse(&json).unwrap().to_script(), text);
}

#[test]
fn only_the_title_itself_is_left_out() {
    let json =
        notebook(&[("markdown", "# T", None), ("markdown", "# Two", None), ("code", "# # T", Some(1))]);
    let parsed = Notebook::parse(&json).unwrap();
    assert_eq!(parsed.title().as_deref(), Some("T"));
    assert_eq!(parsed.to_script(), "# %% [markdown]\n#\n\n# %% [markdown]\n# # Two\n\n# %%\n# # T\n");
}

#[test]
fn a_renamed_title_is_the_same_source() {
    let make = |title: &str| notebook(&[("markdown", title, None), ("code", "x = 1", Some(1))]);
    let script = |title: &str| Notebook::parse(&make(title)).unwrap().to_script();
    assert_eq!(script("# One"), script("# Another one"));
    assert_ne!(script("# One"), script("## One"));
}

#[test]
fn an_empty_notebook_is_an_empty_script() {
    let parsed = Notebook::parse(&notebook(&[])).unwrap();
    assert_eq!((parsed.to_script(), parsed.title(), parsed.gaps()), (String::new(), None, vec![]));
}

#[test]
fn gaps_are_what_lamindb_reports() {
    let code = |counts: &[Option<i64>]| {
        let cells: Vec<_> = counts.iter().map(|count| ("code", "x", *count)).collect();
        Notebook::parse(&notebook(&cells)).unwrap().gaps()
    };
    assert_eq!(code(&[Some(1), Some(2), Some(3)]), []);
    assert_eq!(code(&[Some(1), Some(3), Some(4)]), [(Some(1), Some(3))]);
    assert_eq!(code(&[Some(2), Some(3)]), [(Some(0), Some(2))]);
    assert_eq!(code(&[Some(1), None, Some(2), Some(3)]), [(Some(1), None), (None, Some(2))]);
    assert_eq!(code(&[Some(1), Some(2), None]), []);
    assert_eq!(
        code(&[Some(3), Some(1), Some(2), Some(9)]),
        [(Some(0), Some(3)), (Some(3), Some(1)), (Some(2), Some(9))]
    );
    let cells = [
        ("code", "a = 1", Some(1)),
        ("markdown", "text", None),
        ("code", "  ", None),
        ("code", "ln.finish()", Some(7)),
        ("code", "b = 1", Some(2)),
    ];
    assert_eq!(Notebook::parse(&notebook(&cells)).unwrap().gaps(), []);
}

#[test]
fn what_is_no_notebook_is_refused() {
    let scratch = Scratch::new().unwrap();
    for text in ["", "not json", "{}", "[]", r#"{"worksheets": []}"#, r#"{"cells": [{"source": 1}]}"#] {
        let path = scratch.file("x.ipynb", text).unwrap();
        let error = scratch.instance().source_file(&path, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{text}");
        assert!(error.message().contains("x.ipynb"), "{error}");
    }
}

#[test]
fn a_notebook_needs_a_name_of_its_own() {
    let scratch = Scratch::new().unwrap();
    for name in ["Untitled.ipynb", "Untitled3.ipynb"] {
        let path = scratch.file(name, notebook(&[])).unwrap();
        let error = scratch.instance().source_file(&path, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.message(),
            format!(
                "Your notebook file name is '{name}', please rename it before tracking. You might have to re-start your \
                 notebook kernel."
            )
        );
    }
    let path = scratch.file("Untitled.py", "x").unwrap();
    assert!(scratch.instance().source_file(&path, false).is_ok());
}

#[test]
fn odd_line_ends_do_not_break_comments() {
    let json = notebook(&[("markdown", "a\u{2028}import os\r\nb\u{c}c", None)]);
    let script = Notebook::parse(&json).unwrap().to_script();
    assert_eq!(script, "# %% [markdown]\n# a\n# import os\n# b\n# c\n");
}

#[test]
fn scripts_become_notebooks_that_give_the_same_script() {
    let others = [
        "# %%\nimport os\n\n\n\n# %% [markdown]\n# text\n",
        "print(1)\n\n# %%\nprint(2)\n",
        "# %% a title [markdown] tags=[\"x y\", \"z\"]\n# text\n\n# %% tags=[\"hide\"]\n1\n",
        "# %% magic_args=\"-i x\" language=\"R\"\n# plot(x)\n",
        "# %%\n# # %time\n# !ls -l \\\n#   folder\ntext = \"\"\"\n!ls\n\"\"\"\n",
        "# %%\n\n# %%\n1\n",
        "",
    ];
    for script in [GUIDE.1, MAGICS.1].into_iter().chain(others) {
        let text = notebook_text(script, None);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((json["nbformat"].as_i64(), json["nbformat_minor"].as_i64()), (Some(4), Some(4)));
        let again = Notebook::parse(&text).unwrap().to_script();
        let expected = script.strip_prefix("print(1)").map(|rest| format!("# %%\nprint(1){rest}"));
        assert_eq!(again, expected.as_deref().unwrap_or(script), "{text}");
    }
}

#[test]
fn the_title_comes_back() {
    let text = notebook_text(GUIDE.1, Some("Cell types of the lung"));
    let notebook = Notebook::parse(&text).unwrap();
    assert_eq!(notebook.title().as_deref(), Some("Cell types of the lung"));
    assert_eq!(notebook.to_script(), GUIDE.1);
}

proptest! {
    #[test]
    fn markdown_never_becomes_code(cells in prop::collection::vec(("code|markdown|raw", "(?s).{0,60}"), 0..6)) {
        let cells: Vec<_> = cells.iter().map(|(kind, source)| (kind.as_str(), source.as_str(), None)).collect();
        let script = Notebook::parse(&notebook(&cells)).unwrap().to_script();
        let mut code = true;
        let mut headers = 0;
        for line in script.lines() {
            if line.trim_start().starts_with("# %%") && (line.ends_with("%%") || line.ends_with("[markdown]") || line.ends_with("[raw]")) {
                headers += 1;
                code = line.ends_with("%%");
            }
            prop_assert!(code || line.is_empty() || line.starts_with('#'), "{}", line);
        }
        prop_assert!(headers >= cells.len());
    }
}
