use clap::Args;
use holotype::instance::Locks;
use holotype::instance::settings::{
    InstanceSettings, SettingsDir, Slot, UserSettings, cache_dir, chosen, chosen_modules, current_instance,
    dev_dir, system_dir,
};
use holotype::{Env, Instance, model};
use serde_json::{Value as Json, json};

use super::unlock;
use crate::error::Result;
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;

/// Show the current instance, the settings and the user
#[derive(Args)]
pub(crate) struct InfoArgs {
    /// List the registries and their tables instead
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &InfoArgs) -> Result<()> {
    if args.schema {
        return schema(ui);
    }
    print(ui)
}

/// Prints everything that is known without opening a database, unless artifacts are kept local; the lock of one in a
/// bucket is looked at.
pub(super) fn print(ui: &Ui) -> Result<()> {
    let about = About::of(ui.env())?;
    if ui.json() {
        ui.print_json(&about.json())
    } else {
        ui.print(about.text())
    }
    Ok(())
}

/// What there is to know of this machine and its current instance.
pub(super) struct About {
    instance: Option<AboutInstance>,
    modules: Vec<String>,
    cache: String,
    user_settings: String,
    system_settings: String,
    user: UserSettings,
}

struct AboutInstance {
    settings: InstanceSettings,
    branch: String,
    space: String,
    dev_dir: Option<String>,
    db: String,
    /// Root and host of the local storage location while artifacts are kept local; the database knows it.
    local: Option<(String, Option<String>)>,
    /// Who has the lock of a database in a bucket, or why nobody knows.
    locks: Option<Result<Locks, String>>,
}

