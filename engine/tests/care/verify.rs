//! What is wrong is found, all of it and nothing else.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use holotype::care::Depth;
use holotype::db::Sql;
use holotype::{Artifact, Kind, RunChoice};

use crate::proof::Dice;
use crate::{Lab, flip};

fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    (0..size.div_ceil(8)).flat_map(|_| dice.roll().to_le_bytes()).take(size).collect()
}

#[test]
fn sound_content_is_confirmed_and_the_time_is_noted() {
    let lab = Lab::new();
    lab.file("a.txt", "one");
    lab.file("empty.txt", "");
    lab.folder("dir", &[("x", b"1"), ("sub/y", b"22")]);
    let fast = lab.verify(Depth::Fast);
    assert_eq!((fast.checked, fast.read, fast.bytes, fast.is_sound()), (3, 0, 0, true));
    let noted = || {
        let sql = Sql::new("SELECT COUNT(verified_at) FROM holotype_content");
        lab.instance().db().scalar(&sql, Kind::BigInt).unwrap().and_then(|n| n.as_int()).unwrap()
    };
    assert_eq!(noted(), 0);
    let full = lab.verify(Depth::Full);
    assert_eq!((full.checked, full.read, full.bytes, full.is_sound()), (3, 3, 6, true));
    assert_eq!(noted(), 3);
}

#[test]
fn every_flipped_bit_is_found() {
    let lab = Lab::new();
    // The format's hash does not see the middle of the last one.
    let large = 2 * 52_428_800 + 4096;
    let sizes = [1usize, 4096, 300_000, 3_000_000, large];
    let mut places = Vec::new();
    for (i, size) in sizes.iter().enumerate() {
        let record = lab.file(&format!("{i}.bin"), noise(*size, i as u64));
        places.push((lab.path(&record), *size as u64));
    }
    let folder = lab.folder("dir", &[("a", &noise(1000, 7)), ("b/c", &noise(200_000, 8))]);
    places.push((lab.path(&folder).join("a"), 1000));
    places.push((lab.path(&folder).join("b/c"), 200_000));
    let mut dice = Dice(12);
    for round in 0..60 {
        // The largest one is slow to read: a few times are enough, once in the middle.
        let (path, size) = match round {
            0 => &places[4],
            _ => &places[[0, 1, 2, 3, 5, 6][round % 6]],
        };
        let at = if round == 0 { size / 2 } else { dice.below(*size as usize) as u64 };
        flip(path, at);
        let depth = if round == 0 { Depth::Full } else { Depth::Sample(if round % 2 == 0 { 0 } else { 99 }) };
        let found = lab.instance().registry("Artifact").unwrap();
        let found = match round {
            0 => found,
            _ => found.filter(holotype::Q::is("size__lt", large as i64)).unwrap(),
        };
        let wrong = lab.instance().verify(&found, depth).unwrap().wrong;
        let expected = usize::from(depth != Depth::Sample(0));
        assert_eq!(wrong.len(), expected, "round {round}: bit at {at} of {}", path.display());
        assert!(wrong.iter().all(|finding| path.starts_with(&finding.path) && finding.read));
        flip(path, at);
    }
    assert!(lab.verify(Depth::Full).is_sound());
}

#[test]
fn lengths_and_absence_need_no_reading() {
    let lab = Lab::new();
    let [cut, grown, gone, other, kept] = ["cut", "grown", "gone", "other", "kept"]
        .map(|name| lab.file(&format!("{name}.txt"), name.repeat(9)));
    fs::write(lab.path(&cut), "cut").unwrap();
    fs::write(lab.path(&grown), "grown".repeat(10)).unwrap();
    fs::remove_file(lab.path(&gone)).unwrap();
    fs::remove_file(lab.path(&other)).unwrap();
    fs::create_dir(lab.path(&other)).unwrap();
    let expected = [
        "cut.txt: damaged, has 3 bytes instead of 27",
        "grown.txt: damaged, has 50 bytes instead of 45",
        "gone.txt: missing, nothing is there",
        "other.txt: damaged, is a folder where a file is expected",
    ];
    assert_eq!(lab.wrong(Depth::Fast), expected);
    assert_eq!(lab.wrong(Depth::Full), expected);
    let finding = lab.instance().verify_artifact(&kept, Depth::Full).unwrap();
    assert_eq!((finding.state.name(), finding.read), ("sound", true));
    assert_eq!(lab.instance().verify_artifact(&cut, Depth::Full).unwrap().state.name(), "damaged");
}

