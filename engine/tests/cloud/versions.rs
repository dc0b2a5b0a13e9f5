//! Objects that are written only over the version that the writer knows.

use holotype::ErrorKind;
use holotype::store::Store;

use crate::stores::server::{MOTO, S3S, env};
use crate::stores::{azure, google};

const KEY: &str = "d/x";

#[test]
fn only_the_known_version_is_replaced() {
    for (root, env) in [
        (MOTO.root(), env()),
        (S3S.root(), env()),
        (google::root(), google::env()),
        (azure::root(), azure::env()),
    ] {
        let store = Store::open(&root, &env).unwrap();
        assert_eq!((store.version(KEY).unwrap(), store.read_version(KEY).unwrap()), (None, None));
        let put = |known: Option<&_>, bytes: &[u8]| store.write_over(KEY, known, bytes.to_vec()).unwrap();
        let first = put(None, b"one").unwrap();
        assert_eq!(store.version(KEY).unwrap().as_ref(), Some(&first));
        assert_eq!(put(None, b"other"), None, "there is one");
        let second = put(Some(&first), b"two").unwrap();
        assert_ne!(first, second);
        assert_eq!(put(Some(&first), b"late"), None, "it is another one");
        assert_eq!(put(Some(&first), b"two").as_ref(), Some(&second), "these bytes are there already");
        assert_eq!(store.read_version(KEY).unwrap(), Some((b"two".to_vec(), second.clone())));
        store.remove(KEY).unwrap();
        assert_eq!(put(Some(&second), b"three"), None, "it is gone");
        let file = tempfile::tempdir().unwrap().path().join("x");
        assert_eq!(store.fetch_version(KEY, &file).unwrap(), None);
    }
    let bucket = Store::open(&MOTO.root().replace("bucket-", "none-"), &env()).unwrap();
    assert_eq!(bucket.read_version(KEY).unwrap_err().kind(), ErrorKind::FileNotFound, "no bucket at all");
    let local = Store::local("/nowhere", &env());
    assert_eq!(local.version(KEY).unwrap_err().kind(), ErrorKind::Unsupported);
}
