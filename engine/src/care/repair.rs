//! Putting right what is wrong: finishing what was broken off, fetching copies, marking what is lost.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::candidates::Candidates;
use super::unused::{Unused, UnusedKind};
use super::verify::{Finding, State, Verification};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::ingest::is_leaving;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::{LeftoverKind, Store};
use crate::value::Timestamp;

/// What a repair would do, step by step.
#[derive(Clone, Debug, Default)]
pub struct RepairPlan {
    /// Steps in their order.
    pub steps: Vec<Step>,
}

/// One step of a repair.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub remedy: Remedy,
    /// The artifact it is about; nothing for leftovers.
    pub artifact: Option<Record>,
    /// What it is done to.
    pub path: PathBuf,
    /// Why, in words.
    pub reason: String,
}

impl Step {
    /// Returns the step as JSON: `step`, `uid`, `key`, `reason`, `path`, and `from` of what is restored.
    pub fn json(&self) -> Json {
        let artifact = self.artifact.as_ref();
        let from = match &self.remedy {
            Remedy::Restore { from, .. } => Some(from),
            _ => None,
        };
        json!({
            "step": self.remedy.name(),
            "uid": artifact.map(Record::uid),
            "key": artifact.and_then(|row| row.text("key")),
            "reason": self.reason,
            "path": self.path,
            "from": from,
        })
    }
}

/// What can be done about what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Complete a permanent deletion that was broken off.
    FinishDeletion,
    /// Show a row again whose content turned out to be whole.
    Show,
    /// Put a copy in the place of the content.
    Restore {
        /// Where the copy lies.
        from: PathBuf,
        /// Its digest.
        digest: Digest,
    },
    /// Mark the row so that it yields no bytes: there is no copy.
    Mark,
    /// Nothing but saving the source again, or deleting the artifact, helps.
    Leave,
    /// Remove a temporary name.
    Remove(Unused),
    /// Bring back a folder that was moved aside.
    BringBack(Unused),
}

impl Remedy {
    /// Returns the words for it.
    pub fn name(&self) -> &'static str {
        match self {
            Remedy::FinishDeletion => "finish deletion",
            Remedy::Show => "show again",
            Remedy::Restore { .. } => "restore",
            Remedy::Mark => "mark as incomplete",
            Remedy::Leave => "needs its source",
            Remedy::Remove(_) => "remove",
            Remedy::BringBack(_) => "bring back",
        }
    }
}

/// What a repair came to.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// Steps that were done.
    pub done: Vec<Step>,
    /// Steps that were not done, with the reason.
    pub failed: Vec<(Step, String)>,
}

impl RepairPlan {
    /// Returns true when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the artifacts that no step makes whole.
    pub fn lost(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.remedy, Remedy::Mark | Remedy::Leave)).count()
    }
}

impl Instance {
    /// Returns how to put right what a verification found, and what killed processes left behind before `leftovers`.
    ///
    /// Copies are looked for in the cache, among content that waits for a row, in quarantine and under other artifacts,
    /// and are read before they are proposed.
    ///
    /// # Errors
    /// Failures of the database and of the file system.
    pub fn plan_repair(&self, found: &Verification, leftovers: Timestamp) -> Result<RepairPlan> {
        let mut steps = Vec::new();
        // A folder that is brought back may be the very content that is missing.
        let unused = self.unused()?;
        let left: Vec<Unused> =
            unused.into_iter().filter(|unused| !unused.in_use && unused.since <= leftovers).collect();
        let mut comes_back = Vec::new();
        for unused in left.iter().filter(|unused| unused.kind == UnusedKind::Displaced) {
            let path = PathBuf::from(&unused.root).join(&unused.key);
            let place = self.displaced_place(unused)?;
            comes_back.extend(place);
            let reason = "its successor never came".to_owned();
            steps.push(Step { remedy: Remedy::BringBack(unused.clone()), artifact: None, path, reason });
        }
        let candidates = if found.wrong.is_empty() { None } else { Some(Candidates::of(self)?) };
        for finding in &found.wrong {
            if finding.state == State::Missing && comes_back.contains(&finding.path) {
                continue;
            }
            if let Some(candidates) = &candidates {
                steps.extend(self.remedy(finding, candidates)?);
            }
        }
        for unused in left {
            // Content that waits may be all there is of a file that a user wrote: collecting moves it to quarantine.
            if unused.kind == UnusedKind::Temporary {
                let path = PathBuf::from(&unused.root).join(&unused.key);
                let reason = "a process left it behind".to_owned();
                steps.push(Step { remedy: Remedy::Remove(unused), artifact: None, path, reason });
            }
        }
        Ok(RepairPlan { steps })
    }

