//! The step between a declaration and a registry: mixins merged in, derived link tables written out.

use super::declare::{Declaration, Field, Link, Relation, Rule, Shape, Side};
use super::mixins::{CREATED_AT, CREATED_BY, TRACKS_RUN};
use super::{Check, Kind, Module, NullState, Traits, Unique};

/// A registry whose relations aren't resolved yet.
pub(super) struct Draft {
    pub name: &'static str,
    pub module: Module,
    pub table: &'static str,
    pub doc: &'static str,
    pub traits: Traits,
    pub fields: Vec<Field>,
    pub relations: Vec<Relation>,
    pub uniques: Vec<Unique>,
    pub checks: &'static [Check],
    pub name_field: Option<&'static str>,
    pub ontology_id_field: Option<&'static str>,
}

/// Returns `text` for the life of the process; the catalogue is built once.
pub(super) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Returns the draft of a declared registry.
pub(super) fn declared(declaration: &'static Declaration) -> Draft {
    let mut draft = Draft {
        name: declaration.name,
        module: declaration.module,
        table: declaration.table,
        doc: declaration.doc,
        traits: Traits { top_level: declaration.top_level, ..Traits::NONE },
        fields: Vec::new(),
        relations: Vec::new(),
        uniques: declaration.uniques.iter().map(rule).collect(),
        checks: declaration.checks,
        name_field: declaration.name_field,
        ontology_id_field: declaration.ontology_id_field,
    };
    for mixin in declaration.mixins {
        draft.traits = draft.traits.and(mixin.traits);
        draft.extend(mixin.fields, mixin.relations);
    }
    draft.extend(declaration.fields, declaration.relations);
    for (name, doc) in declaration.docs {
        draft.fields.iter_mut().filter(|field| field.name == *name).for_each(|field| field.doc = doc);
    }
    draft
}

impl Draft {
    /// Adds fields and relations; one of a name that is there already takes its place at the end.
    fn extend(&mut self, fields: &[Field], relations: &[Relation]) {
        for field in fields {
            self.fields.retain(|other| other.name != field.name);
            self.fields.push(*field);
        }
        for relation in relations {
            self.relations.retain(|other| other.name != relation.name);
            let target = if relation.target == "Self" { self.name } else { relation.target };
            self.relations.push(Relation { target, ..*relation });
        }
    }

    /// Returns the name of the link registry of a to-many relation, and its near and far fields.
    pub fn link_of(&self, relation: &Relation) -> Option<(&'static str, &'static str, &'static str)> {
        let (own, target) = (self.name, relation.target);
        Some(match relation.link? {
            Link::Declared { registry, near, far } => (registry, near, far),
            Link::Bare => {
                let name = leak(format!("{own}_{}", relation.name));
                let (near, far) = (own.to_lowercase(), target.to_lowercase());
                if own == target {
                    (name, leak(format!("from_{near}")), leak(format!("to_{far}")))
                } else {
                    (name, leak(near), leak(far))
                }
            }
            Link::Derived { side, shape } => {
                let (host, value) = if side == Side::Host { (own, target) } else { (target, own) };
                let value_field = match shape {
                    Shape::Value(_) | Shape::TermValue => "value",
                    _ => leak(value.to_lowercase()),
                };
                let (name, host_field) = (leak(format!("{host}{value}")), leak(host.to_lowercase()));
                match side {
                    Side::Host => (name, host_field, value_field),
                    Side::Value => (name, value_field, host_field),
                }
            }
        })
    }

    /// Returns the draft of the link table that a relation implies, unless it has a declaration of its own.
    pub fn implied(&self, relation: &Relation) -> Option<Draft> {
        let (name, near, far) = self.link_of(relation)?;
        match relation.link? {
            Link::Declared { .. } => None,
            Link::Bare => Some(self.bare(relation, name, near, far)),
            Link::Derived { side: Side::Host, shape } => {
                Some(self.linked(name, (self.name, near), (relation.target, far), shape))
            }
            Link::Derived { side: Side::Value, shape } => {
                Some(self.linked(name, (relation.target, far), (self.name, near), shape))
            }
        }
    }

