//! The registries: what is declared once, and what is derived from it.
//!
//! A declaration is const data in `model/<registry>.rs`. The [`catalog`] resolves all of them once into
//! [`Registry`] values, with physical columns, both directions of every relation and the link tables that
//! relations imply. Everything else (DDL, look-ups, faces) reads registries and never names a field twice.

mod annotation;
mod artifact;
mod bionty;
mod block;
mod branch;
pub mod catalog;
mod collection;
mod declare;
mod draft;
mod feature;
mod mixins;
mod nearest;
mod project;
mod record;
mod reference;
mod run;
mod schema;
mod space;
mod storage;
mod transform;
mod ulabel;
mod user;

pub use crate::value::Kind;
pub use annotation::{Annotation, PlainValues, annotations, annotations_held, plain_values};
pub use catalog::{all, find, require};
pub use nearest::nearest;

/// Where a registry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Module {
    /// The core registries.
    Lamindb,
    /// The ontology registries.
    Bionty,
}

impl Module {
    /// Returns the name as the format spells it.
    pub fn name(self) -> &'static str {
        match self {
            Module::Lamindb => "lamindb",
            Module::Bionty => "bionty",
        }
    }
}

/// What a field of a new record holds when nothing is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// Nothing; required unless the field may be null.
    None,
    /// A flag.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'static str),
    /// The JSON literal null (written as SQL NULL by this engine).
    JsonNull,
    /// The present moment.
    Now,
    /// So many random base62 characters.
    Uid(u8),
    /// A uid derived from the ontology id or the name.
    OntologyUid,
    /// The id of the current user.
    CurrentUser,
    /// The id of the run that is being tracked, if any.
    CurrentRun,
}

/// What happens to a record when the one it points at is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The deletion is refused.
    Protect,
}

/// A name that users write, and the field or path that it means.
pub type Alias = (&'static str, &'static str);

/// A word that users write, and the code that the database holds for it.
pub type Word = (&'static str, i64);

/// The end of a foreign key.
#[derive(Clone, Copy, Debug)]
pub struct ToOne {
    /// Name of the target registry, such as `Storage`.
    pub target: &'static str,
    /// What deleting the target does.
    pub on_delete: OnDelete,
    /// Name of the way back on the target, if there is one.
    pub reverse: Option<&'static str>,
    /// True when at most one record may point at a target.
    pub one_to_one: bool,
}

/// One physical column of a registry.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name in look-ups: `storage`, `key`.
    pub name: &'static str,
    /// Name in the database: `storage_id`, `key`.
    pub column: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// May be null.
    pub null: bool,
    /// No two records share a value.
    pub unique: bool,
    /// Has an index of its own because our queries need it.
    pub indexed: bool,
    /// Has an index of our own, for look-ups by the start of a text (on SQLite, where it ignores case) and by the whole.
    pub prefixes: bool,
    /// What a new record gets.
    pub default: Default,
    /// True when the database knows the default as well.
    pub db_default: bool,
    /// The codes it may hold, each with its word; none where codes have no words.
    pub words: &'static [Word],
    /// Set for foreign keys.
    pub to: Option<ToOne>,
    /// One sentence for users.
    pub doc: &'static str,
}

impl Column {
    /// Returns true for fields that stay out of representations, tables and lists of available fields.
    pub fn private(&self) -> bool {
        self.name.starts_with('_')
    }
}

/// How a to-many relation is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The target holds a foreign key in this column.
    Foreign {
        /// Column on the target.
        column: &'static str,
    },
    /// A link table holds pairs.
    Link {
        /// Name of the link registry.
        registry: &'static str,
        /// Column that points at this registry.
        near: &'static str,
        /// Column that points at the target.
        far: &'static str,
    },
}

/// A to-many relation as seen from one registry.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Accessor: `ulabels`.
    pub name: &'static str,
    /// Target registry.
    pub target: &'static str,
    /// Storage.
    pub via: Via,
    /// True for accessors that stay out of lists (link rows and names with a leading underscore).
    pub private: bool,
    /// One sentence for users.
    pub doc: &'static str,
}

/// A uniqueness rule over several columns.
#[derive(Clone, Debug)]
pub struct Unique {
    /// Name, given where the format names it.
    pub name: Option<&'static str>,
    /// Physical columns.
    pub columns: Vec<&'static str>,
    /// Restricts the rule to rows where this column is (not) null.
    pub when: Option<(&'static str, NullState)>,
    /// Compare in lower case.
    pub lower: bool,
}

/// The state that a conditional uniqueness rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullState {
    /// The column is null.
    Null,
    /// The column is not null.
    NotNull,
}

/// A rule that every row keeps: a column may be null only where a flag is set.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Name, as the format fixes it.
    pub name: &'static str,
    /// The flag.
    pub unless: &'static str,
    /// The column that must hold something where the flag isn't set.
    pub required: &'static str,
}

