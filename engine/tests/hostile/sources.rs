//! Sources that cannot be read, or that do not hold still.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use holotype::testing::Scratch;
use holotype::{Artifact, ErrorKind, NewArtifact, RunChoice};

use super::{proof, refused, save, under};

fn construct(scratch: &Scratch, source: &Path, key: &str) -> Artifact {
    scratch.instance().artifact(NewArtifact::new(source.to_str().unwrap()).key(key)).unwrap()
}

#[test]
fn a_missing_file() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.dir().join("work/missing.txt");
    refused(&scratch, ErrorKind::FileNotFound, &["missing.txt"], || save(&scratch, &path, "k.txt"));
    let path = scratch.file("gone.txt", "x").unwrap();
    let mut artifact = construct(&scratch, &path, "k.txt");
    fs::remove_file(&path).unwrap();
    refused(&scratch, ErrorKind::FileNotFound, &["gone.txt"], || {
        scratch.instance().save_artifact(&mut artifact)
    });
    for nothing in ["", "a\0b"] {
        let new = NewArtifact::new(nothing).key("k.txt");
        refused(&scratch, ErrorKind::Value, &["path"], || scratch.instance().artifact(new));
    }
}

/// Not a test of its own: runs without the rights of root.
#[test]
fn unreadable_child() {
    if proof::plan().is_none() {
        return;
    }
    let scratch = Scratch::on_sqlite().unwrap();
    let path = scratch.file("secret.txt", "x").unwrap();
    let folder = scratch.file("folder/secret.txt", "x").unwrap();
    let inner = scratch.file("closed/below/x.txt", "x").unwrap();
    let closed = inner.parent().unwrap();
    let free = construct(&scratch, &scratch.file("closing.txt", "x").unwrap(), "closing.txt");
    for (path, mode) in
        [(&path, 0), (&folder, 0), (&free.source().unwrap().to_path_buf(), 0), (&closed.to_path_buf(), 0)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let denied = ErrorKind::PermissionDenied;
    refused(&scratch, denied, &["secret.txt"], || save(&scratch, &path, "k.txt"));
    refused(&scratch, denied, &["folder/secret.txt"], || save(&scratch, folder.parent().unwrap(), "k"));
    refused(&scratch, denied, &["closed/below"], || save(&scratch, closed.parent().unwrap(), "k"));
    refused(&scratch, denied, &["folder/secret.txt"], || {
        scratch.instance().artifacts_from_dir(
            folder.parent().unwrap().to_str().unwrap(),
            None,
            RunChoice::None,
        )
    });
    let mut free = free;
    refused(&scratch, denied, &["closing.txt"], || scratch.instance().save_artifact(&mut free));
    fs::set_permissions(closed, fs::Permissions::from_mode(0o755)).unwrap();
    println!("@done");
}

#[test]
fn an_unreadable_file() {
    // Permissions do not bind root: the child gives its rights up.
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let script =
        if root { "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"" } else { "exec \"$@\"" };
    under(script, "sources::unreadable_child", "go");
}

#[test]
fn what_is_neither_file_nor_folder() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.dir().join("work/pipe.txt");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    refused(&scratch, ErrorKind::InvalidArgument, &["pipe.txt", "neither a file nor a folder"], || {
        save(&scratch, &path, "k.txt")
    });
    let folder = path.parent().unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["pipe.txt"], || save(&scratch, folder, "k"));
}

#[test]
fn an_empty_folder() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.dir().join("work/empty/inner");
    fs::create_dir_all(&path).unwrap();
    let path = path.parent().unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["empty"], || save(&scratch, path, "k"));
    refused(&scratch, ErrorKind::InvalidArgument, &["empty"], || {
        scratch.instance().artifacts_from_dir(path.to_str().unwrap(), None, RunChoice::None)
    });
}

