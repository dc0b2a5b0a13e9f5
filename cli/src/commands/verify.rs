use clap::Args;
use holotype::Instance;
use holotype::care::{Depth, Finding, Verification};
use holotype::describe::format_size;
use serde_json::{Value as Json, json};

use super::list::condition;
use crate::error::{Failure, Result};
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;
use crate::voice::Level;

/// Check that stored content is all there and right
///
/// Every artifact is looked at, those in the trash and on other branches too. Ends with code 1 when anything is wrong.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype verify                         everything is there and has its size
  holotype verify --full                  and every byte is the one that was saved
  holotype verify --sample 100            and every byte of 100 artifacts picked at random
  holotype verify --full key__startswith=raw/ created_at__gte=2026-01-01")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    depth: DepthArgs,
    /// Conditions on the artifacts, as `holotype list --filter` takes them
    #[arg(value_name = "FIELD=VALUE")]
    query: Vec<String>,
}

/// How thoroughly to look.
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct DepthArgs {
    /// Compare existence and sizes
    #[arg(long)]
    fast: bool,
    /// Also read and compare every byte of N artifacts picked at random
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Read and compare every byte
    #[arg(long)]
    full: bool,
}

impl DepthArgs {
    /// Returns the depth that is asked for, if any is.
    pub(super) fn depth(&self) -> Option<Depth> {
        match (self.fast, self.sample, self.full) {
            (_, Some(n), _) => Some(Depth::Sample(n)),
            (_, _, true) => Some(Depth::Full),
            (true, ..) => Some(Depth::Fast),
            _ => None,
        }
    }
}

pub(crate) fn run(ui: &mut Ui, args: &VerifyArgs) -> Result<()> {
    let instance = ui.connect()?;
    let found = verify(&instance, &args.query, args.depth.depth().unwrap_or(Depth::Fast))?;
    if ui.json() {
        ui.print_json(&json(&found));
    } else if !found.is_sound() {
        let (text, _) = sheet(&found.wrong).fit(ui.width());
        ui.print(text);
    }
    if found.is_sound() {
        ui.say(Level::Important, summary(&found));
        return Ok(());
    }
    let program = ui.program().name();
    ui.say(Level::ImportantHint, format!("what can be done about it: {program} repair --dry-run"));
    Err(Failure::Told(summary(&found)))
}

/// Compares the content of the artifacts that all conditions name.
pub(super) fn verify(instance: &Instance, query: &[String], depth: Depth) -> Result<Verification> {
    let conditions = query.iter().map(|text| condition(text)).collect::<Result<Vec<_>>>()?;
    let artifacts = instance.registry("Artifact")?.filter(holotype::Q::And(conditions))?;
    Ok(instance.verify(&artifacts, depth)?)
}

/// Returns what was looked at, and how much of it is wrong.
fn summary(found: &Verification) -> String {
    let artifacts = count(found.checked, "artifact");
    let read = match found.read {
        0 => "no content read".to_owned(),
        n if n == found.checked => format!("{} read", format_size(found.bytes as i64)),
        n => format!("{n} of them read, {}", format_size(found.bytes as i64)),
    };
    let wrong = match found.wrong.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 is wrong".to_owned(),
        n => format!("{n} are wrong"),
    };
    let old = match found.overwritten {
        0 => String::new(),
        n => format!(", {} overwritten as usual", count(n, "older version")),
    };
    format!("verified {artifacts} ({read}): {wrong}{old}")
}

/// Returns a number and a noun.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn sheet(wrong: &[Finding]) -> Sheet {
    let text = |field: &str, finding: &Finding| finding.artifact.text(field).unwrap_or_default().to_owned();
    let column = |name: &str, cell: &dyn Fn(&Finding) -> String| SheetColumn {
        name: name.to_owned(),
        cells: wrong.iter().map(cell).collect(),
        number: false,
    };
    Sheet::new(vec![
        column("uid", &|finding| text("uid", finding)),
        column("state", &|finding| finding.state.name().to_owned()),
        column("key", &|finding| text("key", finding)),
        column("detail", &|finding| finding.detail.clone()),
        column("path", &|finding| finding.path.display().to_string()),
    ])
}

fn json(found: &Verification) -> Json {
    let wrong: Vec<Json> = found
        .wrong
        .iter()
        .map(|finding| {
            json!({
                "uid": finding.artifact.uid(),
                "key": finding.artifact.text("key"),
                "state": finding.state.name(),
                "detail": finding.detail,
                "path": finding.path,
                "read": finding.read,
            })
        })
        .collect();
    json!({
        "checked": found.checked,
        "read": found.read,
        "bytes": found.bytes,
        "overwritten": found.overwritten,
        "wrong": wrong,
    })
}
