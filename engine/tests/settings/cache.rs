//! The cache directory and the places of copies in it.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use holotype::ErrorKind;
use holotype::instance::root::StorageRoot;
use holotype::instance::settings::{
    ArtifactPlace, SystemSettings, cache_dir, cache_path, database_cache_path, plan_cache_clear,
    plan_cache_move, unsaved_path,
};

use super::*;

#[test]
fn variable_beats_user_beats_machine_beats_platform() {
    let world = World::new();
    let path = |name: &str| world.path(name);
    let show = |path: &Path| path.to_str().unwrap().to_owned();
    #[cfg(target_os = "linux")]
    {
        assert_eq!(cache_dir(&world.env).unwrap(), world.env.home.join(".cache/lamindb"));
        let mut env = world.env.clone();
        std::sync::Arc::make_mut(&mut env.vars).insert("XDG_CACHE_HOME".into(), show(&path("xc")));
        assert_eq!(cache_dir(&env).unwrap(), path("xc/lamindb"));
        put(
            path("etc/lamindb/system.env"),
            &format!("lamindb_cache_path={}\nlamindb_s3_anon=true\n", show(&path("sys"))),
        );
        assert_eq!(cache_dir(&env).unwrap(), path("sys"));
        assert!(SystemSettings::load(&env).unwrap().s3_anon);
    }
    put(
        world.lamin("storage.env"),
        &format!("lamindb_cache_path={}", show(&path("user # one"))).replace(" #", "#"),
    );
    assert_eq!(cache_dir(&world.env).unwrap(), path("user# one"));
    assert!(path("user# one").is_dir(), "created on access");
    let mut env = world.env.clone();
    std::sync::Arc::make_mut(&mut env.vars).insert("LAMIN_CACHE_DIR".into(), show(&path("var")));
    assert_eq!(cache_dir(&env).unwrap(), path("var"));
    std::sync::Arc::make_mut(&mut env.vars).insert("HOLOTYPE_CACHE_DIR".into(), show(&path("twin")));
    assert_eq!(cache_dir(&env).unwrap(), path("twin"));
}

