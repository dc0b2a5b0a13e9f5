//! Texts line by line, in the unified form.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

use super::Options;

/// The difference of two texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Lines that only the second has.
    pub added: usize,
    /// Lines that only the first has.
    pub removed: usize,
    /// The unified form: `@@ -1,4 +1,5 @@`, then lines that start with a blank, `-` or `+`.
    pub unified: Vec<String>,
    /// Lines of the unified form that are left out.
    pub left_out: usize,
}

/// Returns how two texts differ.
pub fn text_lines(a: &str, b: &str, options: &Options) -> Lines {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let mut input = InternedInput::default();
    input.update_before(a.iter().copied());
    input.update_after(b.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let changes: Vec<Change> = diff.hunks().map(Change::from).collect();
    let near = |one: &Change, next: &Change| next.old.start - one.old.end <= 2 * options.context;
    let mut unified = Vec::new();
    for group in changes.chunk_by(near) {
        tell(group, &a, &b, options.context, &mut unified);
    }
    let left_out = unified.len().saturating_sub(options.most);
    unified.truncate(options.most);
    Lines {
        added: changes.iter().map(|change| change.new.len()).sum(),
        removed: changes.iter().map(|change| change.old.len()).sum(),
        unified,
        left_out,
    }
}

/// Neighbouring lines of the first text that other lines of the second stand for, one of them perhaps none.
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

impl From<Hunk> for Change {
    fn from(hunk: Hunk) -> Self {
        let range = |lines: Range<u32>| lines.start as usize..lines.end as usize;
        Change { old: range(hunk.before), new: range(hunk.after) }
    }
}

/// Adds changes that stand close together, with the equal lines around and between them.
fn tell(group: &[Change], a: &[&str], b: &[&str], context: usize, unified: &mut Vec<String>) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let before = first.old.start.min(context);
    let after = (a.len() - last.old.end).min(context);
    let header = |from: usize, to: usize| match to - from {
        // An empty range is named by the line before it.
        0 => format!("{from},0"),
        lines => format!("{},{lines}", from + 1),
    };
    let old = header(first.old.start - before, last.old.end + after);
    let new = header(first.new.start - before, last.new.end + after);
    unified.push(format!("@@ -{old} +{new} @@"));
    let mut equal = first.old.start - before;
    for change in group {
        unified.extend(a[equal..change.old.start].iter().map(|line| format!(" {line}")));
        unified.extend(a[change.old.clone()].iter().map(|line| format!("-{line}")));
        unified.extend(b[change.new.clone()].iter().map(|line| format!("+{line}")));
        equal = change.old.end;
    }
    unified.extend(a[equal..equal + after].iter().map(|line| format!(" {line}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(a: &str, b: &str) -> String {
        text_lines(a, b, &Options { context: 1, ..Options::default() }).unified.join("\n")
    }

    #[test]
    fn changes_are_shown_with_their_context() {
        assert_eq!(unified("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n"), "@@ -1,4 +1,5 @@\n a\n-b\n+B\n c\n d\n+e");
        assert_eq!(unified("", "x\ny\n"), "@@ -0,0 +1,2 @@\n+x\n+y");
        assert_eq!(unified("x\n", ""), "@@ -1,1 +0,0 @@\n-x");
        let far = unified("a\n1\n2\n3\n4\nb\n", "A\n1\n2\n3\n4\nB\n");
        assert_eq!(far, "@@ -1,2 +1,2 @@\n-a\n+A\n 1\n@@ -5,2 +5,2 @@\n 4\n-b\n+B");
    }

    #[test]
    fn what_is_shown_turns_the_first_text_into_the_second() {
        let mut state = 1u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..300 {
            let mut text = || -> Vec<&str> {
                (0..next(12)).map(|_| next(3)).map(|at| ["a", "b", "c"][at as usize]).collect()
            };
            let (a, b) = (text(), text());
            let whole = Options { context: usize::MAX / 4, most: usize::MAX, ..Options::default() };
            let found = text_lines(&a.join("\n"), &b.join("\n"), &whole);
            let side = |sign: char| -> Vec<&str> {
                let shown = found.unified.iter().filter(|line| !line.starts_with('@'));
                shown.filter_map(|line| line.strip_prefix([' ', sign])).collect()
            };
            if a == b {
                assert_eq!(found, Lines::default());
                continue;
            }
            assert_eq!((side('-'), side('+')), (a.clone(), b.clone()));
            let signed = |sign| found.unified.iter().filter(|line| line.starts_with(sign)).count();
            assert_eq!((found.added, found.removed), (signed('+'), signed('-')));
        }
    }

    #[test]
    fn large_rewrites_end_soon_and_long_output_is_cut() {
        let a: String = (0..20_000).map(|i| format!("a{i}\n")).collect();
        let b: String = (0..20_000).map(|i| format!("b{i}\n")).collect();
        let found = text_lines(&a, &b, &Options::default());
        assert_eq!((found.added, found.removed), (20_000, 20_000));
        assert_eq!((found.unified.len(), found.left_out), (100, 40_001 - 100));
    }
}
