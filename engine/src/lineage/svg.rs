//! The image: boxes, lines, tooltips, and a legend.

use std::fmt::Write;

use super::draw::{Drawing, detail, label, tooltip};
use super::{Link, Node, Noun};

/// Room around the drawing.
const MARGIN: f64 = 16.0;
/// Height of the legend.
const LEGEND: f64 = 30.0;
/// Length of an arrow's head.
const HEAD: f64 = 7.0;

/// Colours for light ground, for dark ground, and how shapes use them. Notebooks say by attributes and classes of the
/// page which ground they have; files by the preference of the system.
const STYLE: &str = "\
.holotype-lineage{--ground:#fff;--ink:#1f2933;--soft:#667380;--line:#8a96a3;--box:#fff;--edge:#b8c2cc;\
--artifact:#3b82c4;--run:#7c5cd6;--runbox:#f3f0fd;--collection:#0f9488;--record:#c77d0a;--transform:#7c5cd6;\
--bad:#d64545;--focus:#e08a00;font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
@media(prefers-color-scheme:dark){.holotype-lineage{DARK}}\
[data-jp-theme-light=false] .holotype-lineage,.vscode-dark .holotype-lineage,[data-theme=dark] .holotype-lineage{DARK}\
[data-jp-theme-light=true] .holotype-lineage,.vscode-light .holotype-lineage,[data-theme=light] .holotype-lineage{LIGHT}\
.holotype-lineage .l{font-size:12px;fill:var(--ink);font-weight:500}\
.holotype-lineage .d{font-size:10px;fill:var(--soft)}\
.holotype-lineage .b{fill:var(--box);stroke:var(--edge);stroke-width:1.2}\
.holotype-lineage .run .b,.holotype-lineage .transform .b{fill:var(--runbox);stroke:var(--run)}\
.holotype-lineage .artifact .s{fill:var(--artifact)}.holotype-lineage .run .s{fill:var(--run)}\
.holotype-lineage .collection .s{fill:var(--collection)}.holotype-lineage .record .s{fill:var(--record)}\
.holotype-lineage .transform .s{fill:var(--transform)}\
.holotype-lineage .focus .b{stroke:var(--focus);stroke-width:2.4}\
.holotype-lineage .bad .b{stroke:var(--bad)}.holotype-lineage .bad .d{fill:var(--bad)}\
.holotype-lineage .gone{opacity:.5}.holotype-lineage .gone .b,.holotype-lineage .more .b{stroke-dasharray:4 3}\
.holotype-lineage .more .l{fill:var(--soft);font-style:italic}\
.holotype-lineage .e{fill:none;stroke:var(--line);stroke-width:1.4}\
.holotype-lineage .f{stroke-dasharray:6 3}.holotype-lineage .started{stroke-dasharray:1.5 3.5}\
.holotype-lineage .version{stroke-dasharray:8 3 2 3}.holotype-lineage .h{fill:var(--line)}\
.holotype-lineage g.n:hover .b{stroke-width:2.4}";

const LIGHT: &str = "--ground:#fff;--ink:#1f2933;--soft:#667380;--line:#8a96a3;--box:#fff;--edge:#b8c2cc;\
--artifact:#3b82c4;--run:#7c5cd6;--runbox:#f3f0fd;--collection:#0f9488;--record:#c77d0a;--transform:#7c5cd6;\
--bad:#d64545;--focus:#e08a00";

const DARK: &str = "--ground:#14181d;--ink:#e6ebf0;--soft:#98a4b0;--line:#6d7985;--box:#20262d;--edge:#4a545e;\
--artifact:#6fb0ea;--run:#a58df0;--runbox:#2a2540;--collection:#3fc2b4;--record:#eba945;--transform:#a58df0;\
--bad:#f07474;--focus:#ffb43d";

/// Returns the image of a drawing.
pub(super) fn image(drawing: &Drawing) -> String {
    let legend = legend(drawing);
    let width = (drawing.layout.width + 2.0 * MARGIN).max(legend.1 + 2.0 * MARGIN).ceil();
    let height = (drawing.layout.height + 2.0 * MARGIN + LEGEND).ceil();
    let mut out = String::with_capacity(600 * drawing.lineage.nodes.len() + 4096);
    let style = STYLE.replace("DARK", DARK).replace("LIGHT", LIGHT);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"holotype-lineage\" role=\"img\" aria-label=\"Lineage\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"><style>{style}</style>\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" style=\"fill:var(--ground)\"/>\
         <g transform=\"translate({MARGIN} {MARGIN})\">"
    );
    for (edge, line) in drawing.lineage.edges.iter().zip(&drawing.layout.lines) {
        curve(&mut out, line, edge.link);
    }
    for ((node, at), size) in drawing.lineage.nodes.iter().zip(&drawing.layout.boxes).zip(&drawing.sizes) {
        node_box(&mut out, node, *at, *size);
    }
    let _ =
        write!(out, "</g><g transform=\"translate({MARGIN} {})\">{}</g></svg>", height - LEGEND, legend.0);
    out
}