/// Which shared laws a registry follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// Has families of versions.
    pub versioned: bool,
    /// Remembers the run that made a record.
    pub tracks_run: bool,
    /// Remembers the last update.
    pub tracks_updates: bool,
    /// Can validate and standardise values.
    pub can_curate: bool,
    /// Has types and members.
    pub has_type: bool,
    /// Has parents and children.
    pub has_parents: bool,
    /// Lives on a branch and in a space.
    pub branch_aware: bool,
    /// Is a link table.
    pub link: bool,
    /// Is a link table that only the relation implies, without a class of its own.
    pub auto_link: bool,
    /// Is a name of the package's top level.
    pub top_level: bool,
}

impl Traits {
    /// No law at all.
    pub(crate) const NONE: Traits = Traits {
        versioned: false,
        tracks_run: false,
        tracks_updates: false,
        can_curate: false,
        has_type: false,
        has_parents: false,
        branch_aware: false,
        link: false,
        auto_link: false,
        top_level: false,
    };

    /// Returns the laws of both.
    pub(crate) fn and(self, other: Traits) -> Traits {
        Traits {
            versioned: self.versioned || other.versioned,
            tracks_run: self.tracks_run || other.tracks_run,
            tracks_updates: self.tracks_updates || other.tracks_updates,
            can_curate: self.can_curate || other.can_curate,
            has_type: self.has_type || other.has_type,
            has_parents: self.has_parents || other.has_parents,
            branch_aware: self.branch_aware || other.branch_aware,
            link: self.link || other.link,
            auto_link: self.auto_link || other.auto_link,
            top_level: self.top_level || other.top_level,
        }
    }
}

/// One table of the format, with everything that can be asked of it.
#[derive(Debug)]
pub struct Registry {
    /// Class name: `Artifact`.
    pub name: &'static str,
    /// Module it belongs to.
    pub module: Module,
    /// Table name: `lamindb_artifact`.
    pub table: &'static str,
    /// First line: one sentence for users.
    pub doc: &'static str,
    /// Plain columns in declaration order, then foreign keys in declaration order.
    pub columns: Vec<Column>,
    /// To-many relations, own ones first.
    pub relations: Vec<Relation>,
    /// Uniqueness rules over several columns.
    pub uniques: Vec<Unique>,
    /// Rules that every row keeps.
    pub checks: &'static [Check],
    /// Laws.
    pub traits: Traits,
    /// Field that names a record for people.
    pub name_field: Option<&'static str>,
    /// Field that holds the id of a public ontology.
    pub ontology_id_field: Option<&'static str>,
    /// Names that users write for fields and paths with another name.
    pub aliases: Vec<Alias>,
    /// Length of the part of the uid that versions share; the whole uid where there are no versions.
    pub stem_len: usize,
}

/// One step of a look-up path.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A field, or the id behind a foreign key.
    Column(&'static Column),
    /// A foreign key taken as a relation.
    One(&'static Column, ToOne),
    /// A to-many relation.
    Many(&'static Relation),
}

impl Registry {
    /// Returns the position of a column by field name, physical name, or `pk`.
    pub fn position(&self, name: &str) -> Option<usize> {
        let name = if name == "pk" { "id" } else { name };
        self.columns.iter().position(|column| column.name == name || column.column == name)
    }

    /// Returns a column by field name, physical name, or `pk`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.position(name).map(|i| &self.columns[i])
    }

    /// Returns what the columns hold, in their order.
    pub fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(|column| column.kind).collect()
    }

    /// Returns a to-many relation by its accessor.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// Returns what `name` means as a step of a look-up: `storage` is a relation, `storage_id` a column.
    pub fn step(&'static self, name: &str) -> Option<Step> {
        if let Some(column) = self.column(name) {
            return Some(match column.to {
                Some(to) if column.name == name => Step::One(column, to),
                _ => Step::Column(column),
            });
        }
        self.relation(name).map(Step::Many)
    }

    /// Returns the field or path that users mean by `name`, where it has another name.
    pub fn alias(&self, name: &str) -> Option<&'static str> {
        self.aliases.iter().find(|(alias, _)| *alias == name).map(|(_, path)| *path)
    }

    /// Returns the words for the status of a record with their codes; none where the registry knows no status.
    pub fn statuses(&self) -> &'static [Word] {
        self.column("_status_code").map_or(&[], |column| column.words)
    }

    /// Returns the word for a status; none for a code that has none.
    pub fn status_word(&self, code: i64) -> Option<&'static str> {
        self.statuses().iter().find(|(_, known)| *known == code).map(|(word, _)| *word)
    }

    /// Returns the fields and relations that users may name, sorted, foreign keys both as `x` and `x_id`.
    pub fn available_fields(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for column in self.columns.iter().filter(|column| !column.private()) {
            names.push(column.name);
            if column.column != column.name {
                names.push(column.column);
            }
        }
        names
            .extend(self.relations.iter().filter(|relation| !relation.private).map(|relation| relation.name));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns `lamindb.Artifact`, `bionty.CellType`.
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", self.module.name(), self.name)
    }

    /// Returns the error for a name that this registry does not have, with the nearest and all valid names.
    pub fn unknown_field(&self, name: &str) -> crate::Error {
        let available = self.available_fields();
        let hint = nearest(name, available.iter().copied())
            .map_or_else(String::new, |near| format!(" Did you mean '{near}'?"));
        crate::Error::field(format!(
            "Unknown field '{name}'.{hint} Available fields: {}",
            available.join(", ")
        ))
    }
}
