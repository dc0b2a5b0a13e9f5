//! The image: nothing overlaps, lines lead onwards, text is escaped, and crowds are collapsed.

use holotype::lineage::{Limits, Lineage, Walk};

use super::Lab;

/// Returns the boxes of an image: x, y, width, height.
fn boxes(svg: &str) -> Vec<[f64; 4]> {
    svg.split("<g class=\"n ")
        .skip(1)
        .map(|part| {
            let place = part.split("translate(").nth(1).unwrap().split(')').next().unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let attribute = |name: &str| {
                part.split(&format!("{name}=\""))
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap()
                    .parse::<f64>()
                    .unwrap()
            };
            [x.parse().unwrap(), y.parse().unwrap(), attribute("rect class=\"b\" width"), attribute("height")]
        })
        .collect()
}

fn overlap(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

/// Returns a graph with long edges, a diamond and several inputs each.
fn tangle(lab: &Lab) -> Lineage {
    let mut made = vec![lab.artifact("0", None), lab.artifact("1", None), lab.artifact("2", None)];
    for i in 3..20usize {
        let inputs = [&made[i - 1], &made[i * 7 % (i - 1)], &made[0]];
        let run = lab.run(&format!("step {}", i % 5), &inputs[..1]);
        for extra in &inputs[1..] {
            lab.instance().track_input(extra, run.id()).unwrap();
        }
        made.push(lab.artifact(&i.to_string(), Some(&run)));
    }
    lab.instance().lineage(&made[10], &Walk::default()).unwrap()
}

#[test]
fn boxes_do_not_overlap_and_lie_inside() {
    let lab = Lab::new();
    let lineage = tangle(&lab);
    let svg = lineage.draw(&Limits::NONE);
    let found = boxes(&svg);
    assert_eq!(found.len(), lineage.nodes.len());
    for (i, a) in found.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[1] >= -0.1, "{a:?}");
        assert!(found[..i].iter().all(|b| !overlap(a, b)), "{a:?}");
    }
    let size = |name: &str| -> f64 {
        svg.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let right = found.iter().map(|a| a[0] + a[2]).fold(0.0, f64::max);
    let bottom = found.iter().map(|a| a[1] + a[3]).fold(0.0, f64::max);
    assert!(right + 16.0 <= size("width") && bottom + 16.0 <= size("height"), "{right} {bottom}");
}

#[test]
fn lines_bend_between_the_boxes() {
    let lab = Lab::new();
    let wide = lab.artifact("a long name that makes a wide box.txt", None);
    let run = lab.run("join", &[&wide, &lab.artifact("1", None), &lab.artifact("2", None)]);
    let joined = lab.artifact("joined", Some(&run));
    let svg = lab.instance().lineage(&joined, &Walk::default()).unwrap().draw(&Limits::NONE);
    let right = |found: &[f64; 4]| found[0] + found[2];
    let inputs: Vec<[f64; 4]> = boxes(&svg).into_iter().filter(|found| found[0] < 250.0).collect();
    let border = inputs.iter().map(right).fold(0.0, f64::max);
    assert!(inputs.iter().any(|found| right(found) < border - 50.0), "{inputs:?}");
    for line in svg.split("class=\"e\" d=\"M").skip(1) {
        let (start, rest) = line.split_once(['H', 'C']).unwrap();
        let first: f64 = rest.split([' ', 'H', 'C', '"']).next().unwrap().parse().unwrap();
        let start: f64 = start.split(' ').next().unwrap().parse().unwrap();
        // A line that begins within the column leaves it before it bends.
        assert!(start >= border - 8.0 || first >= border - 0.1, "{line}");
    }
}

#[test]
fn what_is_made_stands_right_of_what_it_was_made_from() {
    let lab = Lab::new();
    let lineage = tangle(&lab);
    let found = boxes(&lineage.draw(&Limits::NONE));
    for edge in &lineage.edges {
        assert!(found[edge.from][0] + found[edge.from][2] < found[edge.to][0], "{edge:?}");
    }
}

