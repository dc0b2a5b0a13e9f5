//! The list of registries, resolved once.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::bionty::{anatomy, molecule, organism, source, term};
use super::declare::{self, Declaration};
use super::draft::{self, Draft, Ends, text};
use super::{Column, Kind, Registry, Relation, ToOne, Via, nearest};
use super::{artifact, block, branch, collection, feature, project, record, reference, run};
use super::{schema, space, storage, transform, ulabel, user};
use crate::error::{Error, Result};

/// Every declared registry; the link tables that relations imply follow from them.
static DECLARATIONS: &[&Declaration] = &[
    &space::SPACE,
    &branch::BRANCH,
    &branch::BRANCH_USER,
    &user::MIGRATION,
    &user::USER,
    &run::RUN,
    &run::RUN_ARTIFACT,
    &run::RUN_RECORD,
    &storage::STORAGE,
    &transform::TRANSFORM,
    &transform::TRANSFORM_TRANSFORM,
    &transform::TRANSFORM_RECORD,
    &feature::FEATURE,
    &feature::JSON_VALUE,
    &schema::SCHEMA,
    &schema::SCHEMA_COMPONENT,
    &ulabel::ULABEL,
    &artifact::ARTIFACT,
    &artifact::ARTIFACT_SCHEMA,
    &artifact::ARTIFACT_RUN,
    &artifact::ARTIFACT_ARTIFACT,
    &collection::COLLECTION,
    &collection::COLLECTION_ULABEL,
    &record::RECORD,
    &record::RECORD_JSON,
    &reference::REFERENCE,
    &reference::REFERENCE_RECORD,
    &project::PROJECT,
    &project::PROJECT_USER,
    &project::PROJECT_RECORD,
    &block::BLOCK,
    &block::RECORD_BLOCK,
    &block::ARTIFACT_BLOCK,
    &block::TRANSFORM_BLOCK,
    &block::RUN_BLOCK,
    &block::COLLECTION_BLOCK,
    &block::SCHEMA_BLOCK,
    &block::FEATURE_BLOCK,
    &block::PROJECT_BLOCK,
    &block::SPACE_BLOCK,
    &block::ULABEL_BLOCK,
    &block::BRANCH_BLOCK,
    &source::SOURCE,
    &organism::ORGANISM,
    &molecule::GENE,
    &molecule::PROTEIN,
    &molecule::CELL_MARKER,
    &anatomy::TISSUE,
    &anatomy::CELL_TYPE,
    &anatomy::CELL_LINE,
    &anatomy::DEVELOPMENTAL_STAGE,
    &term::DISEASE,
    &term::PHENOTYPE,
    &term::PATHWAY,
    &term::EXPERIMENTAL_FACTOR,
    &term::ETHNICITY,
];

struct Catalog {
    registries: Vec<Registry>,
    by_name: HashMap<&'static str, usize>,
}

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let registries = resolve();
        let by_name = registries.iter().enumerate().map(|(i, registry)| (registry.name, i)).collect();
        Catalog { registries, by_name }
    })
}

/// Returns every registry and link table, each declared one followed by the link tables that it implies.
pub fn all() -> &'static [Registry] {
    &catalog().registries
}

/// Returns a registry by `Artifact`, `lamindb.Artifact` or `bionty.CellType`.
pub fn find(name: &str) -> Option<&'static Registry> {
    let (module, name) = match name.split_once('.') {
        Some((module, name)) => (Some(module), name),
        None => (None, name),
    };
    let catalog = catalog();
    let registry = &catalog.registries[*catalog.by_name.get(name)?];
    module.is_none_or(|module| module == registry.module.name()).then_some(registry)
}

/// Returns a registry by name.
///
/// # Errors
/// [`crate::ErrorKind::Field`] with the nearest name and all valid ones when there is none.
pub fn require(name: &str) -> Result<&'static Registry> {
    find(name).ok_or_else(|| {
        let mut names: Vec<&str> =
            all().iter().filter(|registry| !registry.traits.link).map(|registry| registry.name).collect();
        names.sort_unstable();
        let bare = name.rsplit('.').next().unwrap_or(name);
        let guess = match nearest(bare, names.iter().copied()) {
            Some(guess) => format!(" Did you mean '{guess}'?"),
            None => String::new(),
        };
        Error::field(format!("Registry '{name}' not found.{guess} Valid names: {}", names.join(", ")))
    })
}

