use clap::Args;
use holotype::instance::settings::{find_by_identifier, load_by_identifier};
use holotype::{Instance, InstanceDeletion, Record};
use serde_json::json;

use crate::entity;
use crate::error::{Failure, Result};
use crate::link;
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;
use crate::voice::Level;

/// Move a record to the trash, or delete a record or an instance for good
///
/// Deleting a record that is in the trash already deletes it for good, after a question.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype delete artifact --key raw/cells.parquet
  holotype delete artifact --uid 2ZSE9eBX --permanent
  holotype delete ulabel --name 'draft'
  holotype delete ada/atlas                 an instance, once nothing is left in its storage")]
pub(crate) struct DeleteArgs {
    /// artifact, collection, transform, … or owner/name of an instance
    entity: String,
    #[command(flatten)]
    which: Which,
    /// Instance, as release 1.9 named it
    #[arg(long, hide = true)]
    slug: Option<String>,
    /// Delete for good instead of moving to the trash
    #[arg(long)]
    permanent: bool,
    /// Answer every question with yes
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &DeleteArgs) -> Result<()> {
    if let Some(identifier) = instance_identifier(ui, args)? {
        return delete_instance(ui, &identifier, args.force);
    }
    let Found { instance, mut record } = records::find(ui, &args.entity, &args.which, Scope::WithTrash)?;
    refuse_built_in(&record)?;
    let branch_aware = record.registry().traits.branch_aware && record.registry().name != "Storage";
    if branch_aware && !args.permanent {
        if !record.is_trashed() {
            instance.trash(&mut record)?;
            return answer(ui, &record, "trashed");
        }
        let question = format!(
            "{} {} is already in trash! Are you sure you want to delete it from your database? You can't undo this \
             action. (y/n) ",
            record.registry().name,
            record.uid()
        );
        if !args.force && !ui.confirm(&question)? {
            return Err(Failure::Aborted);
        }
    }
    let gone = record.clone();
    match record.registry().name {
        "Artifact" => delete_artifact(ui, &instance, &record, args.force)?,
        "Storage" => instance.delete_storage(&record)?,
        _ => delete_record(ui, &instance, &mut record, args.force)?,
    }
    ui.say(
        Level::Important,
        format!("deleted {}: {}", entity::noun(gone.registry()), records::caption(&gone)),
    );
    answer(ui, &gone, "deleted")
}

fn answer(ui: &Ui, record: &Record, state: &str) -> Result<()> {
    if ui.json() {
        ui.print_json(&json!({state: records::json(record)}));
    }
    Ok(())
}

/// Returns the instance to delete, if it is one that is meant.
fn instance_identifier(ui: &Ui, args: &DeleteArgs) -> Result<Option<String>> {
    let entity = args.entity.as_str();
    if entity == "instance" {
        let named = args.slug.clone().or_else(|| args.which.name.clone());
        return named
            .map(Some)
            .ok_or_else(|| Failure::Usage("Pass --name owner/name of the instance".to_owned()));
    }
    if let Some(slug) = &args.slug {
        return Ok(Some(slug.clone()));
    }
    if link::parse(entity).is_some() || entity::find(entity).is_some() {
        return Ok(None);
    }
    let named =
        entity.contains('/') || (args.which.is_empty() && find_by_identifier(ui.env(), entity)?.is_some());
    Ok(named.then(|| entity.to_owned()))
}

/// Branches and spaces that every instance has stay.
fn refuse_built_in(record: &Record) -> Result<()> {
    let built_in =
        matches!(record.registry().name, "Branch" | "Space") && record.id().is_some_and(|id| id <= 1);
    if !built_in {
        return Ok(());
    }
    let (noun, name) = (record.registry().name, record.text("name").unwrap_or_default());
    Err(Failure::Told(format!("{noun} '{name}' is part of every instance and cannot be deleted")))
}

fn delete_artifact(ui: &mut Ui, instance: &Instance, record: &Record, force: bool) -> Result<()> {
    let plan = instance.plan_artifact_delete(record, None)?;
    let content = match plan.question {
        true if !force => ui.confirm(&format!(
            "Do you ALSO want to delete the data in storage at {}? (y/n) You can't undo this action. ",
            plan.path.display()
        ))?,
        _ => true,
    };
    Ok(instance.apply_artifact_delete(&plan, content)?)
}

/// Deletes a row, after a question when other records would go with it.
fn delete_record(ui: &mut Ui, instance: &Instance, record: &mut Record, force: bool) -> Result<()> {
    let ids: Vec<i64> = record.id().into_iter().collect();
    let (rows, by_registry) = instance.plan_delete(record.registry(), &ids)?.counts();
    if rows > 1 && !force {
        let own = record.registry().qualified_name();
        let others: Vec<String> = by_registry
            .iter()
            .map(|(name, n)| (name, if *name == own { n - 1 } else { *n }))
            .filter(|(_, n)| *n > 0)
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        let question = format!("This also deletes {}. Do you want to continue? (y/n) ", others.join(", "));
        if !ui.confirm(&question)? {
            return Err(Failure::Aborted);
        }
    }
    instance.delete(record)?;
    Ok(())
}

fn delete_instance(ui: &mut Ui, identifier: &str, force: bool) -> Result<()> {
    let settings = load_by_identifier(ui.env(), identifier)?;
    let slug = settings.slug();
    if !force && !ui.confirm(&format!("Are you sure you want to delete instance {slug}? (y/n) "))? {
        return Err(Failure::Aborted);
    }
    InstanceDeletion::plan(ui.env(), &settings)?.apply(ui.env(), true)?;
    ui.say(Level::Important, format!("deleted instance: {slug}"));
    if ui.json() {
        ui.print_json(&json!({"deleted": slug.to_string()}));
    }
    Ok(())
}