#[test]
fn the_same_graph_gives_the_same_image() {
    let lab = Lab::new();
    let lineage = tangle(&lab);
    assert_eq!(lineage.draw(&Limits::default()), lineage.draw(&Limits::default()));
}

#[test]
fn names_cannot_break_out_of_the_image() {
    let lab = Lab::new();
    let run = lab.run("<script>alert('x')</script>", &[]);
    let key = "a\"><svg onload=\"alert(1)\">&]]>.txt";
    let artifact = lab.artifact(key, Some(&run));
    let lineage = lab.instance().lineage(&artifact, &Walk::default()).unwrap();
    for text in [lineage.draw(&Limits::default()), lineage.page(&Limits::default())] {
        assert!(!text.contains("<script") && !text.contains("<svg onload"), "{text}");
        assert_eq!(text.matches("<svg").count(), 1);
        assert!(text.contains("&lt;script&gt;"));
    }
}

#[test]
fn tooltips_tell_uid_size_and_date() {
    let lab = Lab::new();
    let artifact = lab.artifact("some/very/long/path/to/a/file/deep/below/the/root/counts.parquet", None);
    let svg = lab.instance().lineage(&artifact, &Walk::default()).unwrap().draw(&Limits::default());
    let title = svg.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    assert!(title.starts_with("some/very/long/path"), "{title}");
    for part in [artifact.uid(), "size: 64 B", "made: 2026-01-02", "by: "] {
        assert!(title.contains(part), "{title}");
    }
    assert!(
        svg.contains(">…/below/the/root/counts.parquet<") || svg.contains("counts.parquet</text>"),
        "{svg}"
    );
}

#[test]
fn crowds_are_collapsed() {
    let lab = Lab::new();
    let raw = lab.artifact("raw", None);
    let run = lab.run("split", &[&raw]);
    for i in 0..45 {
        lab.artifact(&format!("part {i}"), Some(&run));
    }
    let lineage = lab.instance().lineage(&raw, &Walk::default()).unwrap();
    assert_eq!(lineage.nodes.len(), 47);
    let svg = lineage.draw(&Limits::default());
    assert_eq!(boxes(&svg).len(), 2 + 6 + 1);
    assert!(svg.contains("… 39 more artifacts"), "{svg}");
    assert_eq!(boxes(&lineage.draw(&Limits::NONE)).len(), 47);
}

#[test]
fn a_layer_that_is_too_wide_keeps_what_was_asked_about() {
    let lab = Lab::new();
    let raw = lab.artifact("raw", None);
    let mut last = raw.clone();
    for i in 0..40 {
        // Each has a neighbour of its own, so none look alike.
        let own = lab.artifact(&format!("own {i}"), None);
        let run = lab.run(&format!("run {i}"), &[&raw, &own]);
        last = lab.artifact(&format!("out {i}"), Some(&run));
    }
    let lineage = lab.instance().lineage(&last, &Walk::default()).unwrap();
    assert_eq!(lineage.nodes.len(), 4, "siblings are no lineage");
    let lineage = lab.instance().lineage(&raw, &Walk::default()).unwrap();
    let svg = lineage.draw(&Limits { wide: 10, ..Limits::default() });
    assert!(svg.contains("… 30 more runs") && svg.contains("more artifacts"), "{svg}");
    assert!(boxes(&svg).len() <= 1 + 2 * 12);
}

#[test]
fn what_is_far_away_is_collapsed() {
    let lab = Lab::new();
    let mut at = lab.artifact("start", None);
    for i in 0..30 {
        let run = lab.run(&format!("run {i}"), &[&at]);
        at = lab.artifact(&format!("out {i}"), Some(&run));
    }
    let lineage = lab.instance().lineage(&at, &Walk::default()).unwrap();
    assert_eq!(lineage.nodes.len(), 61);
    let svg = lineage.draw(&Limits { far: 10, ..Limits::default() });
    assert!(svg.contains("… 25 more artifacts") && svg.contains("… 25 more runs"), "{svg}");
    assert_eq!(boxes(&svg).len(), 11 + 2);
}
