use clap::Args;
use holotype::Timestamp;
use holotype::care::{Collect, CollectPlan, Outgoing, Quarantined, Unused};
use holotype::describe::format_size;
use serde_json::{Value as Json, json};

use super::verify::count;
use crate::error::{Failure, Result};
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;
use crate::voice::Level;

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// Find what no artifact uses, and what has been in the trash for long
///
/// Environments, reports and logs of deleted runs are found as well, once nothing names them any more. Without --apply
/// nothing is changed. What is collected moves to a quarantine folder below .lamindb, from where `holotype repair` takes it
/// back when it turns out to be needed; --purge empties the quarantine.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype gc                             what would be collected?
  holotype gc --apply                     move it to quarantine
  holotype gc --purge                     remove for good what is in quarantine
  holotype gc --older-than 1 --trash-days 7")]
pub(crate) struct GcArgs {
    /// Only show what would be done; the default
    #[arg(long, visible_alias = "plan", conflicts_with_all = ["apply", "purge"])]
    dry_run: bool,
    /// Move what was found to quarantine, and delete the rows of old trash
    #[arg(long)]
    apply: bool,
    /// Remove for good what is in quarantine
    #[arg(long)]
    purge: bool,
    /// Leave alone what was touched in the last HOURS: a running save may still enter it
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    older_than: u32,
    /// Leave alone what was trashed in the last DAYS
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    trash_days: u32,
    /// Do not ask before removing for good
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &GcArgs) -> Result<()> {
    let instance = ui.connect()?;
    let now = ui.env().now().0;
    if args.apply || !args.purge {
        let plan = instance.plan_collect(Collect {
            unused_before: Timestamp(now - i64::from(args.older_than) * HOUR),
            trashed_before: Some(Timestamp(now - i64::from(args.trash_days) * 24 * HOUR)),
        })?;
        if !args.apply {
            show(ui, &plan, &instance.quarantined()?);
            return Ok(());
        }
        let collected = plan.apply(&instance)?;
        for (path, why) in &collected.failed {
            ui.say(Level::Warning, format!("{}: {why}", path.display()));
        }
        let (moved, size) = (count(collected.moved, "item"), format_size(collected.bytes as i64));
        let text = format!(
            "moved {moved} ({size}) to quarantine, deleted {} from the trash{}",
            count(collected.deleted, "artifact"),
            of_runs(collected.unnamed, collected.documents)
        );
        if ui.json() && !args.purge {
            ui.print_json(&json!({
                "moved": collected.moved,
                "bytes": collected.bytes,
                "deleted": collected.deleted,
                "unnamed": collected.unnamed,
                "documents": collected.documents,
                "failed": collected.failed.iter().map(|(path, why)| json!({"path": path, "error": why}))
                    .collect::<Vec<_>>(),
            }));
        }
        match collected.failed.len() {
            0 => ui.say(Level::Important, text),
            n => return Err(Failure::Told(format!("{text}; {n} failed"))),
        }
    }
    if args.purge {
        purge(ui, &instance, args.force)?;
    }
    Ok(())
}

fn purge(ui: &mut Ui, instance: &holotype::Instance, force: bool) -> Result<()> {
    let held = instance.quarantined()?;
    let bytes: u64 = held.iter().map(|one| one.size).sum();
    let batches = format!("{} ({})", count(held.len(), "collection"), format_size(bytes as i64));
    if !held.is_empty() && !force && !ui.confirm(&format!("Remove {batches} for good? (y/n) "))? {
        return Err(Failure::Aborted);
    }
    instance.purge(&held)?;
    if ui.json() {
        ui.print_json(&json!({"purged": held.len(), "bytes": bytes}));
    }
    ui.say(Level::Important, format!("removed {batches} from quarantine"));
    Ok(())
}

