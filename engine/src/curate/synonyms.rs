//! Synonyms of one record: texts in one column, separated by `|`.

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::query::{Operand, Q};
use crate::record::Record;
use crate::value::Value;

impl Instance {
    /// Adds synonyms to a record, and saves it when `save` says so or, by default, when it has been saved before.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`] for a synonym that contains `|` or, unless `force`, belongs to another record;
    /// [`ErrorKind::Unsupported`] on a registry without synonyms.
    pub fn add_synonym<S: AsRef<str>>(
        &self,
        record: &mut Record,
        synonyms: &[S],
        force: bool,
        save: Option<bool>,
    ) -> Result<()> {
        self.put_synonyms(record, synonyms, force)?;
        self.save_if(record, save)
    }

    /// Takes synonyms away from a record, and saves it when it has been saved before; unknown ones are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] on a registry without synonyms.
    pub fn remove_synonym<S: AsRef<str>>(&self, record: &mut Record, synonyms: &[S]) -> Result<()> {
        require(record, "synonyms")?;
        let gone: Vec<&str> = synonyms.iter().map(AsRef::as_ref).collect();
        let kept: Vec<&str> = items(record).filter(|item| !gone.contains(item)).collect();
        let text = (!kept.is_empty()).then(|| kept.join("|"));
        record.set("synonyms", text)?;
        self.save_if(record, None)
    }

    /// Sets the abbreviation of a record, which becomes one of its synonyms, and saves it when it has been saved before.
    ///
    /// # Errors
    /// Those of [`Instance::add_synonym`]; [`ErrorKind::Integrity`] when another record has the abbreviation.
    pub fn set_abbr(&self, record: &mut Record, abbr: &str) -> Result<()> {
        require(record, "abbr")?;
        self.put_synonyms(record, &[abbr], false)?;
        record.set("abbr", abbr)?;
        self.save_if(record, None)
    }

    fn put_synonyms<S: AsRef<str>>(&self, record: &mut Record, synonyms: &[S], force: bool) -> Result<()> {
        require(record, "synonyms")?;
        let mut all: Vec<&str> = items(record).collect();
        let mut new: Vec<&str> = Vec::new();
        for synonym in synonyms.iter().map(|synonym| synonym.as_ref().trim()) {
            if synonym.contains('|') {
                return Err(Error::validation("a synonym can't contain '|'!"));
            }
            if !synonym.is_empty() && !all.contains(&synonym) {
                all.push(synonym);
                new.push(synonym);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        if !force {
            self.refuse_taken(record, &new)?;
        }
        let text = all.join("|");
        record.set("synonyms", text)
    }

    /// Refuses synonyms that another record of the registry owns; names of other records are no obstacle.
    fn refuse_taken(&self, record: &Record, new: &[&str]) -> Result<()> {
        let registry = record.registry();
        let mentions = new.iter().map(|synonym| Q::is("synonyms__contains", *synonym)).collect();
        let mut query = self.query(registry).visible()?.filter(Q::Or(mentions))?;
        if let Some(id) = record.id() {
            query = query.exclude(Q::Is("id".to_owned(), Operand::One(Value::Int(id))))?;
        }
        let owners = query.order_by(["id"])?.all()?;
        let owners: Vec<&Record> =
            owners.iter().filter(|owner| items(owner).any(|item| new.contains(&item))).collect();
        if owners.is_empty() {
            return Ok(());
        }
        let taken: Vec<String> = new
            .iter()
            .filter(|synonym| owners.iter().any(|owner| items(owner).any(|item| item == **synonym)))
            .map(|synonym| format!("'{synonym}'"))
            .collect();
        let name = registry.name_field.unwrap_or("uid");
        let lines: Vec<String> = owners
            .iter()
            .map(|owner| {
                format!(
                    "  {}: {}",
                    owner.text(name).unwrap_or(owner.uid()),
                    owner.text("synonyms").unwrap_or_default()
                )
            })
            .collect();
        self.env().emit(Event::Warning(format!(
            "input synonyms [{}] already associated with the following records:\n{}",
            taken.join(", "),
            lines.join("\n")
        )));
        Err(Error::validation(format!(
            "you are trying to assign a synonym to record: {}\n    → consider removing the synonym from existing records \
             or using a different synonym.",
            record.repr()
        )))
    }

    fn save_if(&self, record: &mut Record, save: Option<bool>) -> Result<()> {
        if save.unwrap_or(record.id().is_some()) { self.save(record) } else { Ok(()) }
    }
}

fn items(record: &Record) -> impl Iterator<Item = &str> {
    record.text("synonyms").unwrap_or_default().split('|').map(str::trim).filter(|item| !item.is_empty())
}

fn require(record: &Record, field: &str) -> Result<()> {
    let registry = record.registry();
    if registry.column(field).is_some() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{} has no field '{field}', so its records cannot be given one", registry.name),
    ))
}