#[test]
fn missing_changed_and_foreign_files_of_a_folder_are_named() {
    let lab = Lab::new();
    let files: [(&str, &[u8]); 4] = [("a", b"1"), ("b", b"22"), ("sub/c", b"333"), ("sub/d", b"4444")];
    let record = lab.folder("dir", &files);
    let root = lab.path(&record);
    fs::remove_file(root.join("a")).unwrap();
    fs::write(root.join("b"), "longer").unwrap();
    fs::write(root.join("sub/x"), "mine").unwrap();
    let named = "dir: damaged, 1 missing: a; 1 changed: b; 1 foreign: sub/x";
    assert_eq!(lab.wrong(Depth::Fast), [named]);
    fs::write(root.join("a"), "1").unwrap();
    fs::write(root.join("b"), "22").unwrap();
    fs::rename(root.join("sub/x"), root.join("sub/y")).unwrap();
    assert_eq!(lab.wrong(Depth::Fast), ["dir: damaged, 1 foreign: sub/y"]);
    fs::remove_file(root.join("sub/y")).unwrap();
    // Swapped files have the sizes and the compatible hash of before.
    let twin = lab.folder("twin", &[("a", b"xx"), ("b", b"yy")]);
    let twin = lab.path(&twin);
    fs::write(twin.join("a"), "yy").unwrap();
    fs::write(twin.join("b"), "xx").unwrap();
    assert!(lab.wrong(Depth::Fast).is_empty());
    assert_eq!(lab.wrong(Depth::Full), ["twin: damaged, 2 changed: a, b"]);
    fs::remove_dir_all(twin).unwrap();
    assert_eq!(lab.wrong(Depth::Fast), ["twin: missing, nothing is there"]);
}

#[test]
fn what_cannot_be_looked_at_is_not_called_missing() {
    let lab = Lab::new();
    lab.file("a.txt", "one");
    let second = lab.scratch.dir().join("second");
    let new = holotype::NewStorage::new(second.to_str().unwrap());
    let storage = lab.instance().create_storage(&new).unwrap().id();
    lab.behind(&format!("UPDATE lamindb_artifact SET storage_id = {}", storage.unwrap()));
    fs::remove_dir_all(second).unwrap();
    let wrong = lab.wrong(Depth::Full);
    assert!(wrong[0].starts_with("a.txt: unreachable") && wrong[0].ends_with("is it mounted?"), "{wrong:?}");
    lab.behind("UPDATE lamindb_artifact SET storage_id = 1, _key_is_virtual = false, key = '../a.txt'");
    assert!(lab.wrong(Depth::Fast)[0].contains("leads out of"));
}

#[test]
fn older_versions_at_a_shared_place_are_as_they_should_be() {
    let lab = Lab::new();
    lab.folder("dir", &[("x", b"1")]);
    lab.folder("dir", &[("x", b"2")]);
    let found = lab.verify(Depth::Full);
    assert_eq!((found.checked, found.read, found.overwritten, found.is_sound()), (2, 1, 1, true));
}

#[test]
fn rows_without_a_digest_get_one_when_their_hash_is_right() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "theirs");
    let folder = lab.folder("dir", &[("x", b"1")]);
    lab.behind("DELETE FROM holotype_content");
    assert!(lab.verify(Depth::Full).is_sound());
    assert_eq!(lab.instance().manifest(&folder).unwrap().unwrap().entries().len(), 1);
    lab.behind("DELETE FROM holotype_content");
    flip(&lab.path(&record), 0);
    flip(&lab.path(&folder).join("x"), 0);
    let wrong = lab.wrong(Depth::Full);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("do not have the hash"), "{wrong:?}");
}

#[test]
fn content_that_another_program_replaced_is_not_damaged() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "one");
    let other = lab.file("b.txt", "theirs");
    let hash = other.text("hash").unwrap().to_owned();
    lab.instance().delete_artifact(&other, None).unwrap();
    fs::write(lab.path(&record), "theirs").unwrap();
    assert_eq!(lab.wrong(Depth::Full).len(), 1);
    lab.behind(&format!(
        "UPDATE lamindb_artifact SET hash = '{hash}', size = 6 WHERE id = {}",
        record.id().unwrap()
    ));
    assert!(lab.verify(Depth::Full).is_sound());
    let digest = lab.instance().content_of(&lab.fresh(&record)).unwrap().unwrap().digest;
    assert_eq!(digest, holotype::hash::Digest::of(b"theirs"), "the digest is renewed");
}

#[test]
fn whoever_writes_meanwhile_makes_nothing_wrong() {
    let lab = Lab::new();
    let mut artifact = Artifact::from_record(lab.file("r.csv", "0"));
    lab.folder("dir", &[("x", b"0")]);
    let (writer, _) = lab.scratch.connect(77).unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..60 {
                let source = lab.scratch.file("next.csv", "x".repeat(round * 100 + 2)).unwrap();
                let source = source.to_str().unwrap().to_owned();
                if writer.replace_content(&mut artifact, &source, false, RunChoice::None).unwrap().is_none() {
                    writer.save_artifact(&mut artifact).unwrap();
                }
                let gone = lab.scratch.file("gone.txt", format!("{round}")).unwrap();
                let gone = holotype::NewArtifact::new(gone.to_str().unwrap()).key(format!("g{round}.txt"));
                let gone = crate::proof::save(&writer, gone).unwrap();
                writer.delete_artifact(&gone, None).unwrap();
            }
            ended.store(true, Ordering::SeqCst);
        });
        let mut rounds = 0;
        while !ended.load(Ordering::SeqCst) {
            let wrong = lab.wrong(if rounds % 2 == 0 { Depth::Full } else { Depth::Fast });
            // A row that is just being replaced or deleted is marked while that lasts.
            assert!(wrong.iter().all(|finding| finding.contains("incomplete")), "{wrong:?}");
            rounds += 1;
        }
        assert!(rounds > 3);
    });
    assert!(lab.verify(Depth::Full).is_sound());
}
