//! How much of an instance lies in a bucket.

use holotype::{Instance, NewStorage, Q, Result};

use crate::client::Client;

/// What lies in the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    /// Only content, in the default storage location.
    Content,
    /// The database as well.
    Everything,
}

impl Kept {
    pub fn name(self) -> &'static str {
        if self == Kept::Everything { "everything" } else { "content" }
    }

    /// Returns what a name stands for.
    pub fn named(name: &str) -> Kept {
        [Kept::Content, Kept::Everything].into_iter().find(|kept| kept.name() == name).unwrap()
    }

    /// Makes the instance, which nobody holds then.
    pub fn init(self, client: &Client) {
        let instance = match self {
            Kept::Everything => client.init().unwrap(),
            Kept::Content => {
                let local = client.dir.join("store").display().to_string();
                let instance = client.init_at(&local).unwrap();
                instance.create_storage(&NewStorage::new(&client.root)).unwrap();
                instance
            }
        };
        instance.disconnect().unwrap();
    }

    /// Returns the instance as a process of this machine opens it, with the bucket as its default location.
    pub fn open(self, client: &Client) -> Result<Instance> {
        let instance = client.connect()?;
        instance.with_creation(|creation| creation.silence_missing_run = true)?;
        if self == Kept::Content {
            let all = instance.registry("Storage")?.filter(Q::is("root", client.root.as_str()))?;
            instance.use_storage(&all.first()?.unwrap())?;
        }
        Ok(instance)
    }
}