#[test]
fn a_file_that_changes_before_it_is_stored() {
    let scratch = Scratch::new().unwrap();
    for (name, then) in [("longer.txt", "changed content"), ("equal.txt", "CONTENT"), ("empty.txt", "")] {
        let path = scratch.file(name, "content").unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let mut artifact = construct(&scratch, &path, name);
        fs::write(&path, then).unwrap();
        // Not even a clock turned back hides it.
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        refused(&scratch, ErrorKind::Value, &[name, "create the artifact again"], || {
            scratch.instance().save_artifact(&mut artifact)
        });
        save(&scratch, &path, name).unwrap();
    }
    let path = scratch.file("folder/a.txt", "a").unwrap();
    let folder = path.parent().unwrap();
    let mut artifact = construct(&scratch, folder, "folder");
    scratch.file("folder/b.txt", "b").unwrap();
    refused(&scratch, ErrorKind::Value, &["folder", "create the artifact again"], || {
        scratch.instance().save_artifact(&mut artifact)
    });
    let inside = scratch.root().join("mine.txt");
    fs::write(&inside, "content").unwrap();
    let mut artifact = scratch.instance().artifact(NewArtifact::new(inside.to_str().unwrap())).unwrap();
    fs::write(&inside, "CONTENT").unwrap();
    refused(&scratch, ErrorKind::Value, &["mine.txt", "create the artifact again"], || {
        scratch.instance().save_artifact(&mut artifact)
    });
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("growing.bin", vec![7u8; 4 << 20]).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let ordering = std::sync::atomic::Ordering::Relaxed;
    let (mut refusals, mut saves) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(&path).unwrap();
            while !stop.load(ordering) {
                file.write_all(b"more").unwrap();
            }
        });
        for _ in 0..12 {
            match save(&scratch, &path, "growing.bin") {
                Ok(_) => saves += 1,
                Err(error) => {
                    refusals += 1;
                    assert!(error.message().contains("growing.bin"), "{error}");
                    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::Value), "{error}");
                }
            }
        }
        stop.store(true, ordering);
    });
    assert!(refusals > 0, "a file that grows all the time was saved {saves} times");
    let counted = proof::audit(scratch.instance(), &scratch.root());
    assert!(counted.rows <= saves, "{} rows of {saves} saves", counted.rows);
    assert_eq!((counted.leftovers, counted.orphans), (0, 0));
}

#[test]
fn links_out_of_a_folder() {
    let scratch = Scratch::new().unwrap();
    let secret = scratch.file("outside/secret.txt", "secret").unwrap();
    for (name, target) in
        [("file", secret.as_path()), ("folder", secret.parent().unwrap()), ("loop", Path::new("."))]
    {
        let inner = scratch.file(&format!("{name}/x.txt"), "x").unwrap();
        let link = inner.with_file_name("link");
        symlink(target, &link).unwrap();
        let folder = inner.parent().unwrap();
        refused(&scratch, ErrorKind::InvalidArgument, &["link"], || save(&scratch, folder, name));
    }
    let dangling = scratch.file("dangling/x.txt", "x").unwrap();
    symlink("nowhere", dangling.with_file_name("link")).unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["link"], || {
        save(&scratch, dangling.parent().unwrap(), "dangling")
    });
    // Named itself, a link is what it points at.
    let link = scratch.dir().join("work/direct.txt");
    symlink(&secret, &link).unwrap();
    let saved = save(&scratch, &link, "direct.txt").unwrap();
    assert_eq!(fs::read(scratch.instance().cache(&saved).unwrap()).unwrap(), b"secret");
}

#[test]
fn names_that_are_not_utf_8() {
    let scratch = Scratch::new().unwrap();
    let folder = scratch.file("odd/x.txt", "x").unwrap().parent().unwrap().to_path_buf();
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff\xfe.txt")), "y").unwrap();
    let words = ["odd", "UTF-8"];
    refused(&scratch, ErrorKind::InvalidArgument, &words, || save(&scratch, &folder, "odd"));
    refused(&scratch, ErrorKind::InvalidArgument, &words, || {
        scratch.instance().artifacts_from_dir(folder.to_str().unwrap(), None, RunChoice::None)
    });
    let odd = scratch.file("häuser/Ω \u{1F9EC}.txt", "fine").unwrap();
    let saved = save(&scratch, &odd, "häuser/Ω \u{1F9EC}.txt").unwrap();
    assert_eq!(fs::read(scratch.instance().cache(&saved).unwrap()).unwrap(), b"fine");
}
