//! Files in buckets that nobody registered: registered with their bucket where it can only be read, else refused.

use holotype::store::Store;
use holotype::{ErrorKind, NewArtifact};

use crate::artifacts::Cloud;
use crate::stores::http_server::{Answer, WebServer};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{MOTO, env, with_vars};

/// Returns the URL of a folder in a new bucket that holds `x.csv`, and what follows it to name the server.
fn shared(endpoint: &str) -> (String, String) {
    let root = MOTO.root_at(endpoint);
    let (folder, _) = root.split_once('?').unwrap();
    let bucket = Store::open(&format!("{folder}?endpoint_url={}", MOTO.endpoint()), &env()).unwrap();
    bucket.write("x.csv", b"a,b\n1,2\n", false).unwrap();
    (folder.to_owned(), format!("?endpoint_url={endpoint}"))
}

/// Returns the keys of all objects of the bucket that a URL names.
fn keys_beside(url: &str) -> Vec<String> {
    let bucket = url.trim_start_matches("s3://").split('/').next().unwrap();
    let store = Store::open(&format!("s3://{bucket}?endpoint_url={}", MOTO.endpoint()), &env()).unwrap();
    store.list("").unwrap().into_iter().map(|entry| entry.key).collect()
}

#[test]
fn a_bucket_that_takes_nothing_is_registered_for_reading() {
    let closed = Proxy::new(MOTO.port, |_, request| match request.split(' ').next() {
        Some("GET" | "HEAD") => Fault::None,
        _ => Fault::Status(403),
    });
    let (folder, query) = shared(&closed.endpoint());
    let cloud = Cloud::new();
    let file = cloud.save(NewArtifact::new(format!("{folder}/x.csv{query}")));
    assert_eq!((file.text("key"), file.int("size")), (Some("some/prefix/x.csv"), Some(8)));
    let registry = cloud.instance.registry("Storage").unwrap();
    let storage = cloud.instance.by_id(registry.registry(), file.int("storage_id").unwrap()).unwrap();
    let bucket = folder.strip_suffix("/some/prefix").unwrap();
    assert_eq!(storage.text("root"), Some(format!("{bucket}{query}").as_str()));
    assert_eq!((storage.text("instance_uid"), cloud.instance.manages(&storage)), (None, false));
    assert_eq!(cloud.text(&file), "a,b\n1,2\n");
    assert_eq!(keys_beside(&folder), ["some/prefix/x.csv"]);

    let missing = cloud.instance.artifact(NewArtifact::new(format!("{folder}/y.csv{query}"))).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::FileNotFound);
}

#[test]
fn a_bucket_of_another_instance_is_registered_for_reading() {
    let (folder, query) = shared(&MOTO.endpoint());
    let bucket = folder.strip_suffix("/some/prefix").unwrap();
    let theirs =
        "Gl9Zk3xVw1Qa\ncreation info:\ninstance_slug=ada/atlas\ninstance_id=000b5913b43356da8d7d12f539890c70";
    let store = Store::open(&format!("{bucket}{query}"), &env()).unwrap();
    store.write(".lamindb/storage_uid.txt", theirs.as_bytes(), false).unwrap();
    let cloud = Cloud::new();
    let file = cloud.save(NewArtifact::new(format!("{folder}/x.csv{query}")));
    let registry = cloud.instance.registry("Storage").unwrap();
    let storage = cloud.instance.by_id(registry.registry(), file.int("storage_id").unwrap()).unwrap();
    assert_eq!((storage.uid(), storage.text("instance_uid")), ("Gl9Zk3xVw1Qa", Some("4FrYXn8a3piK")));
}

#[test]
fn a_bucket_that_can_be_written_has_to_be_registered_first() {
    let (folder, query) = shared(&MOTO.endpoint());
    let cloud = Cloud::new();
    let error = cloud.instance.artifact(NewArtifact::new(format!("{folder}/x.csv{query}"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownStorageLocation);
    for words in [cloud.url(), &format!("ln.Storage(root='{folder}{query}').save()")] {
        assert!(error.message().contains(words), "'{words}' is not in: {error}");
    }
    assert_eq!(keys_beside(&folder), ["some/prefix/x.csv"], "nothing was written");
}

#[test]
fn the_region_of_a_bucket_is_asked_for_where_no_setting_names_it() {
    let server = WebServer::start(|_| Answer::new(200, "").with("x-amz-bucket-region", "eu-west-3"));
    let root = format!("s3://bucket/x?endpoint_url={}", server.address());
    let region = |vars: &[(&str, &str)]| Store::open(&root, &with_vars(vars)).unwrap().region().unwrap();
    assert_eq!(region(&[]).as_deref(), Some("eu-west-3"));
    assert_eq!(region(&[("AWS_REGION", "us-west-1")]).as_deref(), Some("us-west-1"));
    let [asked] = &server.asked()[..] else { panic!("the bucket is asked once") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("HEAD", "/bucket"));
}
