use clap::Args;
use holotype::Timestamp;
use holotype::care::{Depth, Finding, Remedy, State, Step};
use serde_json::json;

use super::verify::{DepthArgs, count, verify};
use crate::error::{Failure, Result};
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;
use crate::voice::Level;

/// A temporary name that no process holds is left behind when nobody has touched it for so long.
const ABANDONED_MINUTES: i64 = 10;

/// Put right what is wrong with stored content
///
/// Finishes what killed processes began, fetches damaged or missing content from the cache, from quarantine or from another
/// artifact that holds the same bytes, and marks what is lost, so that nobody reads it. Every byte is read before, unless
/// --fast or --sample is given, and every copy before it is used.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype repair --dry-run               what would be done?
  holotype repair
  holotype repair --fast key__startswith=raw/")]
pub(crate) struct RepairArgs {
    /// Only show what would be done
    #[arg(long, visible_alias = "plan")]
    dry_run: bool,
    #[command(flatten)]
    depth: DepthArgs,
    /// Conditions on the artifacts, as `holotype list --filter` takes them
    #[arg(value_name = "FIELD=VALUE")]
    query: Vec<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &RepairArgs) -> Result<()> {
    let instance = ui.connect()?;
    let found = verify(&instance, &args.query, args.depth.depth().unwrap_or(Depth::Full))?;
    let before = Timestamp(ui.env().now().0 - ABANDONED_MINUTES * 60_000_000);
    let plan = instance.plan_repair(&found, before)?;
    let lost = plan.lost();
    let left_alone = left_alone(&found.wrong);
    if args.dry_run {
        if ui.json() {
            ui.print_json(&json!({"plan": plan.steps.iter().map(Step::json).collect::<Vec<_>>()}));
        } else if !plan.is_empty() {
            show(ui, &plan.steps);
        }
        ui.say(
            Level::Important,
            match plan.is_empty() {
                true => format!("verified {}: nothing to repair", count(found.checked, "artifact")),
                false => format!("would take {}; nothing was changed", count(plan.steps.len(), "step")),
            },
        );
        if let Some(text) = left_alone {
            ui.say(Level::Warning, text);
        }
        return Ok(());
    }
    let repaired = plan.apply(&instance)?;
    let stay: Vec<Step> = plan.steps.iter().filter(|step| step.remedy == Remedy::Leave).cloned().collect();
    if ui.json() {
        let failed = repaired.failed.iter().map(|(step, why)| {
            let mut step = step.json();
            step["error"] = why.as_str().into();
            step
        });
        ui.print_json(&json!({
            "done": repaired.done.iter().map(Step::json).collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "left": stay.iter().map(Step::json).collect::<Vec<_>>(),
        }));
    } else if !(repaired.done.is_empty() && stay.is_empty()) {
        show(ui, &[repaired.done.as_slice(), stay.as_slice()].concat());
    }
    for (step, why) in &repaired.failed {
        ui.say(Level::Warning, format!("{} {}: {why}", step.remedy.name(), step.path.display()));
    }
    if lost > 0 {
        ui.say(
            Level::ImportantHint,
            "content without a copy yields no bytes until the same source is saved again, or the file is put back",
        );
    }
    let summary = format!("took {}", count(repaired.done.len(), "step"));
    match (lost, repaired.failed.len()) {
        (0, 0) if plan.is_empty() => {
            let artifacts = count(found.checked, "artifact");
            ui.say(Level::Important, format!("verified {artifacts}: nothing to repair"));
        }
        (0, 0) => ui.say(Level::Important, summary),
        (lost, 0) => {
            return Err(Failure::Told(format!(
                "{summary}; no copy was found of {}",
                count(lost, "artifact")
            )));
        }
        (_, failed) => return Err(Failure::Told(format!("{summary}, {failed} failed"))),
    }
    left_alone.map_or(Ok(()), |text| Err(Failure::Told(text)))
}

/// Returns what to say of artifacts that could not be looked at: nobody knows whether they need anything.
fn left_alone(wrong: &[Finding]) -> Option<String> {
    let out_of_reach = wrong.iter().filter(|finding| finding.state == State::Unreachable);
    let first = out_of_reach.clone().next()?;
    let artifacts = count(out_of_reach.count(), "artifact");
    Some(format!("{artifacts} could not be reached: {}", first.detail))
}

fn show(ui: &Ui, steps: &[Step]) {
    let column = |name: &str, cell: &dyn Fn(&Step) -> String| SheetColumn {
        name: name.to_owned(),
        cells: steps.iter().map(cell).collect(),
        number: false,
    };
    let artifact = |step: &Step, field: &str| {
        step.artifact.as_ref().and_then(|row| row.text(field)).unwrap_or_default().to_owned()
    };
    let from = |step: &Step| match &step.remedy {
        Remedy::Restore { from, .. } => from.display().to_string(),
        _ => String::new(),
    };
    let sheet = Sheet::new(vec![
        column("step", &|step| step.remedy.name().to_owned()),
        column("uid", &|step| artifact(step, "uid")),
        column("key", &|step| artifact(step, "key")),
        column("reason", &|step| step.reason.clone()),
        column("path", &|step| step.path.display().to_string()),
        column("from", &from),
    ]);
    ui.print(sheet.fit(ui.width()).0);
}
