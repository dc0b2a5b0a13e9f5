//! URLs of records: `https://host/owner/name/artifact/uid`.

use holotype::model::Registry;

use crate::entity;

/// What a URL of a record names.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// `owner/name`.
    pub instance: String,
    /// Registry of the record.
    pub registry: &'static Registry,
    /// Uid of the record.
    pub uid: String,
}

/// Returns what a URL names; `None` when the text is no URL of a record.
pub(crate) fn parse(text: &str) -> Option<Link> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let path = rest.split(['?', '#']).next()?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let [_host, owner, name, registry, uid] = parts.as_slice() else { return None };
    let complete = [owner, name, uid].iter().all(|part| !part.is_empty());
    let registry = entity::find(registry).filter(|_| complete)?;
    Some(Link { instance: format!("{owner}/{name}"), registry, uid: (*uid).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_instance_registry_and_uid() {
        let link = parse("https://lamin.ai/laminlabs/lamindata/artifact/abc0000?x=1").unwrap();
        assert_eq!(
            (link.instance.as_str(), link.registry.name, link.uid.as_str()),
            ("laminlabs/lamindata", "Artifact", "abc0000")
        );
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in
            ["artifact", "https://lamin.ai/o/n", "https://lamin.ai/o/n/artifact/", "https://h/o/n/nothing/u"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
