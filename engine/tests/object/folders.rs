//! Folders in buckets, registered file by file where they lie.

use holotype::store::Store;
use holotype::{Artifact, Error, ErrorKind, NewArtifact, Record, RunChoice};

use crate::artifacts::Cloud;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{MOTO, env};

const FILES: [(&str, &str); 3] =
    [("raw/b/2.csv", "a\n2\n"), ("raw/b/deep/3", "333"), ("raw/x.csv", "a\n1\n")];

/// Returns an instance whose bucket holds files of other programs.
fn with_files() -> Cloud {
    let cloud = Cloud::new();
    for (key, content) in FILES {
        cloud.bucket().write(key, content.as_bytes(), false).unwrap();
    }
    cloud
}

fn from_dir(cloud: &Cloud, url: &str, key: Option<&str>) -> Result<Vec<Record>, Error> {
    let mut found = cloud.instance.artifacts_from_dir(url, key, RunChoice::None)?;
    cloud.instance.save_artifacts(&mut found)?;
    Ok(found.into_iter().map(|Artifact { record, .. }| record).collect())
}

fn keys<'a>(records: &'a [Record], field: &str) -> Vec<&'a str> {
    records.iter().filter_map(|record| record.text(field)).collect()
}

#[test]
fn every_file_becomes_an_artifact_where_it_lies() {
    let cloud = with_files();
    let before = cloud.keys();
    let found = from_dir(&cloud, &format!("{}/raw/", cloud.url()), None).unwrap();
    assert_eq!(keys(&found, "key"), FILES.map(|(key, _)| key));
    assert_eq!(keys(&found, "_real_key"), [""; 0]);
    for (record, (_, content)) in found.iter().zip(FILES) {
        assert_eq!((cloud.text(record).as_str(), record.int("size")), (content, Some(content.len() as i64)));
    }
    assert_eq!(cloud.keys(), before, "nothing is copied");
    let again = from_dir(&cloud, &format!("{}/raw", cloud.url()), None).unwrap();
    assert_eq!(keys(&again, "uid"), keys(&found, "uid"));
}

#[test]
fn a_key_goes_before_the_paths_below_the_folder() {
    let cloud = with_files();
    let found = from_dir(&cloud, &format!("{}/raw/b", cloud.url()), Some("batch/")).unwrap();
    assert_eq!(keys(&found, "key"), ["batch/2.csv", "batch/deep/3"]);
    assert_eq!(keys(&found, "_real_key"), ["raw/b/2.csv", "raw/b/deep/3"]);
    assert_eq!(cloud.text(&found[1]), "333");
}

#[test]
fn the_content_of_artifacts_is_left_out_below_the_root() {
    let cloud = with_files();
    let stored = holotype::NewArtifact::new(cloud.source("y.txt", "y")).key("y.txt");
    cloud.save(stored);
    let found = from_dir(&cloud, cloud.url(), None).unwrap();
    assert_eq!(keys(&found, "key"), FILES.map(|(key, _)| key));
}

#[test]
fn the_bucket_is_not_asked_for_every_file() {
    let proxy = Proxy::new(MOTO.port, |_, _| Fault::None);
    let cloud = Cloud::at(&MOTO.root_at(&proxy.endpoint()));
    for i in 0..20 {
        cloud.bucket().write(&format!("raw/{i}"), b"content", false).unwrap();
    }
    let before = proxy.requests();
    let found = cloud.instance.artifacts_from_dir(&format!("{}/raw", cloud.url()), None, RunChoice::None);
    assert_eq!((found.unwrap().len(), proxy.requests() - before <= 4), (20, true));
}

#[test]
fn what_is_no_folder_of_a_known_location_is_refused() {
    let cloud = with_files();
    let refused = |url: &str| {
        let error = cloud.instance.artifacts_from_dir(url, None, RunChoice::None).unwrap_err();
        assert!(error.message().contains(url), "{error}");
        error.kind()
    };
    assert_eq!(refused(&format!("{}/none", cloud.url())), ErrorKind::FileNotFound);
    assert_eq!(refused(&format!("{}/raw/x.csv", cloud.url())), ErrorKind::InvalidArgument);
    let other = MOTO.root();
    Store::open(&other, &env()).unwrap().write("raw/x", b"x", false).unwrap();
    let (folder, server) = other.split_once('?').unwrap();
    assert_eq!(refused(&format!("{folder}/raw?{server}")), ErrorKind::UnknownStorageLocation);
}

#[test]
fn a_question_mark_is_part_of_a_name() {
    let cloud = Cloud::new();
    cloud.bucket().write("raw/a", b"another file", false).unwrap();
    cloud.bucket().write("raw/a?b.txt", b"wanted", false).unwrap();
    let (place, query) = cloud.root.split_once('?').unwrap();
    for path in [format!("{place}/raw/a?b.txt?{query}"), format!("{place}/raw/a?b.txt")] {
        let record = cloud.save(NewArtifact::new(path));
        assert_eq!((record.text("key"), cloud.text(&record).as_str()), (Some("raw/a?b.txt"), "wanted"));
    }
    let found = from_dir(&cloud, &format!("{place}/raw?{query}"), None).unwrap();
    assert_eq!(keys(&found, "key"), ["raw/a", "raw/a?b.txt"]);
    assert_eq!(cloud.text(&found[1]), "wanted");
}
