//! Lineage: what an artifact was made from and what was made from it, as a graph and as drawings of it.
//!
//! Data (artifacts, collections, records) and runs are the nodes; what runs read, made and made again, what
//! collections hold and which run started which are the edges. [`Instance::lineage`] walks them with one recursive
//! statement per direction, [`Lineage::draw`] lays them out, and the other forms are text.
//!
//! ```
//! use holotype::{NewArtifact, RunChoice, lineage::Walk};
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! # let looking = holotype::track::HashLookup::Look;
//! # let mut align = instance.transform(&[("key", "align".into())], None, looking)?.record;
//! # instance.save(&mut align)?;
//! # let mut run = instance.run(Some(&align), &[])?;
//! # instance.save(&mut run)?;
//! # let new = |name: &str, run| -> holotype::Result<_> {
//! #     let path = scratch.file(name, name)?.display().to_string();
//! #     let mut artifact = instance.artifact(NewArtifact { run, ..NewArtifact::new(&path).key(name) })?;
//! #     instance.save_artifact(&mut artifact)?;
//! #     Ok(artifact.record)
//! # };
//! let reads = new("reads.fastq", RunChoice::None)?;
//! instance.track_input(&reads, run.id())?;
//! let counts = new("counts.csv", RunChoice::Id(run.id().unwrap()))?;
//!
//! let lineage = instance.lineage(&counts, &Walk::upstream())?;
//! assert_eq!((lineage.nodes.len(), lineage.edges.len()), (3, 2));
//! assert_eq!(instance.upstream(&counts, None)?.one()?.uid(), reads.uid());
//! assert!(lineage.draw(&Default::default()).contains("reads.fastq"));
//! # Ok::<(), holotype::Error>(())
//! ```

mod ancestors;
mod collapse;
mod dot;
mod draw;
mod html;
mod json;
mod layout;
mod mermaid;
mod read;
mod svg;
pub(crate) mod table;
mod transforms;
mod tree;
mod walk;

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::query::{Q, QuerySet};
use crate::record::Record;
use crate::value::Timestamp;

pub use collapse::Limits;

/// Nodes of a graph that is not asked to be larger.
const LIMIT: usize = 20_000;

/// Which way to walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// To where it comes from.
    Upstream,
    /// To what came of it.
    Downstream,
    /// Both ways.
    #[default]
    Both,
}

/// How far to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Direction.
    pub direction: Direction,
    /// Generations of data; all by default. One means what the run behind an artifact read.
    pub depth: Option<usize>,
    /// Nodes at most in each direction, the nearest first.
    pub limit: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Walk { direction: Direction::Both, depth: None, limit: LIMIT }
    }
}

impl Walk {
    /// Returns the walk to all that something was made from.
    pub fn upstream() -> Self {
        Walk { direction: Direction::Upstream, ..Walk::default() }
    }

    /// Returns the walk to all that was made from something.
    pub fn downstream() -> Self {
        Walk { direction: Direction::Downstream, ..Walk::default() }
    }

    fn goes(self, direction: Direction) -> bool {
        self.direction == Direction::Both || self.direction == direction
    }
}

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Noun {
    /// An artifact.
    Artifact,
    /// A run.
    Run,
    /// A collection.
    Collection,
    /// A record, or a term of an ontology.
    Record,
    /// A transform, in place of its runs.
    Transform,
}

impl Noun {
    /// Returns the word for it, as in names of nodes.
    pub fn word(self) -> &'static str {
        match self {
            Noun::Artifact => "artifact",
            Noun::Run => "run",
            Noun::Collection => "collection",
            Noun::Record => "record",
            Noun::Transform => "transform",
        }
    }

    /// Returns the name of the registry.
    pub fn registry(self) -> &'static str {
        match self {
            Noun::Artifact => "Artifact",
            Noun::Run => "Run",
            Noun::Collection => "Collection",
            Noun::Record => "Record",
            Noun::Transform => "Transform",
        }
    }

    fn of(registry: &str) -> Option<Noun> {
        [Noun::Artifact, Noun::Run, Noun::Collection, Noun::Record, Noun::Transform]
            .into_iter()
            .find(|noun| noun.registry() == registry)
    }
}

/// Something that takes part.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it stands for.
    pub noun: Noun,
    /// Id in its registry.
    pub id: i64,
    /// Uid.
    pub uid: String,
    /// What people call it: key, description or name.
    pub label: String,
    /// What kind of artifact or transform it is, or the state of a run; may be empty.
    pub kind: String,
    /// Size in bytes.
    pub size: Option<i64>,
    /// Moment at which it was made or started.
    pub at: Option<Timestamp>,
    /// Handle of the user who made it.
    pub by: String,
    /// Id of the run that made it or started it, or of the transform of a run.
    origin: Option<i64>,
    /// Lies in the trash.
    pub trashed: bool,
    /// It is what was asked about.
    pub focus: bool,
    /// Stands for so many others beside what it is; 0 for an ordinary node.
    pub more: usize,
}