#[test]
fn impossible_cache_directories_are_refused() {
    let world = World::new();
    put(world.path("file"), "");
    for value in ["relative", "./x", "s3://lab/cache"] {
        let mut env = world.env.clone();
        std::sync::Arc::make_mut(&mut env.vars).insert("LAMIN_CACHE_DIR".into(), value.into());
        let error = cache_dir(&env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert_eq!(error.message(), "LAMIN_CACHE_DIR must be a valid absolute path.");
    }
    let refused = |dir: &Path| plan_cache_move(&world.env, Some(dir)).unwrap_err();
    assert_eq!(refused(Path::new("relative")).message(), "A path to the cache dir should be absolute.");
    assert!(refused(&world.path("file")).message().ends_with("it is a file"));
    assert!(refused(Path::new("s3://lab/cache")).message().contains("is a URL"));
    assert!(refused(Path::new("/")).message().contains("holds the home directory"));
    assert!(refused(&world.env.home).message().contains("holds the home directory"));
    assert!(refused(&world.lamin("")).message().contains("holds the settings directory"));
    put(world.lamin("storage.env"), "garbage");
    assert_eq!(cache_dir(&world.env).unwrap_err().kind(), ErrorKind::SettingsOutdated);
}

#[test]
fn a_directory_that_cannot_be_made_is_a_warning() {
    let world = World::new();
    put(world.path("file"), "");
    let inside = world.path("file/cache");
    let world = world.var("LAMIN_CACHE_DIR", inside.to_str().unwrap());
    assert_eq!(cache_dir(&world.env).unwrap(), inside);
    assert!(world.warnings()[0].contains("was not created"));
}

#[test]
fn moving_takes_the_copies_and_their_times_along() {
    let world = World::new();
    let (old, new) = (cache_dir(&world.env).unwrap(), world.path("new cache"));
    put(old.join("lab/a/x.csv"), "x");
    put(old.join("lab/y.csv"), "y");
    put(new.join("lab/y.csv"), "newer");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    fs::File::options().write(true).open(old.join("lab/a/x.csv")).unwrap().set_modified(time).unwrap();
    let plan = plan_cache_move(&world.env, Some(&new)).unwrap();
    assert_eq!((plan.files.len(), plan.removes_old), (2, true));
    assert!(old.join("lab/y.csv").exists() && !world.lamin("storage.env").exists(), "a plan does nothing");
    plan.apply(&world.env).unwrap();
    assert_eq!(text(world.lamin("storage.env")), format!("lamindb_cache_path={}", new.display()));
    assert_eq!(cache_dir(&world.env).unwrap(), new);
    assert_eq!(fs::metadata(new.join("lab/a/x.csv")).unwrap().modified().unwrap(), time);
    assert_eq!(text(new.join("lab/y.csv")), "newer", "what is there stays");
    assert!(!old.exists());
    plan_cache_move(&world.env, None).unwrap().apply(&world.env).unwrap();
    assert_eq!(text(world.lamin("storage.env")), "lamindb_cache_path=null");
    assert_eq!(cache_dir(&world.env).unwrap(), old);
    assert_eq!(text(old.join("lab/a/x.csv")), "x");
    assert!(!new.exists());
}

#[test]
fn a_home_relative_cache_is_written_out() {
    let world = World::new();
    plan_cache_move(&world.env, Some(Path::new("~/c # d"))).unwrap().apply(&world.env).unwrap();
    assert_eq!(cache_dir(&world.env).unwrap(), world.env.home.join("c # d"));
}

#[test]
#[cfg(target_os = "linux")]
fn the_cache_of_the_machine_stays() {
    let world = World::new();
    let shared = world.path("shared");
    put(world.path("etc/lamindb/system.env"), &format!("lamindb_cache_path={}", shared.display()));
    put(shared.join("lab/x.csv"), "x");
    let plan = plan_cache_move(&world.env, Some(&world.path("mine"))).unwrap();
    assert!(!plan.removes_old);
    plan.apply(&world.env).unwrap();
    assert!(shared.join("lab/x.csv").exists() && world.path("mine/lab/x.csv").exists());
}

#[test]
fn a_cache_does_not_move_into_itself() {
    let world = World::new();
    let old = cache_dir(&world.env).unwrap();
    for dir in [old.join("inner"), old.parent().unwrap().to_owned()] {
        let error = plan_cache_move(&world.env, Some(&dir)).unwrap_err();
        assert!(error.message().contains("one holds the other"), "{error}");
    }
    let plan = plan_cache_move(&world.env, Some(&old)).unwrap();
    assert!(plan.files.is_empty() && !plan.removes_old);
}

#[test]
fn clearing_is_planned_and_then_removes_what_was_planned() {
    let world = World::new();
    let dir = cache_dir(&world.env).unwrap();
    put(dir.join("lab/a/x.csv"), "12345");
    put(dir.join("y.csv"), "678");
    fs::create_dir_all(dir.join("empty/inner")).unwrap();
    let plan = plan_cache_clear(&world.env).unwrap();
    assert_eq!(plan.files, [dir.join("lab/a/x.csv"), dir.join("y.csv")]);
    assert_eq!((plan.bytes, plan.folders.len()), (8, 4));
    put(dir.join("lab/later.csv"), "came after the plan");
    fs::remove_file(dir.join("y.csv")).unwrap();
    plan.apply().unwrap();
    assert_eq!(names(&dir), ["lab"]);
    assert_eq!(names(dir.join("lab")), ["later.csv"]);
    plan_cache_clear(&world.env).unwrap().apply().unwrap();
    assert!(names(&dir).is_empty(), "the directory itself stays");
}

#[test]
#[cfg(unix)]
fn clearing_never_leaves_the_cache_through_a_link() {
    let world = World::new();
    let dir = cache_dir(&world.env).unwrap();
    put(world.path("precious/data.csv"), "keep");
    std::os::unix::fs::symlink(world.path("precious"), dir.join("folder")).unwrap();
    std::os::unix::fs::symlink(world.path("precious/data.csv"), dir.join("file")).unwrap();
    std::os::unix::fs::symlink(world.path("nowhere"), dir.join("dangling")).unwrap();
    let plan = plan_cache_clear(&world.env).unwrap();
    assert_eq!((plan.files.len(), plan.folders.len()), (3, 0));
    plan.apply().unwrap();
    assert!(names(&dir).is_empty());
    assert_eq!(text(world.path("precious/data.csv")), "keep");
}

#[test]
fn clearing_refuses_what_is_no_cache() {
    let world = World::new();
    instance(&world.env, "mydir").save(&world.env).unwrap();
    put(world.path("Work/storage/data.csv"), "keep");
    let storage = world.path("Work").to_str().unwrap().to_owned();
    let world = world.var("LAMIN_CACHE_DIR", storage);
    let error = plan_cache_clear(&world.env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().contains("the storage location of instance anonymous/mydir"), "{error}");
    assert!(world.path("Work/storage/data.csv").exists());
    let home = world.env.home.to_str().unwrap().to_owned();
    let world = world.var("LAMIN_CACHE_DIR", home);
    assert!(plan_cache_clear(&world.env).unwrap_err().message().contains("the home directory"));
}

fn place<'a>(
    storage_key: &'a str,
    key: Option<&'a str>,
    key_is_virtual: bool,
    is_latest: bool,
) -> ArtifactPlace<'a> {
    ArtifactPlace { storage_key, key, key_is_virtual, is_latest }
}