/// Returns all registries with their columns, relations and look-up tables.
fn resolve() -> Vec<Registry> {
    let mut drafts: Vec<Draft> = Vec::with_capacity(160);
    for declaration in DECLARATIONS {
        let draft = draft::declared(declaration);
        let implied = draft.implied();
        drafts.push(draft);
        drafts.extend(implied);
    }
    let positions: HashMap<&str, usize> =
        drafts.iter().enumerate().map(|(i, draft)| (draft.name, i)).collect();
    let keys: Vec<Kind> = drafts
        .iter()
        .map(|draft| draft.fields.iter().find(|field| field.name == "id").map_or(Kind::Int, |id| id.kind))
        .collect();
    let key_of = |target: &str| positions.get(target).map_or(Kind::Int, |i| keys[*i]);
    let mut relations: Vec<Vec<Relation>> = drafts.iter().map(own_relations).collect();
    for draft in &drafts {
        for (target, relation) in ways_back(draft) {
            if let Some(i) = positions.get(target) {
                relations[*i].push(relation);
            }
        }
    }
    drafts
        .into_iter()
        .zip(relations)
        .map(|(draft, relations)| registry(&draft, columns(&draft, key_of), relations))
        .collect()
}

/// Returns plain fields, then foreign keys, each in the order of declaration, as tables show them.
fn columns(draft: &Draft, key_of: impl Fn(&str) -> Kind) -> Vec<Column> {
    let plain = draft.fields.iter().map(|field| Column {
        name: field.name,
        column: field.name,
        kind: field.kind,
        null: field.null,
        unique: field.unique,
        indexed: field.indexed,
        prefixes: field.prefixes,
        default: field.default,
        db_default: field.db_default,
        words: field.words,
        to: None,
        doc: field.doc,
    });
    let keys = draft.relations.iter().filter(|relation| relation.link.is_none()).map(|relation| Column {
        name: relation.name,
        column: text(&[relation.name, "_id"]),
        kind: key_of(relation.target),
        null: relation.null,
        unique: relation.one_to_one,
        indexed: relation.indexed,
        prefixes: false,
        default: relation.default,
        db_default: relation.db_default,
        words: &[],
        to: Some(ToOne {
            target: relation.target,
            on_delete: relation.on_delete,
            reverse: relation.back,
            one_to_one: relation.one_to_one,
        }),
        doc: relation.doc,
    });
    plain.chain(keys).collect()
}

fn relation(name: &'static str, target: &'static str, via: Via, doc: &'static str) -> Relation {
    Relation { name, target, via, private: hidden(name), doc }
}

/// Returns true for accessors that stay out of lists.
fn hidden(name: &str) -> bool {
    name.starts_with('_') || name.starts_with("links_")
}

fn own_relations(draft: &Draft) -> Vec<Relation> {
    let many = draft.many().map(|(declared, ends)| {
        let (near, far) = (text(&[ends.near, "_id"]), text(&[ends.far, "_id"]));
        relation(
            declared.name,
            declared.target,
            Via::Link { registry: ends.registry, near, far },
            declared.doc,
        )
    });
    many.collect()
}

/// Returns the relations that lead back to `draft`, with the registries that they start from.
fn ways_back(draft: &Draft) -> Vec<(&'static str, Relation)> {
    let back = |(declared, ends): (&declare::Relation, &Option<Ends>)| {
        let name = declared.back?;
        let via = match ends {
            Some(Ends { registry, near, far }) => {
                Via::Link { registry, near: text(&[far, "_id"]), far: text(&[near, "_id"]) }
            }
            None => Via::Foreign { column: text(&[declared.name, "_id"]) },
        };
        let doc = match ends {
            _ if hidden(name) => "Rows that point at this record.",
            Some(_) => text(&["Each `", draft.name, "` whose `", declared.name, "` include this record."]),
            None => text(&["Each `", draft.name, "` whose `", declared.name, "` is this record."]),
        };
        Some((declared.target, relation(name, draft.name, via, doc)))
    };
    draft.relations.iter().zip(&draft.ends).filter_map(back).collect()
}

fn registry(draft: &Draft, columns: Vec<Column>, relations: Vec<Relation>) -> Registry {
    let find = |name: &str| columns.iter().find(|column| column.name == name);
    let uid_len = match find("uid").map(|uid| uid.kind) {
        Some(Kind::Char(len)) => usize::from(len),
        _ => 0,
    };
    let if_present = |name: &'static str| find(name).map(|column| column.name);
    Registry {
        name: draft.name,
        module: draft.module,
        table: draft.table,
        doc: draft.doc,
        traits: draft.traits,
        uniques: draft.uniques.clone(),
        checks: draft.checks,
        name_field: draft.name_field.or_else(|| if_present("name")),
        ontology_id_field: draft.ontology_id_field.or_else(|| if_present("ontology_id")),
        aliases: draft.aliases.clone(),
        // The last four characters of a versioned uid are the version.
        stem_len: if draft.traits.versioned { uid_len.saturating_sub(4) } else { uid_len },
        columns,
        relations,
    }
}