impl Node {
    /// Returns the name of the node in drawings: `artifact_2ZSE9eBXxB3NpTeV0000`.
    pub fn name(&self) -> String {
        format!("{}_{}", self.noun.word(), self.uid)
    }
}

/// Why two nodes are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// A run read data.
    Input,
    /// A run made data.
    Output,
    /// A run made data that existed already.
    Recreated,
    /// A collection holds an artifact.
    Member,
    /// A run started another one.
    Started,
    /// A version follows another one.
    Version,
    /// A transform is meant to run after another one.
    Successor,
    /// A record stands above another one.
    Parent,
}

impl Link {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Link::Input => "input",
            Link::Output => "output",
            Link::Recreated => "recreated",
            Link::Member => "member",
            Link::Started => "started",
            Link::Version => "version",
            Link::Successor => "successor",
            Link::Parent => "parent",
        }
    }

    /// Returns true where nothing flowed along the edge.
    fn faint(self) -> bool {
        matches!(self, Link::Version | Link::Started | Link::Recreated | Link::Successor)
    }
}

/// A connection, from what was first to what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// Position of the earlier node.
    pub from: usize,
    /// Position of the later node.
    pub to: usize,
    /// Why.
    pub link: Link,
}

/// The graph around something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// Nodes, what was asked about first.
    pub nodes: Vec<Node>,
    /// Edges, sorted.
    pub edges: Vec<Edge>,
    /// True when the graph is larger than the walk was allowed to see.
    pub cut: bool,
}

impl Instance {
    /// Returns the graph around an artifact, collection, record, run or transform.
    ///
    /// Transforms stand for all of their runs; around a transform the nodes between data are transforms.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for an unsaved record, [`crate::ErrorKind::Type`] for one without lineage.
    pub fn lineage(&self, record: &Record, walk: &Walk) -> Result<Lineage> {
        let (noun, id) = start(record)?;
        let reached = walk::reach(self, &walk::start(noun, id)?, walk)?;
        let mut lineage = read::graph(self, &reached, (noun, id))?;
        if noun == Noun::Transform {
            lineage = transforms::in_place_of_runs(self, &lineage, id, walk)?;
        }
        lineage.edges.sort_unstable();
        lineage.edges.dedup();
        Ok(lineage)
    }

    /// Returns the artifacts that something was made from, directly or not, the nearest first.
    ///
    /// # Errors
    /// As for [`Instance::lineage`].
    pub fn upstream(&self, record: &Record, depth: Option<usize>) -> Result<QuerySet> {
        self.along(record, Walk { depth, limit: usize::MAX, ..Walk::upstream() })
    }

    /// Returns the artifacts that were made from something, directly or not, the nearest first.
    ///
    /// # Errors
    /// As for [`Instance::lineage`].
    pub fn downstream(&self, record: &Record, depth: Option<usize>) -> Result<QuerySet> {
        self.along(record, Walk { depth, limit: usize::MAX, ..Walk::downstream() })
    }

    fn along(&self, record: &Record, walk: Walk) -> Result<QuerySet> {
        let (noun, id) = start(record)?;
        let reached = walk::reach(self, &walk::start(noun, id)?, &walk)?;
        let found = reached
            .places
            .into_iter()
            .filter(|(found, at)| *found == Noun::Artifact && (noun, id) != (*found, *at));
        let ids: Vec<i64> = found.map(|(_, id)| id).collect();
        let query = self.registry("Artifact")?;
        // What is in the trash or on another branch is walked through but not shown.
        let visible = Q::is("id__in", ids.clone()).and(Q::is("branch_id__in", vec![self.branch_id(), 1]));
        let shown: std::collections::HashSet<i64> = query.filter(visible)?.all_ids()?.into_iter().collect();
        query.ranked(ids.into_iter().filter(|id| shown.contains(id)).collect())
    }
}

impl Lineage {
    /// Returns the positions of what was asked about.
    pub fn focus(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|at| self.nodes[*at].focus)
    }

    /// Returns for every node the edges that lead to it (`true`) or away from it.
    fn neighbours(&self, before: bool) -> Vec<Vec<Edge>> {
        let mut found = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            found[if before { edge.to } else { edge.from }].push(*edge);
        }
        found
    }
}

/// Returns what a record is in a graph, and its id.
fn start(record: &Record) -> Result<(Noun, i64)> {
    let registry = record.registry();
    let noun = Noun::of(registry.name).filter(|_| registry.module.name() == "lamindb").ok_or_else(|| {
        Error::type_(format!(
            "{} has no lineage: pass an artifact, collection, record, run or transform",
            record.repr()
        ))
    })?;
    let id = record.id().ok_or_else(|| {
        Error::value(format!("{} is not saved yet: save it to see its lineage", record.repr()))
    })?;
    Ok((noun, id))
}

/// Positions by what they stand for.
type Index = HashMap<(Noun, i64), usize>;