fn show(ui: &Ui, plan: &CollectPlan, held: &[Quarantined]) {
    if ui.json() {
        ui.print_json(&json!({
            "unused": plan.unused.iter().map(json_unused).collect::<Vec<_>>(),
            "young": plan.young.iter().map(json_unused).collect::<Vec<_>>(),
            "trash": plan.trash.iter().map(|trashed| json!({
                "uid": trashed.artifact.uid(),
                "key": trashed.artifact.text("key"),
                "path": trashed.path,
                "content": trashed.content,
            })).collect::<Vec<_>>(),
            "unnamed": plan.unnamed.iter().map(|outgoing| json!({
                "uid": outgoing.artifact.uid(),
                "description": outgoing.artifact.text("description"),
                "path": outgoing.path,
            })).collect::<Vec<_>>(),
            "documents": plan.documents.iter().map(|document| json!({
                "digest": document.digest, "bytes": document.size,
            })).collect::<Vec<_>>(),
            "kept": plan.kept.iter().map(|(row, why)| json!({"uid": row.uid(), "reason": why})).collect::<Vec<_>>(),
            "quarantine": held.iter().map(|one| json!({
                "root": one.root, "key": one.key, "bytes": one.size, "since": one.since.to_iso(),
            })).collect::<Vec<_>>(),
        }));
        return;
    }
    if !(plan.unused.is_empty() && plan.trash.is_empty() && plan.unnamed.is_empty()) {
        let unused = plan.unused.iter().map(|unused| {
            [
                unused.kind.name().to_owned(),
                format_size(unused.size as i64),
                unused.since.to_display(),
                unused.place(),
            ]
        });
        let trash = plan
            .trash
            .iter()
            .map(|trashed| outgoing(trashed, if trashed.content { "trash" } else { "trash, row only" }));
        let unnamed = plan.unnamed.iter().map(|unnamed| outgoing(unnamed, "of a deleted run"));
        let rows: Vec<[String; 4]> = unused.chain(trash).chain(unnamed).collect();
        let names = ["what", "size", "untouched since", "path"];
        let columns = names.into_iter().enumerate().map(|(i, name)| SheetColumn {
            name: name.to_owned(),
            cells: rows.iter().map(|row| row[i].clone()).collect(),
            number: i == 1,
        });
        ui.print(Sheet::new(columns.collect()).fit(ui.width()).0);
    }
    for (row, why) in &plan.kept {
        ui.say(Level::Warning, format!("artifact {} stays in the trash: {why}", row.uid()));
    }
    let size = format_size(plan.bytes() as i64);
    let found = match plan.is_empty() {
        true => "nothing to collect".to_owned(),
        false => format!(
            "would move {} ({size}) to quarantine and delete {} from the trash{}; nothing was changed",
            count(plan.unused.len(), "unused item"),
            count(plan.trash.len(), "artifact"),
            of_runs(plan.unnamed.len(), plan.documents.len())
        ),
    };
    let young = match plan.young.len() {
        0 => String::new(),
        n => format!(" ({} too young or in use)", count(n, "item")),
    };
    ui.say(Level::Important, format!("{found}{young}"));
    if !held.is_empty() {
        let bytes: u64 = held.iter().map(|one| one.size).sum();
        let text =
            format!("in quarantine: {} ({})", count(held.len(), "collection"), format_size(bytes as i64));
        ui.say(Level::ImportantHint, text);
    }
}

/// Returns the row of an artifact that would go.
fn outgoing(outgoing: &Outgoing, what: &str) -> [String; 4] {
    let since = outgoing.artifact.moment("updated_at").map(|moment| moment.to_display());
    let size = format_size(outgoing.artifact.int("size").unwrap_or(0));
    [what.to_owned(), size, since.unwrap_or_default(), outgoing.path.display().to_string()]
}

/// Returns the part of a sentence that tells of what deleted runs have left; nothing where that is nothing.
fn of_runs(artifacts: usize, documents: usize) -> String {
    match (artifacts, documents) {
        (0, 0) => String::new(),
        _ => format!(" and {}, {} of deleted runs", count(artifacts, "file"), count(documents, "document")),
    }
}

fn json_unused(unused: &Unused) -> Json {
    json!({
        "path": unused.place(),
        "what": unused.kind.name(),
        "bytes": unused.size,
        "since": unused.since.to_iso(),
        "in_use": unused.in_use,
    })
}
