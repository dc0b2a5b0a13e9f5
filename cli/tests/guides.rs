//! The guides of the command line: every block runs and prints what the guide says.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::lab::Lab;

/// A block of shell and what it prints, if the guide says so.
struct Block {
    code: String,
    prints: Option<String>,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for part in guide.split("\n```").skip(1) {
        if let Some(code) = part.strip_prefix("sh\n") {
            blocks.push(Block { code: code.to_owned(), prints: None });
        } else if let Some(text) = part.strip_prefix("text\n") {
            blocks.last_mut().unwrap().prints = Some(text.to_owned());
        }
    }
    blocks
}

/// Returns true when a text is the other one, in which `…` stands for anything on one line.
fn is_like(text: &str, like: &str) -> bool {
    let lines =
        |text: &str| text.trim_end().lines().map(str::trim_end).map(str::to_owned).collect::<Vec<_>>();
    let (text, like) = (lines(text), lines(like));
    let fits = |line: &str, like: &str| {
        let mut parts = like.split('…');
        let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let parts: Vec<&str> = parts.collect();
        for (at, part) in parts.iter().enumerate() {
            let found = if at + 1 == parts.len() {
                rest.ends_with(part).then(|| rest.len() - part.len())
            } else {
                rest.find(part)
            };
            let Some(found) = found else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.is_empty()
    };
    text.len() == like.len() && text.iter().zip(&like).all(|(text, like)| fits(text, like))
}

#[test]
fn the_guide_to_commands_shows_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guide = std::fs::read_to_string(root.join("docs/guides/run-commands.md")).unwrap();
    let blocks = blocks(&guide);
    assert!(blocks.len() > 6 && blocks.iter().filter(|block| block.prints.is_some()).count() > 6);
    let lab = Lab::empty();
    let program = Path::new(env!("CARGO_BIN_EXE_holotype")).parent().unwrap();
    for Block { code, prints } in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{code}")])
            .current_dir(lab.work())
            .env_clear()
            .env("HOME", lab.home())
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{code}\n{printed}");
        if let Some(prints) = prints {
            assert!(is_like(&printed, &prints), "{code}\nprints\n{printed}\nnot\n{prints}");
        }
    }
}

#[test]
fn three_dots_stand_for_anything_on_a_line() {
    assert!(is_like("a 12 s, b\n", "a … s, …\n"));
    assert!(is_like("x\n", "…x…"));
    assert!(!is_like("a 12 m\n", "a … s\n") && !is_like("a\nb\n", "a…\n") && !is_like("ab", "a"));
}
