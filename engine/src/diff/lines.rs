//! Texts line by line, in the unified form.

use super::Options;

/// Changes beyond which two texts count as entirely different: the search takes the square of it.
const CHANGES: usize = 2_000;

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

/// A line of both texts, of the first, or of the second, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Both(usize, usize),
    Removed(usize),
    Added(usize),
}

/// Returns how two texts differ.
pub fn text_lines(a: &str, b: &str, options: &Options) -> Lines {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let script = script(&a, &b);
    let mut unified = Vec::new();
    for (from, to) in hunks(&script, options.context) {
        let hunk = &script[from..to];
        let first = |own: fn(&Line) -> Option<usize>| {
            let start = hunk.iter().find_map(own);
            let before = script[..from].iter().filter_map(own).count();
            (start.map_or(before, |at| at + 1), hunk.iter().filter_map(own).count())
        };
        let (old, new) = (first(in_first), first(in_second));
        unified.push(format!("@@ -{},{} +{},{} @@", old.0, old.1, new.0, new.1));
        unified.extend(hunk.iter().map(|line| match *line {
            Line::Both(at, _) => format!(" {}", a[at]),
            Line::Removed(at) => format!("-{}", a[at]),
            Line::Added(at) => format!("+{}", b[at]),
        }));
    }
    let left_out = unified.len().saturating_sub(options.most);
    unified.truncate(options.most);
    Lines {
        added: script.iter().filter(|line| matches!(line, Line::Added(_))).count(),
        removed: script.iter().filter(|line| matches!(line, Line::Removed(_))).count(),
        unified,
        left_out,
    }
}

fn in_first(line: &Line) -> Option<usize> {
    match *line {
        Line::Both(at, _) | Line::Removed(at) => Some(at),
        Line::Added(_) => None,
    }
}

fn in_second(line: &Line) -> Option<usize> {
    match *line {
        Line::Both(_, at) | Line::Added(at) => Some(at),
        Line::Removed(_) => None,
    }
}

/// Returns the ranges of the script that hold changes with their context.
fn hunks(script: &[Line], context: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, line) in script.iter().enumerate() {
        if matches!(line, Line::Both(..)) {
            continue;
        }
        let (from, to) = (at.saturating_sub(context), (at + context + 1).min(script.len()));
        match found.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => found.push((from, to)),
        }
    }
    found
}

/// Returns the lines of both texts in order: Myers' search for the shortest script, between what is equal at both ends.
fn script(a: &[&str], b: &[&str]) -> Vec<Line> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let room = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let (inner_a, inner_b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut script: Vec<Line> = (0..start).map(|at| Line::Both(at, at)).collect();
    let inner = shortest(inner_a, inner_b).unwrap_or_else(|| {
        let removed = (0..inner_a.len()).map(Line::Removed);
        removed.chain((0..inner_b.len()).map(Line::Added)).collect()
    });
    script.extend(inner.into_iter().map(|line| match line {
        Line::Both(a, b) => Line::Both(a + start, b + start),
        Line::Removed(at) => Line::Removed(at + start),
        Line::Added(at) => Line::Added(at + start),
    }));
    script.extend((0..end).map(|at| Line::Both(a.len() - end + at, b.len() - end + at)));
    script
}

/// Returns the shortest script; nothing when it has too many changes.
fn shortest(a: &[&str], b: &[&str]) -> Option<Vec<Line>> {
    let most = (a.len() + b.len()).min(CHANGES);
    let middle = most + 1;
    let mut furthest = vec![0usize; 2 * middle + 1];
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for changes in 0..=most {
        // Only these diagonals can be reached: the history is as large as the search went.
        steps.push(furthest[middle - changes..=middle + changes].to_vec());
        for k in (0..=2 * changes).step_by(2) {
            let at = middle + k - changes;
            let down = k == 0 || (k != 2 * changes && furthest[at - 1] < furthest[at + 1]);
            let mut x = if down { furthest[at + 1] } else { furthest[at - 1] + 1 };
            let mut y = x + middle - at;
            while x < a.len() && y < b.len() && a[x] == b[y] {
                (x, y) = (x + 1, y + 1);
            }
            furthest[at] = x;
            if x >= a.len() && y >= b.len() {
                return Some(retrace(&steps, a.len(), b.len()));
            }
        }
    }
    None
}

/// Returns the script that led to the end.
fn retrace(steps: &[Vec<usize>], a: usize, b: usize) -> Vec<Line> {
    let (mut x, mut y) = (a, b);
    let mut script = Vec::new();
    for (changes, furthest) in steps.iter().enumerate().rev() {
        // `furthest[k]` is the diagonal `k - changes`, where x - y is the diagonal.
        let diagonal = x as isize - y as isize;
        let at = |diagonal: isize| furthest[(diagonal + changes as isize) as usize];
        if changes == 0 {
            while x > 0 && y > 0 {
                (x, y) = (x - 1, y - 1);
                script.push(Line::Both(x, y));
            }
            break;
        }
        let lowest = diagonal == -(changes as isize);
        let highest = diagonal == changes as isize;
        let down = lowest || (!highest && at(diagonal - 1) < at(diagonal + 1));
        let before = if down { diagonal + 1 } else { diagonal - 1 };
        let before_x = at(before);
        let before_y = (before_x as isize - before) as usize;
        while x > before_x && y > before_y {
            (x, y) = (x - 1, y - 1);
            script.push(Line::Both(x, y));
        }
        if down {
            y -= 1;
            script.push(Line::Added(y));
        } else {
            x -= 1;
            script.push(Line::Removed(x));
        }
    }
    script.reverse();
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(a: &str, b: &str) -> String {
        text_lines(a, b, &Options { context: 1, ..Options::default() }).unified.join("\n")
    }

    #[test]
    fn the_shortest_script_is_found() {
        assert_eq!(unified("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n"), "@@ -1,4 +1,5 @@\n a\n-b\n+B\n c\n d\n+e");
        assert_eq!(unified("", "x\ny\n"), "@@ -0,0 +1,2 @@\n+x\n+y");
        assert_eq!(unified("x\n", ""), "@@ -1,1 +0,0 @@\n-x");
        assert_eq!(unified("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc").matches("\n+").count(), 3);
    }

    #[test]
    fn every_script_turns_the_first_text_into_the_second() {
        let mut state = 1u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..300 {
            let text = |next: &mut dyn FnMut(u64) -> u64| -> Vec<&'static str> {
                (0..next(12)).map(|_| ["a", "b", "c"][next(3) as usize]).collect()
            };
            let (a, b) = (text(&mut next), text(&mut next));
            let script = script(&a, &b);
            let first: Vec<usize> = script.iter().filter_map(in_first).collect();
            let second: Vec<usize> = script.iter().filter_map(in_second).collect();
            assert_eq!(first, (0..a.len()).collect::<Vec<_>>(), "{a:?} {b:?}");
            assert_eq!(second, (0..b.len()).collect::<Vec<_>>(), "{a:?} {b:?}");
            let equal = |line: &Line| match *line {
                Line::Both(x, y) => a[x] == b[y],
                _ => true,
            };
            assert!(script.iter().all(equal), "{a:?} {b:?}");
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
