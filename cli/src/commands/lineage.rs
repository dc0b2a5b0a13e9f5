use std::path::PathBuf;

use clap::{Args, ValueEnum};
use holotype::lineage::{Direction, Limits, Lineage, Walk};
use holotype::{ErrorKind, Instance, Record};

use crate::entity;
use crate::error::{Failure, Result};
use crate::link;
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;
use crate::voice::Level;

/// Registries in which a bare uid is looked for.
const SEARCHED: [&str; 5] = ["Artifact", "Collection", "Run", "Transform", "Record"];

/// Show what a dataset was made from and what was made from it
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype lineage --key results/counts.parquet
  holotype lineage 2ZSE9eBXxB3NpTeV --upstream --depth 2
  holotype lineage run fpM04qKzPpFUYqjc --format mermaid
  holotype lineage --key results/counts.parquet --format html -o lineage.html")]
pub(crate) struct LineageArgs {
    /// UID, or ENTITY and UID; without an entity, artifacts come first; also the URL of a record
    #[arg(num_args = 0..=2, value_name = "ENTITY] [UID")]
    words: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// How to show it; by default as the ending of the output file says, else as text
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Generations of data; all by default
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Only what it was made from
    #[arg(long, conflicts_with = "downstream")]
    upstream: bool,
    /// Only what was made from it
    #[arg(long)]
    downstream: bool,
    /// Draw everything, however large
    #[arg(long)]
    all: bool,
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a graph is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Svg,
    Html,
    Mermaid,
    Dot,
    Json,
}

pub(crate) fn run(ui: &mut Ui, args: &LineageArgs) -> Result<()> {
    let format = args.format.unwrap_or_else(|| implied(ui, args));
    if format != Format::Text && args.output.is_none() {
        // What is drawn goes to a file or another program as a rule.
        ui.speak_aside();
    }
    let Found { instance, record } = find(ui, args)?;
    let direction = match (args.upstream, args.downstream) {
        (true, _) => Direction::Upstream,
        (_, true) => Direction::Downstream,
        _ => Direction::Both,
    };
    let mut walk = Walk { direction, depth: args.depth, ..Walk::default() };
    if args.all {
        walk.limit = usize::MAX;
    }
    let lineage = instance.lineage(&record, &walk)?;
    let limits = if args.all { Limits::NONE } else { Limits::default() };
    let text = shown(&lineage, format, &limits);
    let Some(path) = &args.output else {
        ui.print(text.trim_end());
        return Ok(());
    };
    let target = ui.env().cwd.join(path);
    std::fs::write(&target, text)
        .map_err(|error| Failure::Told(format!("{} could not be written: {error}", target.display())))?;
    ui.say(Level::Important, format!("drew {} nodes to {}", lineage.nodes.len(), target.display()));
    Ok(())
}

/// Returns the format that is meant when none is named.
fn implied(ui: &Ui, args: &LineageArgs) -> Format {
    let ending = args.output.as_ref().and_then(|path| path.extension()).and_then(|ending| ending.to_str());
    match ending {
        Some("svg") => Format::Svg,
        Some("html" | "htm") => Format::Html,
        Some("mmd" | "md" | "mermaid") => Format::Mermaid,
        Some("dot" | "gv") => Format::Dot,
        Some("json") => Format::Json,
        _ if ui.json() => Format::Json,
        _ => Format::Text,
    }
}

fn shown(lineage: &Lineage, format: Format, limits: &Limits) -> String {
    match format {
        Format::Text => lineage.to_text(),
        Format::Svg => lineage.draw(limits),
        Format::Html => lineage.page(limits),
        Format::Mermaid => lineage.mermaid(),
        Format::Dot => lineage.dot(),
        Format::Json => format!("{:#}\n", lineage.json()),
    }
}

/// Returns the record that the words and options name.
fn find(ui: &Ui, args: &LineageArgs) -> Result<Found> {
    let uid = |uid: &str| Which { uid: Some(uid.to_owned()), ..Which::default() };
    match args.words.as_slice() {
        [] => records::find(ui, "artifact", &args.which, Scope::WithTrash),
        [entity, found] if args.which.is_empty() => records::find(ui, entity, &uid(found), Scope::WithTrash),
        [word] if !args.which.is_empty() || link::parse(word).is_some() => {
            records::find(ui, word, &args.which, Scope::WithTrash)
        }
        [word] => {
            let instance = ui.connect()?;
            let record = anywhere(&instance, word)?;
            Ok(Found { instance, record })
        }
        _ => Err(Failure::Usage("Pass a uid, or one of --uid, --key and --name, not both".to_owned())),
    }
}

/// Returns the record with a uid, whichever registry it is in.
pub(super) fn anywhere(instance: &Instance, uid: &str) -> Result<Record> {
    for name in SEARCHED {
        match instance.get_uid(entity::require(name)?, uid) {
            Err(error) if error.kind() == ErrorKind::DoesNotExist => {}
            found => return Ok(found?),
        }
    }
    Err(Failure::Told(format!(
        "No {} has a uid that starts with {uid}.",
        SEARCHED.map(str::to_lowercase).join(", ").replace(", record", " or record")
    )))
}