#[test]
fn copies_lie_where_the_format_has_them() {
    let dir = Path::new("/cache");
    let auto = ".lamindb/uid0000.csv";
    for (root, place, expected) in [
        ("s3://bucket/a", place(auto, Some("x/k.csv"), true, true), Some("bucket/a/x/k.csv")),
        ("s3://bucket/a", place(auto, Some("x/k.csv"), true, false), Some("bucket/a/.lamindb/uid0000.csv")),
        ("s3://bucket/a", place(auto, None, true, true), Some("bucket/a/.lamindb/uid0000.csv")),
        ("s3://bucket/a", place("k.csv", Some("k.csv"), false, false), Some("bucket/a/k.csv")),
        (
            "s3://bucket/a",
            place("iris.csv", Some("iris_test.csv"), false, true),
            Some("bucket/a/iris_test.csv"),
        ),
        (
            "s3://bucket/a?endpoint_url=http://h:1",
            place(auto, None, true, true),
            Some("bucket/a/.lamindb/uid0000.csv"),
        ),
        ("gs://bucket", place("k.csv", Some("k.csv"), false, true), Some("bucket/k.csv")),
        ("https://x.org/data", place("b/k.csv", Some("b/k.csv"), false, true), Some("x.org/data/b/k.csv")),
        ("s3://bucket/a", place("k", Some("x/../y//./z"), true, true), Some("bucket/a/y/z")),
        ("/data", place(auto, None, true, true), None),
    ] {
        let root = StorageRoot::stored(root).unwrap();
        let found = cache_path(dir, &root, place).unwrap();
        assert_eq!(found, expected.map(|below| dir.join(below)), "{root} {place:?}");
    }
    let root = StorageRoot::stored("s3://bucket/a").unwrap();
    assert_eq!(database_cache_path(dir, &root), Some("/cache/bucket/a/.lamindb/lamin.db".into()));
    assert_eq!(database_cache_path(dir, &StorageRoot::stored("/data").unwrap()), None);
    assert_eq!(unsaved_path(dir, "uid0000", ".h5ad"), Path::new("/cache/uid0000.h5ad"));
}

#[test]
fn keys_that_lead_out_are_refused() {
    let root = StorageRoot::stored("s3://bucket/a").unwrap();
    for key in ["../../../etc/passwd", "..", "../b/k.csv", "x/../..", "../../other-bucket/k.csv", "", "."] {
        let error = cache_path(Path::new("/cache"), &root, place("k", Some(key), true, true)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert_eq!(error.message(), format!("cache key '{key}' resolves outside the cache directory."));
    }
    let absolute =
        cache_path(Path::new("/cache"), &root, place("k", Some("/etc/passwd"), true, true)).unwrap();
    assert_eq!(absolute, Some("/cache/bucket/a/etc/passwd".into()));
}