    fn link(&self, name: &'static str, table: String, doc: String) -> Draft {
        Draft {
            name,
            module: self.module,
            table: leak(table),
            doc: leak(doc),
            traits: Traits { link: true, ..Traits::NONE },
            fields: Vec::new(),
            relations: Vec::new(),
            uniques: Vec::new(),
            checks: &[],
            name_field: None,
            ontology_id_field: None,
        }
    }

    fn bare(&self, relation: &Relation, name: &'static str, near: &'static str, far: &'static str) -> Draft {
        let end = |field, target| Relation::one(field, target).cascade();
        let mut draft = self.link(
            name,
            format!("{}_{}", self.table, relation.name),
            format!("Links of `{}.{}`.", self.name, relation.name),
        );
        draft.traits.auto_link = true;
        draft.extend(
            &[Field::id(Kind::BigInt)],
            &[
                end(near, self.name).doc("The record that has the relation."),
                end(far, relation.target).indexed().doc("The record that it leads to."),
            ],
        );
        draft.uniques = vec![unique(None, &[near, far], None)];
        draft
    }

    fn linked(
        &self,
        name: &'static str,
        (host, host_field): (&'static str, &'static str),
        (value, value_field): (&'static str, &'static str),
        shape: Shape,
    ) -> Draft {
        let lower = name.to_lowercase();
        let mut draft = self.link(
            name,
            format!("{}_{lower}", self.module.name()),
            format!("Link between `{host}` and `{value}`."),
        );
        let (host_back, value_back) = match shape {
            Shape::Value(back) => (format!("values_{}", value.to_lowercase()), back),
            Shape::TermValue => (format!("values_{}", snake(value)), "links_record"),
            Shape::Term => (format!("links_{}", snake(value)), leak(format!("links_{host_field}"))),
            _ => (format!("links_{value_field}"), leak(format!("links_{host_field}"))),
        };
        // A unique index over all rows serves look-ups by its first column; the partial ones of annotations don't.
        let mut near =
            Relation::one(host_field, host).back(leak(host_back)).cascade().doc("The record that has it.");
        near.indexed = shape == Shape::Annotated;
        let far =
            Relation::one(value_field, value).back(value_back).indexed().doc("The record that is linked.");
        let feature = Relation::one("feature", "Feature")
            .back(leak(format!("links_{lower}")))
            .doc("Feature under which the link was made, if any.");
        if matches!(shape, Shape::Tracked | Shape::Annotated | Shape::Term | Shape::TermValue) {
            draft.traits = draft.traits.and(TRACKS_RUN.traits);
            draft.extend(TRACKS_RUN.fields, TRACKS_RUN.relations);
        }
        draft.extend(&[Field::id(Kind::BigInt)], &[near]);
        let mut triple = None;
        match shape {
            Shape::Pair | Shape::Tracked => draft.extend(&[], &[far]),
            Shape::Dated => draft.extend(&[CREATED_AT], &[far, CREATED_BY]),
            Shape::Annotated | Shape::Term | Shape::TermValue => {
                draft.extend(&[], &[far, feature.null()]);
                triple = Some([host_field, value_field, "feature"]);
            }
            Shape::Value(_) => {
                draft.extend(&[], &[feature, far]);
                triple = Some([host_field, "feature", value_field]);
            }
        }
        let pair = [host_field, value_field];
        draft.uniques = match (shape, triple) {
            (Shape::Annotated, Some(triple)) => vec![
                unique(Some(leak(format!("unique_{lower}"))), &triple, Some(NullState::NotNull)),
                unique(Some(leak(format!("unique_{lower}_null_feature"))), &pair, Some(NullState::Null)),
            ],
            (_, Some(triple)) => vec![unique(None, &triple, None)],
            (_, None) => vec![unique(None, &pair, None)],
        };
        draft
    }
}

fn unique(name: Option<&'static str>, fields: &[&str], feature: Option<NullState>) -> Unique {
    Unique {
        name,
        columns: fields.iter().map(|field| leak(format!("{field}_id"))).collect(),
        when: feature.map(|state| ("feature_id", state)),
        lower: false,
    }
}

fn rule(rule: &Rule) -> Unique {
    Unique { name: rule.name, columns: rule.columns.to_vec(), when: rule.when, lower: rule.lower }
}

/// Returns `cell_type` for `CellType`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
