//! Conditions: what users combine with and, or, not.

use crate::record::TRASH;
use crate::value::Value;

use super::QuerySet;

/// What a look-up is compared with.
#[derive(Clone, Debug)]
pub enum Operand {
    /// One value.
    One(Value),
    /// Several values, for `in` and `range`.
    Many(Vec<Value>),
    /// The records of another query, for `in`; the field is the one compared, the id by default.
    Query(Box<QuerySet>, Option<String>),
}

impl<T: Into<Value>> From<T> for Operand {
    fn from(value: T) -> Self {
        Operand::One(value.into())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Operand {
    fn from(values: Vec<T>) -> Self {
        Operand::Many(values.into_iter().map(Into::into).collect())
    }
}

/// A tree of conditions.
#[derive(Clone, Debug)]
pub enum Q {
    /// All hold; an empty list always holds.
    And(Vec<Q>),
    /// One holds; an empty list never holds.
    Or(Vec<Q>),
    /// Does not hold (a comparison with null counts as not holding).
    Not(Box<Q>),
    /// A look-up such as `key__startswith` and what it is compared with.
    Is(String, Operand),
}

impl Q {
    /// Returns the condition that the look-up `path` matches `operand`.
    pub fn is(path: impl Into<String>, operand: impl Into<Operand>) -> Q {
        Q::Is(path.into(), operand.into())
    }

    /// Returns the condition that a record is in the trash.
    pub fn trashed() -> Q {
        Q::is("branch_id", TRASH)
    }

    /// Returns the condition that a record is not in the trash.
    pub fn untrashed() -> Q {
        Q::is("branch_id__gt", TRASH)
    }

    /// Returns the condition that a record belongs to the family of versions with this stem.
    ///
    /// A range on the indexed uid: `uid__startswith` would read every row, since it ignores case.
    pub fn family(stem: &str) -> Q {
        // `{` is the character after `z`, the last one of a uid.
        Q::is("uid__gte", stem).and(Q::is("uid__lt", format!("{stem}{{")))
    }

    /// Returns the condition that both hold.
    pub fn and(self, other: Q) -> Q {
        Q::And(vec![self, other])
    }

    /// Returns the condition that one of both holds.
    pub fn or(self, other: Q) -> Q {
        Q::Or(vec![self, other])
    }

    /// Returns the condition that this one does not hold.
    #[must_use]
    pub fn negate(self) -> Q {
        Q::Not(Box::new(self))
    }

    /// Calls `visit` with the path of every look-up in the tree.
    pub fn paths(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Q::And(parts) | Q::Or(parts) => parts.iter().for_each(|part| part.paths(visit)),
            Q::Not(part) => part.paths(visit),
            Q::Is(path, _) => visit(path),
        }
    }
}
