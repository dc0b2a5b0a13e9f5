//! The step between a declaration and a registry: mixins merged in, derived link tables written out.

use super::declare::{Declaration, Field, Link, Relation, Rule, Shape, Side};
use super::mixins::{CREATED_AT, CREATED_BY, TRACKS_RUN};
use super::{Alias, Check, Kind, Module, NullState, Traits, Unique};

/// A registry whose relations aren't resolved yet.
pub(super) struct Draft {
    pub name: &'static str,
    pub module: Module,
    pub table: &'static str,
    pub doc: &'static str,
    pub traits: Traits,
    pub fields: Vec<Field>,
    pub relations: Vec<Relation>,
    /// Where the pairs of each relation lie; none for foreign keys.
    pub ends: Vec<Option<Ends>>,
    pub uniques: Vec<Unique>,
    pub checks: &'static [Check],
    pub name_field: Option<&'static str>,
    pub ontology_id_field: Option<&'static str>,
    pub aliases: Vec<Alias>,
}

/// A link registry, with its fields that point at the near and the far end of a relation.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub registry: &'static str,
    pub near: &'static str,
    pub far: &'static str,
}

/// Returns the parts as one text that lives as long as the process; the catalogue is built once.
pub(super) fn text(parts: &[&str]) -> &'static str {
    parts.concat().leak()
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
        ends: Vec::new(),
        uniques: declaration.uniques.iter().map(rule).collect(),
        checks: declaration.checks,
        name_field: declaration.name_field,
        ontology_id_field: declaration.ontology_id_field,
        aliases: declaration.aliases.to_vec(),
    };
    for mixin in declaration.mixins {
        draft.traits = draft.traits.and(mixin.traits);
        draft.extend(mixin.fields, mixin.relations);
        draft.aliases.extend(mixin.aliases);
    }
    draft.extend(declaration.fields, declaration.relations);
    draft.ends = draft.relations.iter().map(|relation| draft.ends_of(relation)).collect();
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

    fn ends_of(&self, relation: &Relation) -> Option<Ends> {
        let (own, target) = (self.name, relation.target);
        Some(match relation.link? {
            Link::Declared { registry, near, far } => Ends { registry, near, far },
            Link::Bare => {
                let registry = text(&[own, "_", relation.name]);
                let (near, far) = if own == target { ("from_", "to_") } else { ("", "") };
                Ends {
                    registry,
                    near: text(&[near, &own.to_lowercase()]),
                    far: text(&[far, &target.to_lowercase()]),
                }
            }
            Link::Derived { side, shape } => {
                let (host, value) = if side == Side::Host { (own, target) } else { (target, own) };
                let value_field = match shape {
                    Shape::Value(_) | Shape::TermValue => "value",
                    _ => value.to_lowercase().leak(),
                };
                let (registry, host_field) = (text(&[host, value]), host.to_lowercase().leak());
                match side {
                    Side::Host => Ends { registry, near: host_field, far: value_field },
                    Side::Value => Ends { registry, near: value_field, far: host_field },
                }
            }
        })
    }

    /// Returns to-many relations with their ends.
    pub fn many(&self) -> impl Iterator<Item = (&Relation, Ends)> {
        self.relations.iter().zip(&self.ends).filter_map(|(relation, ends)| Some((relation, (*ends)?)))
    }

    /// Returns the link tables that relations imply, those with a declaration of their own left out.
    pub fn implied(&self) -> Vec<Draft> {
        let link = |(relation, ends): (&Relation, Ends)| match relation.link? {
            Link::Declared { .. } => None,
            Link::Bare => Some(self.bare(relation, ends)),
            Link::Derived { side: Side::Host, shape } => {
                Some(self.linked(ends.registry, (self.name, ends.near), (relation.target, ends.far), shape))
            }
            Link::Derived { side: Side::Value, shape } => {
                Some(self.linked(ends.registry, (relation.target, ends.far), (self.name, ends.near), shape))
            }
        };
        let mut drafts: Vec<Draft> = self.many().filter_map(link).collect();
        for draft in &mut drafts {
            draft.ends = vec![None; draft.relations.len()];
        }
        drafts
    }

    fn link(&self, name: &'static str, table: &'static str, doc: &'static str) -> Draft {
        Draft {
            name,
            module: self.module,
            table,
            doc,
            traits: Traits { link: true, ..Traits::NONE },
            fields: Vec::new(),
            relations: Vec::new(),
            ends: Vec::new(),
            uniques: Vec::new(),
            checks: &[],
            name_field: None,
            ontology_id_field: None,
            aliases: Vec::new(),
        }
    }

    fn bare(&self, relation: &Relation, Ends { registry, near, far }: Ends) -> Draft {
        let end = |field, target| Relation::one(field, target).cascade();
        let mut draft = self.link(
            registry,
            text(&[self.table, "_", relation.name]),
            text(&["Links of `", self.name, ".", relation.name, "`."]),
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
            text(&[self.module.name(), "_", &lower]),
            text(&["Link between `", host, "` and `", value, "`."]),
        );
        let (host_back, value_back) = match shape {
            Shape::Value(back) => (text(&["values_", &value.to_lowercase()]), back),
            Shape::TermValue => (text(&["values_", &snake(value)]), "links_record"),
            Shape::Term => (text(&["links_", &snake(value)]), text(&["links_", host_field])),
            _ => (text(&["links_", value_field]), text(&["links_", host_field])),
        };
        // A unique index over all rows serves look-ups by its first column; the partial ones of annotations don't.
        let mut near =
            Relation::one(host_field, host).back(host_back).cascade().doc("The record that has it.");
        near.indexed = shape == Shape::Annotated;
        let far =
            Relation::one(value_field, value).back(value_back).indexed().doc("The record that is linked.");
        let feature = Relation::one("feature", "Feature")
            .back(text(&["links_", &lower]))
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
                unique(Some(text(&["unique_", &lower])), &triple, Some(NullState::NotNull)),
                unique(Some(text(&["unique_", &lower, "_null_feature"])), &pair, Some(NullState::Null)),
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
        columns: fields.iter().map(|field| text(&[field, "_id"])).collect(),
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