/// Writes a line that passes horizontally through its points, with an arrow's head at its end.
fn curve(out: &mut String, line: &[(f64, f64)], link: Link) {
    let (Some(&start), Some(&end)) = (line.first(), line.last()) else { return };
    let backwards = end.0 < start.0;
    let tip = if backwards { HEAD } else { -HEAD };
    let _ = write!(
        out,
        "<g><title>{}</title><path class=\"{}\" d=\"M{:.1} {:.1}",
        link.word(),
        line_class(link),
        start.0,
        start.1
    );
    for (i, pair) in line.windows(2).enumerate() {
        let ((x, y), (mut to_x, to_y)) = (pair[0], pair[1]);
        if i + 2 == line.len() {
            to_x += tip;
        }
        if (y - to_y).abs() < 0.05 {
            let _ = write!(out, "H{to_x:.1}");
        } else {
            let middle = (x + to_x) / 2.0;
            let _ = write!(out, "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}");
        }
    }
    let (x, y) = end;
    let _ = write!(
        out,
        "\"/><path class=\"h\" d=\"M{x:.1} {y:.1}L{:.1} {:.1}V{:.1}Z\"/></g>",
        x + tip,
        y - 3.4,
        y + 3.4
    );
}

/// Returns the classes of a line: what flowed is drawn through, all else is broken in a way of its own.
fn line_class(link: Link) -> String {
    if link.faint() { format!("e f {}", link.word()) } else { "e".to_owned() }
}

fn node_box(out: &mut String, node: &Node, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let mut class = format!("n {}", node.noun.word());
    for (holds, name) in [
        (node.focus, " focus"),
        (node.trashed, " gone"),
        (node.more > 0, " more"),
        (matches!(node.kind.as_str(), "errored" | "aborted") && node.noun == Noun::Run, " bad"),
    ] {
        if holds {
            class.push_str(name);
        }
    }
    let (detail, radius) =
        (detail(node), if matches!(node.noun, Noun::Run | Noun::Transform) { 14 } else { 6 });
    let base = if detail.is_empty() { height / 2.0 + 4.0 } else { 18.5 };
    let _ = write!(
        out,
        "<g class=\"{class}\" transform=\"translate({x:.1} {:.1})\"><title>{}</title>\
         <rect class=\"b\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\"/>\
         <path class=\"s\" d=\"{}\"/><text class=\"l\" x=\"32\" y=\"{base}\">{}</text>",
        y - height / 2.0,
        escape(&tooltip(node)),
        sign(node.noun),
        escape(&label(node)),
    );
    if !detail.is_empty() {
        let _ = write!(out, "<text class=\"d\" x=\"32\" y=\"33\">{}</text>", escape(&detail));
    }
    out.push_str("</g>");
}

/// Returns the sign of a kind, in a field of 12 by 14 at the left of a box.
fn sign(noun: Noun) -> &'static str {
    match noun {
        // A sheet with a folded corner.
        Noun::Artifact => "M12 15h7v4h4v11h-11zM20 15l3 3h-3z",
        // A triangle that points onwards.
        Noun::Run => "M13 14.5l11 7.5l-11 7.5z",
        // Three sheets in a pile.
        Noun::Collection => "M11 14h13v4h-13zM11 20h13v4h-13zM11 26h13v4h-13z",
        // A disc.
        Noun::Record => "M18 15.5a6.5 6.5 0 1 0 .01 0z",
        // A bracket on either side.
        Noun::Transform => "M16 16l2 2l-4 4l4 4l-2 2l-6-6zM20 16l6 6l-6 6l-2-2l4-4l-4-4z",
    }
}

/// Returns the legend of what occurs, and its width.
fn legend(drawing: &Drawing) -> (String, f64) {
    let mut out = String::new();
    let mut x = 0.0;
    for noun in [Noun::Artifact, Noun::Collection, Noun::Record, Noun::Run, Noun::Transform] {
        if drawing.lineage.nodes.iter().any(|node| node.noun == noun) {
            let _ = write!(
                out,
                "<g class=\"{0}\"><path class=\"s\" transform=\"translate({1} -6) scale(.75)\" d=\"{2}\"/>\
                 <text class=\"d\" x=\"{3}\" y=\"14\">{0}</text></g>",
                noun.word(),
                x - 8.0,
                sign(noun),
                x + 14.0
            );
            x += 26.0 + 6.0 * noun.word().len() as f64;
        }
    }
    for link in [Link::Recreated, Link::Started, Link::Version, Link::Successor] {
        if drawing.lineage.edges.iter().any(|edge| edge.link == link) {
            let word = link.word();
            let _ = write!(
                out,
                "<path class=\"{}\" d=\"M{x} 10.5h20\"/><text class=\"d\" x=\"{}\" y=\"14\">{word}</text>",
                line_class(link),
                x + 26.0
            );
            x += 40.0 + 6.0 * word.len() as f64;
        }
    }
    if drawing.lineage.cut {
        let _ = write!(out, "<text class=\"d\" x=\"{x}\" y=\"14\">… the graph is larger than this</text>");
        x += 180.0;
    }
    (out, x)
}

/// Returns text without signs that mean something in markup, and without those that no document may hold.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