impl About {
    pub(super) fn of(env: &Env) -> Result<About> {
        let instance =
            current_instance(env)?.map(|found| AboutInstance::of(env, found.settings)).transpose()?;
        Ok(About {
            instance,
            modules: chosen_modules(env)?,
            cache: cache_dir(env)?.display().to_string(),
            user_settings: SettingsDir::of(env).path().display().to_string(),
            system_settings: system_dir(env).display().to_string(),
            user: UserSettings::current(env)?,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        match &self.instance {
            Some(about) => about.lines(&mut lines),
            None => lines.push("Instance: None".to_owned()),
        }
        let modules = if self.modules.is_empty() { "\"\"".to_owned() } else { self.modules.join(",") };
        lines.extend([
            "Settings:".to_owned(),
            format!(" - modules: {modules}"),
            format!(" - cache: {}", self.cache),
            format!(" - user settings: {}", self.user_settings),
            format!(" - system settings: {}", self.system_settings),
            format!("User: {}", self.user.handle),
        ]);
        lines.join("\n")
    }

    fn json(&self) -> Json {
        json!({
            "instance": self.instance.as_ref().map(AboutInstance::json),
            "settings": {
                "modules": self.modules,
                "cache": self.cache,
                "user_settings": self.user_settings,
                "system_settings": self.system_settings,
            },
            "user": {
                "handle": self.user.handle,
                "uid": self.user.uid,
                "name": self.user.name,
                "email": self.user.email,
            },
        })
    }
}

impl AboutInstance {
    fn of(env: &Env, settings: InstanceSettings) -> Result<AboutInstance> {
        let slug = settings.slug();
        let name = |slot: Slot, default: &str| -> Result<String> {
            Ok(chosen(env, slot, &slug)?.map_or_else(|| default.to_owned(), |choice| choice.name))
        };
        Ok(AboutInstance {
            branch: name(Slot::Branch, "main")?,
            space: name(Slot::Space, "all")?,
            dev_dir: dev_dir(env, &slug).map(|dir| dir.display().to_string()),
            db: settings.shown_database(env)?,
            local: if settings.keep_artifacts_local { local_storage(env, &settings) } else { None },
            locks: locks(env, &settings),
            settings,
        })
    }

    fn lines(&self, lines: &mut Vec<String>) {
        let settings = &self.settings;
        let region =
            settings.storage_region.as_ref().map(|region| format!(" ({region})")).unwrap_or_default();
        let place = if settings.keep_artifacts_local { "cloud storage" } else { "storage" };
        let local = match &self.local {
            Some((root, Some(host))) => format!("{root} ({host})"),
            Some((root, None)) => root.clone(),
            None => "None".to_owned(),
        };
        let modules =
            if settings.modules.is_empty() { "set()".to_owned() } else { settings.modules.join(",") };
        lines.extend([
            format!("Instance: {}", settings.slug()),
            format!(" - branch: {}", self.branch),
            format!(" - space: {}", self.space),
            format!(" - dev-dir: {}", self.dev_dir.as_deref().unwrap_or("None")),
            "Details:".to_owned(),
        ]);
        if settings.keep_artifacts_local {
            lines.push(format!(" - local storage: {local}"));
        }
        lines.extend([
            format!(" - {place}: {}{region}", settings.storage_root),
            format!(" - db: {}", self.db),
        ]);
        match &self.locks {
            None => {}
            Some(Err(why)) => lines.push(format!(" - lock: unknown ({why})")),
            Some(Ok(locks)) if locks.holders.is_empty() => lines.push(" - lock: free".to_owned()),
            Some(Ok(locks)) => {
                lines
                    .extend(locks.holders.iter().map(|holder| format!(" - lock: {}", unlock::state(holder))));
            }
        }
        if let Some(Ok(Locks { unsent: true, .. })) = &self.locks {
            lines.push(" - changes that are not in the cloud yet: yes".to_owned());
        }
        lines.extend([
            format!(" - modules: {modules}"),
            format!(" - git_repo: {}", settings.git_repo.as_deref().unwrap_or("None")),
        ]);
    }

    fn json(&self) -> Json {
        let settings = &self.settings;
        json!({
            "slug": settings.slug().to_string(),
            "id": settings.id,
            "uid": settings.uid(),
            "branch": self.branch,
            "space": self.space,
            "dev_dir": self.dev_dir,
            "storage": settings.storage_root,
            "region": settings.storage_region,
            "local_storage": self.local.as_ref().map(|(root, _)| root),
            "db": self.db,
            "lock": self.locks.as_ref().and_then(|locks| locks.as_ref().ok()).map(unlock::all),
            "modules": settings.modules,
            "git_repo": settings.git_repo,
            "keep_artifacts_local": settings.keep_artifacts_local,
        })
    }
}

/// Returns who has the lock of a database in a bucket. A bucket out of reach is no reason to wait: it is asked once.
fn locks(env: &Env, settings: &InstanceSettings) -> Option<Result<Locks, String>> {
    let vars = env.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    let hasty = env.clone().with_vars(vars.chain([("AWS_MAX_ATTEMPTS".to_owned(), "1".to_owned())]));
    Locks::find(&hasty, settings).map_err(|error| error.message().to_owned()).transpose()
}

/// Returns root and host of the local storage location that new content goes to; nothing when it is out of reach.
fn local_storage(env: &Env, settings: &InstanceSettings) -> Option<(String, Option<String>)> {
    let silent = env.clone().with_voice(|_| {});
    let storage = Instance::connect(&silent, settings).and_then(|instance| instance.local_storage()).ok()?;
    Some((storage.text("root")?.to_owned(), storage.text("region").map(str::to_owned)))
}

/// Lists the registries, as the catalogue declares them.
fn schema(ui: &Ui) -> Result<()> {
    let registries: Vec<_> = model::all().iter().filter(|registry| !registry.traits.link).collect();
    if ui.json() {
        let rows = registries.iter().map(|registry| {
            json!({
                "registry": registry.qualified_name(),
                "table": registry.table,
                "fields": registry.available_fields(),
                "doc": registry.doc,
            })
        });
        ui.print_json(&rows.collect());
        return Ok(());
    }
    let column = |name: &str, cell: &dyn Fn(&model::Registry) -> String| SheetColumn {
        name: name.to_owned(),
        cells: registries.iter().map(|registry| cell(registry)).collect(),
        number: false,
    };
    let sheet = Sheet::new(vec![
        column("registry", &|registry| registry.qualified_name()),
        column("table", &|registry| registry.table.to_owned()),
        column("holds", &|registry| registry.doc.to_owned()),
    ]);
    ui.print(sheet.fit(ui.width()).0);
    Ok(())
}
