//! The words in which registries are declared: const data, no macros.

use super::{Alias, Check, Default, Kind, Module, NullState, OnDelete, Traits, Word};

/// One registry as its file declares it.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Class name.
    pub name: &'static str,
    /// Module it belongs to.
    pub module: Module,
    /// Table name.
    pub table: &'static str,
    /// One sentence for users.
    pub doc: &'static str,
    /// Shared parts, in the order in which their fields come.
    pub mixins: &'static [&'static Mixin],
    /// Plain fields of its own.
    pub fields: &'static [Field],
    /// Relations of its own.
    pub relations: &'static [Relation],
    /// Uniqueness rules over several columns.
    pub uniques: &'static [Rule],
    /// Rules that every row keeps.
    pub checks: &'static [Check],
    /// Sentences that say more about a mixin's field than the mixin can.
    pub docs: &'static [(&'static str, &'static str)],
    /// Field that names a record, where it isn't `name`.
    pub name_field: Option<&'static str>,
    /// Field that holds the id of a public ontology, where it isn't `ontology_id`.
    pub ontology_id_field: Option<&'static str>,
    /// Names that users write for fields and paths with another name.
    pub aliases: &'static [Alias],
    /// Is a name of the package's top level.
    pub top_level: bool,
}

impl Declaration {
    /// Returns an empty core registry at the top level, to be filled by struct update.
    pub const fn core(name: &'static str, table: &'static str) -> Self {
        Declaration {
            name,
            module: Module::Lamindb,
            table,
            doc: "",
            mixins: &[],
            fields: &[],
            relations: &[],
            uniques: &[],
            checks: &[],
            docs: &[],
            name_field: None,
            ontology_id_field: None,
            aliases: &[],
            top_level: true,
        }
    }

    /// Returns an empty ontology registry.
    pub const fn bionty(name: &'static str, table: &'static str) -> Self {
        Declaration { module: Module::Bionty, ..Declaration::core(name, table) }
    }

    /// Returns an empty link table, which is no name of the package's top level.
    pub const fn link(name: &'static str, table: &'static str) -> Self {
        Declaration { top_level: false, ..Declaration::core(name, table) }
    }
}

/// A part that several registries share.
#[derive(Debug)]
pub struct Mixin {
    /// Plain fields.
    pub fields: &'static [Field],
    /// Relations; the target `Self` stands for the registry that takes the mixin.
    pub relations: &'static [Relation],
    /// Laws that come with it.
    pub traits: Traits,
    /// Names that users write for its fields.
    pub aliases: &'static [Alias],
}

impl Mixin {
    /// A part without anything, to be filled by struct update.
    pub const NONE: Mixin = Mixin { fields: &[], relations: &[], traits: Traits::NONE, aliases: &[] };
}

/// A plain field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) null: bool,
    pub(super) unique: bool,
    pub(super) indexed: bool,
    pub(super) prefixes: bool,
    pub(super) default: Default,
    pub(super) db_default: bool,
    pub(super) words: &'static [Word],
    pub(super) doc: &'static str,
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Field {
            name,
            kind,
            null: false,
            unique: false,
            indexed: false,
            prefixes: false,
            default: Default::None,
            db_default: false,
            words: &[],
            doc: "",
        }
    }

    /// Returns the primary key.
    pub const fn id(kind: Kind) -> Self {
        Field::new("id", kind).unique().doc("Primary key in this database.")
    }

    /// Returns the identifier that is the same in every database.
    pub const fn uid(len: u16) -> Self {
        Field::char("uid", len).unique().doc("Identifier that is the same in every database.")
    }

    /// Returns a text of at most `len` characters.
    pub const fn char(name: &'static str, len: u16) -> Self {
        Field::new(name, Kind::Char(len))
    }

    /// Returns a text of any length.
    pub const fn text(name: &'static str) -> Self {
        Field::new(name, Kind::Text)
    }

    /// Returns a flag.
    pub const fn bool(name: &'static str) -> Self {
        Field::new(name, Kind::Bool)
    }

    /// Returns a whole number of 16 bits.
    pub const fn small(name: &'static str) -> Self {
        Field::new(name, Kind::SmallInt)
    }

    /// Returns a whole number of 32 bits.
    pub const fn int(name: &'static str) -> Self {
        Field::new(name, Kind::Int)
    }

    /// Returns a whole number of 64 bits.
    pub const fn big(name: &'static str) -> Self {
        Field::new(name, Kind::BigInt)
    }

    /// Returns a day.
    pub const fn date(name: &'static str) -> Self {
        Field::new(name, Kind::Date)
    }

    /// Returns a moment.
    pub const fn moment(name: &'static str) -> Self {
        Field::new(name, Kind::DateTime)
    }

    /// Returns a JSON document.
    pub const fn json(name: &'static str) -> Self {
        Field::new(name, Kind::Json)
    }

    /// May be null.
    pub const fn null(self) -> Self {
        Field { null: true, ..self }
    }

    /// No two records share a value.
    pub const fn unique(self) -> Self {
        Field { unique: true, ..self }
    }

    /// Has an index, because our queries look it up.
    pub const fn indexed(self) -> Self {
        Field { indexed: true, ..self }
    }

    /// Has an index of this engine's own that ignores case: for look-ups of texts by their start, and for equality.
    pub const fn prefixes(self) -> Self {
        Field { prefixes: true, ..self }
    }

    /// New records get this value from the engine.
    pub const fn default(self, default: Default) -> Self {
        Field { default, ..self }
    }

    /// New records get this value, from the database too.
    pub const fn db_default(self, default: Default) -> Self {
        Field { default, db_default: true, ..self }
    }

    /// The codes that the field may hold, each with its word.
    pub const fn words(self, words: &'static [Word]) -> Self {
        Field { words, ..self }
    }

    /// Says one sentence to users.
    pub const fn doc(self, doc: &'static str) -> Self {
        Field { doc, ..self }
    }
}