    /// Returns where a displaced folder belongs.
    fn displaced_place(&self, unused: &Unused) -> Result<Option<PathBuf>> {
        let store = Store::local(&unused.root, self.env());
        Ok(match unused.leftover(&store)?.map(|leftover| leftover.kind) {
            Some(LeftoverKind::Displaced(key)) => Some(store.path(&key)?),
            _ => None,
        })
    }

    fn remedy(&self, finding: &Finding, candidates: &Candidates) -> Result<Option<Step>> {
        let artifact = &finding.artifact;
        let step = |remedy| {
            let (path, reason) = (finding.path.clone(), finding.detail.clone());
            Some(Step { remedy, artifact: Some(artifact.clone()), path, reason })
        };
        let incomplete = match finding.state {
            State::Missing | State::Damaged => false,
            State::Incomplete => true,
            // What cannot be reached cannot be repaired from here, and is not lost.
            State::Unreachable | State::Sound | State::Overwritten => return Ok(None),
        };
        let location = self.storage_of(artifact)?;
        if !self.manages(&location) {
            return Ok(step(Remedy::Leave));
        }
        if is_leaving(artifact) {
            return Ok(step(Remedy::FinishDeletion));
        }
        if incomplete && candidates.is_whole(self, artifact, &finding.path) {
            return Ok(step(Remedy::Show));
        }
        if let Some((from, digest)) = candidates.find(self, artifact)? {
            return Ok(step(Remedy::Restore { from, digest }));
        }
        Ok(step(if incomplete { Remedy::Leave } else { Remedy::Mark }))
    }
}

impl RepairPlan {
    /// Does what was planned; one step that fails does not keep the others from being done.
    ///
    /// # Errors
    /// Failures of the database that concern every step.
    pub fn apply(&self, instance: &Instance) -> Result<Repaired> {
        let mut repaired = Repaired::default();
        for step in &self.steps {
            match step.apply(instance) {
                Ok(true) => repaired.done.push(step.clone()),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Busy => return Err(error),
                Err(error) => repaired.failed.push((step.clone(), error.message().to_owned())),
            }
        }
        Ok(repaired)
    }
}

impl Step {
    /// Returns false when there was nothing to do any more.
    fn apply(&self, instance: &Instance) -> Result<bool> {
        let artifact =
            || self.artifact.as_ref().ok_or_else(|| Error::invalid("A step about content names no artifact"));
        match &self.remedy {
            Remedy::Leave => return Ok(false),
            Remedy::FinishDeletion => {
                let artifact = artifact()?;
                let same = Q::is("id", artifact.id());
                // Versions that share a store go together: the first step takes all of them.
                match instance.query(artifact.registry()).filter(same)?.first()?.filter(is_leaving) {
                    Some(now) => instance.delete_artifact(&now, Some(true))?,
                    None => return Ok(false),
                }
            }
            Remedy::Show => instance.show_content(artifact()?)?,
            Remedy::Restore { from, digest } => instance.restore_content(artifact()?, from, *digest)?,
            Remedy::Mark => instance.hide_content(artifact()?)?,
            Remedy::Remove(unused) | Remedy::BringBack(unused) => {
                let store = Store::local(&unused.root, instance.env());
                return match unused.leftover(&store)? {
                    Some(leftover) => store.settle(&leftover),
                    None => Ok(false),
                };
            }
        }
        Ok(true)
    }
}
