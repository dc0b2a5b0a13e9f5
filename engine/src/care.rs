//! The care of content: whether it is all there and right, what can be put right, and what belongs to nobody.
//!
//! [`Instance::verify`](crate::Instance::verify) looks and changes nothing but the times at which digests were
//! confirmed. Its findings are what [`Instance::plan_repair`](crate::Instance::plan_repair) works on.
//! [`Instance::plan_collect`](crate::Instance::plan_collect) finds what no row uses. Both plans are values: they can be
//! printed and refused, and only applying them changes anything.

mod candidates;
mod collect;
mod compare;
mod elsewhere;
mod location;
mod remote;
mod repair;
mod unnamed;
mod unused;
mod verify;

pub use collect::{Collect, CollectPlan, Collected, Outgoing, Quarantined};
pub use repair::{Remedy, RepairPlan, Repaired, Step};
pub use unused::{Unused, UnusedKind};
pub use verify::{Depth, Finding, State, Verification};