/// A relation to one record or to many.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    /// Accessor on the target.
    pub(super) back: Option<&'static str>,
    pub(super) doc: &'static str,
    pub(super) null: bool,
    pub(super) on_delete: OnDelete,
    pub(super) one_to_one: bool,
    pub(super) indexed: bool,
    pub(super) default: Default,
    pub(super) db_default: bool,
    /// What stores the pairs; none for a foreign key.
    pub(super) link: Option<Link>,
}

impl Relation {
    /// Returns a foreign key that protects its target from deletion.
    pub const fn one(name: &'static str, target: &'static str) -> Self {
        Relation {
            name,
            target,
            back: None,
            doc: "",
            null: false,
            on_delete: OnDelete::Protect,
            one_to_one: false,
            indexed: false,
            default: Default::None,
            db_default: false,
            link: None,
        }
    }

    /// Returns a to-many relation over a bare table of pairs.
    pub const fn many(name: &'static str, target: &'static str) -> Self {
        Relation { link: Some(Link::Bare), ..Relation::one(name, target) }
    }

    /// Names the way back on the target.
    pub const fn back(self, back: &'static str) -> Self {
        Relation { back: Some(back), ..self }
    }

    /// Says one sentence to users.
    pub const fn doc(self, doc: &'static str) -> Self {
        Relation { doc, ..self }
    }

    /// May be null.
    pub const fn null(self) -> Self {
        Relation { null: true, ..self }
    }

    /// Deleting the target deletes this record too.
    pub const fn cascade(self) -> Self {
        Relation { on_delete: OnDelete::Cascade, ..self }
    }

    /// At most one record points at a target.
    pub const fn one_to_one(self) -> Self {
        Relation { one_to_one: true, ..self }
    }

    /// Has an index, because our queries or deletions go through it.
    pub const fn indexed(self) -> Self {
        Relation { indexed: true, ..self }
    }

    /// New records get this target from the engine.
    pub const fn default(self, default: Default) -> Self {
        Relation { default, ..self }
    }

    /// New records get this target, from the database too.
    pub const fn db_default(self, default: Default) -> Self {
        Relation { default, db_default: true, ..self }
    }

    /// Pairs live in a derived link table named after this registry, then the target.
    pub const fn as_host(self, shape: Shape) -> Self {
        Relation { link: Some(Link::Derived { side: Side::Host, shape }), ..self }
    }

    /// Pairs live in a derived link table named after the target, then this registry.
    pub const fn as_value(self, shape: Shape) -> Self {
        Relation { link: Some(Link::Derived { side: Side::Value, shape }), ..self }
    }

    /// Pairs live in a declared link table, whose field `near` points here and `far` at the target.
    pub const fn through(self, registry: &'static str, near: &'static str, far: &'static str) -> Self {
        Relation { link: Some(Link::Declared { registry, near, far }), ..self }
    }
}

/// What stores the pairs of a to-many relation.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// Two columns and no class: `lamindb_artifact_input_of_runs`.
    Bare,
    /// A class that follows from its two ends.
    Derived {
        /// The end that declares the relation.
        side: Side,
        /// What the link holds beside its ends.
        shape: Shape,
    },
    /// A class with a declaration of its own.
    Declared {
        /// Name of the link registry.
        registry: &'static str,
        /// Its field that points at the declaring registry.
        near: &'static str,
        /// Its field that points at the target.
        far: &'static str,
    },
}

/// An end of a link: the host goes with its links, the value is protected by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The record that carries links.
    Host,
    /// The record that is linked.
    Value,
}

/// The families of link tables that follow from their two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The two ends only: `SchemaFeature`.
    Pair,
    /// And when and by whom: `RunULabel`.
    Dated,
    /// And the run: `TransformULabel`.
    Tracked,
    /// And a feature, once without and once per feature: `ArtifactULabel`.
    Annotated,
    /// And a feature, for terms of an ontology: `ArtifactCellType`.
    Term,
    /// The value of a record's feature: `RecordULabel`, with the way back on the value.
    Value(&'static str),
    /// The value of a record's feature that is a term of an ontology: `RecordCellType`.
    TermValue,
}

/// A uniqueness rule over physical columns.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub(super) name: Option<&'static str>,
    pub(super) columns: &'static [&'static str],
    pub(super) when: Option<(&'static str, NullState)>,
    pub(super) lower: bool,
}

impl Rule {
    /// Returns a rule that no two rows agree in all of `columns`.
    pub const fn over(columns: &'static [&'static str]) -> Self {
        Rule { name: None, columns, when: None, lower: false }
    }

    /// Gives the rule the name that the format fixes.
    pub const fn named(self, name: &'static str) -> Self {
        Rule { name: Some(name), ..self }
    }

    /// Restricts the rule to rows where `column` is in `state`.
    pub const fn when(self, column: &'static str, state: NullState) -> Self {
        Rule { when: Some((column, state)), ..self }
    }

    /// Compares in lower case.
    pub const fn lower(self) -> Self {
        Rule { lower: true, ..self }
    }
}
