//! The fields of a registry as text.

use crate::instance::Instance;
use crate::model::{self, Column, Module, Registry};

/// Fields that registries share; they come after the registry's own.
const SHARED: [&str; 6] = ["is_type", "version_tag", "is_latest", "is_locked", "created_at", "updated_at"];

impl Instance {
    /// Returns the list of the fields and relations of a registry; those of modules that the instance lacks are left
    /// out.
    pub fn registry_text(&self, registry: &'static Registry) -> String {
        let modules = self.settings().modules;
        let mut lines = vec![registry.name.to_owned(), "  Simple fields".to_owned()];
        let simple = |column: &&Column| column.to.is_none() && !column.private() && column.name != "id";
        let rank = |column: &Column| {
            let shared = SHARED.iter().position(|name| *name == column.name);
            (column.name != "uid", shared.map_or(0, |i| i + 1))
        };
        let mut columns: Vec<&Column> = registry.columns.iter().filter(simple).collect();
        columns.sort_by_key(|column| rank(column));
        lines.extend(
            columns.iter().map(|column| format!("    .{}: {}", column.name, column.kind.field_class())),
        );
        lines.push("  Relational fields".to_owned());
        let keys = registry.columns.iter().filter(|column| !column.private());
        lines.extend(
            keys.filter_map(|column| Some(format!("    .{}: {}", column.name, class(column.to?.target)))),
        );
        let (mut core, mut others) = (Vec::new(), Vec::new());
        for relation in registry.relations.iter().filter(|relation| !relation.private) {
            let line = format!("    .{}: {}", relation.name, class(relation.target));
            match model::find(relation.target).map(|target| target.module) {
                Some(Module::Lamindb) | None => core.push(line),
                Some(module) if modules.iter().any(|known| known == module.name()) => others.push(line),
                Some(_) => {}
            }
        }
        lines.extend(core);
        if !others.is_empty() {
            lines.push("  Bionty fields".to_owned());
            lines.extend(others);
        }
        lines.join("\n")
    }
}

/// Returns the name of a registry as users of the core write it: `ULabel`, `bionty.CellType`.
pub(super) fn class(name: &str) -> String {
    match model::find(name) {
        Some(registry) if registry.module != Module::Lamindb => registry.qualified_name(),
        _ => name.to_owned(),
    }
}
