//! Instance settings files, byte by byte, and what is done about damaged ones.

use std::fs;

use holotype::ErrorKind;
use holotype::instance::settings::{
    DatabaseSite, InstanceSettings, chosen_modules, parse_modules, set_chosen_modules,
};
use proptest::prelude::*;

use super::*;

const FILE: &str = "instance--anonymous--mydir.env";

fn expected(root: &str) -> String {
    format!(
        "lamindb_instance_owner=anonymous\n\
         lamindb_instance_name=mydir\n\
         lamindb_instance_storage_root={root}\n\
         lamindb_instance_storage_region=null\n\
         lamindb_instance_db=null\n\
         lamindb_instance_schema_str=null\n\
         lamindb_instance_id=513e4b7efca85e21a880629f56a514d0\n\
         lamindb_instance_git_repo=null\n\
         lamindb_instance_keep_artifacts_local=False\n\
         lamindb_instance_api_url=null\n\
         lamindb_instance_schema_id=null\n\
         lamindb_instance_fine_grained_access=False\n\
         lamindb_instance_db_permissions=null\n\
         lamindb_instance_is_clone=False\n"
    )
}

#[test]
fn a_plain_instance_is_written_as_the_format_has_it() {
    let world = World::new();
    let settings = instance(&world.env, "anonymous/mydir");
    settings.save(&world.env).unwrap();
    let root = world.path("Work/storage");
    assert_eq!(text(world.lamin(FILE)), expected(root.to_str().unwrap()));
    assert_eq!(names(world.lamin("")), [FILE]);
    assert!(!root.exists(), "saving settings must not create the storage location");
    assert_eq!(InstanceSettings::load(&world.env, &slug("mydir")).unwrap(), settings);
}

#[test]
fn every_field_is_written_and_read() {
    let world = World::new();
    let settings = InstanceSettings {
        storage_region: Some("eu-central-1".into()),
        db: Some("postgresql://me:secret@db.example.org:5432/lab?sslmode=require".into()),
        modules: vec!["bionty".into(), "pertdb".into()],
        git_repo: Some("https://example.org/lab/scripts".into()),
        keep_artifacts_local: true,
        api_url: Some("https://api.example.org".into()),
        schema_id: Some("0123456789abcdef0123456789abcdef".into()),
        fine_grained_access: true,
        db_permissions: Some("write".into()),
        is_clone: true,
        ..instance(&world.env, "lab/main")
    };
    settings.save_as_global(&world.env).unwrap();
    let written = text(world.lamin("instance--lab--main.env"));
    assert!(written.contains("\nlamindb_instance_schema_str=bionty,pertdb\n"));
    assert!(written.contains("\nlamindb_instance_keep_artifacts_local=True\n"));
    assert_eq!(text(world.lamin("current_instance.env")), written);
    assert_eq!(InstanceSettings::find_global(&world.env).unwrap(), Some(settings.clone()));
    assert_eq!(
        settings.shown_database(&world.env).unwrap(),
        "postgresql://me:***@***:5432/lab",
        "neither password nor host are shown"
    );
    assert!(!format!("{settings:?}").contains("secret"));
    assert_eq!(settings.sqlite_path(&world.env).unwrap(), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(world.lamin("instance--lab--main.env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the file holds a password");
    }
}

#[test]
fn awkward_roots_are_quoted_as_other_readers_expect() {
    let world = World::new();
    for (root, line) in [
        ("/data/plain folder", "/data/plain folder"),
        ("/data/a'b\\n", "/data/a'b\\n"),
        ("/data/x#y=z", "/data/x#y=z"),
        ("/data/a # 'b\\c", r"'/data/a # \'b\\c'"),
        ("/data/blank ", "'/data/blank '"),
        ("s3://lab/a?endpoint_url=http://h:9000", "s3://lab/a?endpoint_url=http://h:9000"),
    ] {
        let settings = InstanceSettings { storage_root: root.into(), ..instance(&world.env, "mydir") };
        settings.save(&world.env).unwrap();
        let written = text(world.lamin(FILE));
        assert!(written.contains(&format!("\nlamindb_instance_storage_root={line}\n")), "{written}");
        assert_eq!(InstanceSettings::load(&world.env, &slug("mydir")).unwrap(), settings);
    }
}

#[test]
fn a_file_of_any_order_with_other_spellings_is_read() {
    let world = World::new();
    put(
        world.lamin(FILE),
        "# by hand\r\nlamindb_instance_api_url=https://x.org\r\nlamindb_instance_unknown=1\r\n\
         lamindb_instance_keep_artifacts_local=YES\r\nlamindb_instance_git_repo=\r\n\
         lamindb_instance_id=513e4b7e-fca8-5e21-a880-629f56a514d0\r\nlamindb_instance_schema_str=bionty, pertdb\r\n\
         lamindb_instance_db=null\r\nlamindb_instance_storage_region=null # nowhere\r\n\
         lamindb_instance_storage_root='/data/my # root'\r\nexport lamindb_instance_name=\"mydir\"\r\n\
         lamindb_instance_owner = anonymous",
    );
    let found = InstanceSettings::load(&world.env, &slug("mydir")).unwrap();
    assert_eq!(found.id, "513e4b7efca85e21a880629f56a514d0");
    assert_eq!(found.modules, ["bionty", "pertdb"]);
    assert_eq!(found.storage_root, "/data/my # root");
    assert_eq!((found.git_repo, found.storage_region, found.keep_artifacts_local), (None, None, true));
    assert!(!found.is_clone);
}

#[test]
fn the_file_of_an_older_version_is_read() {
    let world = World::new();
    put(
        world.lamin(FILE),
        "lamindb_instance_api_url=null\nlamindb_instance_owner=anonymous\nlamindb_instance_name=mydir\n\
         lamindb_instance_storage_root=/data/x\nlamindb_instance_storage_region=null\nlamindb_instance_db=null\n\
         lamindb_instance_schema_str=null\nlamindb_instance_schema_id=null\n\
         lamindb_instance_fine_grained_access=False\nlamindb_instance_id=513e4b7efca85e21a880629f56a514d0\n\
         lamindb_instance_git_repo=null\nlamindb_instance_keep_artifacts_local=True\n",
    );
    let found = InstanceSettings::load(&world.env, &slug("mydir")).unwrap();
    assert_eq!((found.keep_artifacts_local, found.is_clone, found.db_permissions), (true, false, None));
}

#[test]
fn damaged_files_are_refused_with_the_way_out() {
    let world = World::new();
    let good = expected("/data/x");
    let without_region = good.replace("lamindb_instance_storage_region=null\n", "");
    let no_id = good.replace("513e4b7efca85e21a880629f56a514d0", "513e4b7efca85e21a880");
    let flag = good.replace("keep_artifacts_local=False", "keep_artifacts_local=Fal");
    let no_name = good.replace("name=mydir", "name=null");
    for (content, fault) in [
        ("".as_bytes(), "is empty"),
        ("\n\n# nothing\n".as_bytes(), "is empty"),
        (b"\xff\xfe\x00\x01".as_slice(), "is not text"),
        ("\0\0\0\0\0\0".as_bytes(), "is not text"),
        ("{\"owner\": \"anonymous\"}".as_bytes(), "has no KEY=value in line 1"),
        (without_region.as_bytes(), "lacks the key lamindb_instance_storage_region"),
        (no_id.as_bytes(), "lamindb_instance_id that is no UUID"),
        (flag.as_bytes(), "neither True nor False for lamindb_instance_keep_artifacts_local"),
        (no_name.as_bytes(), "has no value for lamindb_instance_name"),
        ("lamindb_instance_owner='anonymous\n".as_bytes(), "has no KEY=value in line 1"),
    ] {
        put(world.lamin(FILE), "");
        fs::write(world.lamin(FILE), content).unwrap();
        let error = InstanceSettings::load(&world.env, &slug("mydir")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SettingsOutdated, "{error}");
        assert!(error.message().contains(fault), "{error} lacks: {fault}");
        assert!(error.message().contains(FILE), "{error} does not name the file");
        assert!(error.message().contains("Delete it & connect"), "{error} does not say what to do");
    }
    assert!(InstanceSettings::list(&world.env).is_empty());
    assert_eq!(world.warnings().len(), 1, "one damaged file, one warning");
    instance(&world.env, "mydir").save(&world.env).unwrap();
    assert!(InstanceSettings::load(&world.env, &slug("mydir")).is_ok(), "saving again mends a damaged file");
}

#[test]
fn a_file_cut_anywhere_is_refused_or_loses_nothing_that_matters() {
    let world = World::new();
    let good = expected("/data/x").replace("keep_artifacts_local=False", "keep_artifacts_local=True");
    put(world.lamin(FILE), &good);
    let whole = InstanceSettings::load(&world.env, &slug("mydir")).unwrap();
    let mut readable = 0;
    for cut in 0..good.len() {
        fs::write(world.lamin(FILE), &good[..cut]).unwrap();
        match InstanceSettings::load(&world.env, &slug("mydir")) {
            Ok(found) => {
                readable += 1;
                assert!(
                    found.keep_artifacts_local
                        && found.id == whole.id
                        && found.storage_root == whole.storage_root
                );
                assert!(good[..cut].contains("keep_artifacts_local=True"));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::SettingsOutdated, "cut at {cut}: {error}"),
        }
    }
    assert!(readable > 0);
}

#[test]
fn what_a_killed_writer_leaves_is_not_taken_for_settings() {
    let world = World::new();
    instance(&world.env, "mydir").save(&world.env).unwrap();
    put(world.lamin(&format!(".{FILE}.0011223344556677.tmp")), "lamindb_inst");
    assert_eq!(InstanceSettings::list(&world.env).len(), 1);
    assert!(world.warnings().is_empty());
}

#[test]
fn readers_never_see_half_a_file() {
    let world = World::new();
    let short = instance(&world.env, "mydir");
    let long = InstanceSettings {
        git_repo: Some(format!("https://example.org/{}", "x".repeat(20_000))),
        ..short.clone()
    };
    short.save(&world.env).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for turn in 0..60 {
                (if turn % 2 == 0 { &long } else { &short }).save(&world.env).unwrap();
            }
        });
        while !writer.is_finished() {
            let seen = InstanceSettings::load(&world.env, &slug("mydir")).unwrap();
            assert!(seen == short || seen == long);
        }
    });
    assert_eq!(names(world.lamin("")), [FILE], "no temporary file is left");
}

#[test]
fn values_that_no_line_can_carry_are_refused_before_anything_is_written() {
    let world = World::new();
    let good = instance(&world.env, "mydir");
    for bad in [
        InstanceSettings { git_repo: Some("https://x\nlamindb_instance_owner=eve".into()), ..good.clone() },
        InstanceSettings { storage_root: "/a\r/b".into(), ..good.clone() },
        InstanceSettings { db: Some("null".into()), ..good.clone() },
        InstanceSettings { storage_region: Some(String::new()), ..good.clone() },
        InstanceSettings { name: "a/b".into(), ..good.clone() },
        InstanceSettings { owner: "../../etc".into(), ..good.clone() },
        InstanceSettings { name: "a\nb".into(), ..good.clone() },
    ] {
        let error = bad.save(&world.env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{error}");
    }
    assert!(!world.lamin("").exists());
}

#[test]
fn two_names_of_one_file_do_not_overwrite_each_other() {
    let world = World::new();
    let first = instance(&world.env, "a--b/c");
    first.save(&world.env).unwrap();
    let error = instance(&world.env, "a/b--c").save(&world.env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains("belongs to instance a--b/c"), "{error}");
    assert_eq!(InstanceSettings::find(&world.env, &slug("a/b--c")).unwrap(), None);
    assert_eq!(InstanceSettings::load(&world.env, &slug("a--b/c")).unwrap(), first);
}

#[test]
fn deleting_removes_every_file_of_one_instance_only() {
    let world = World::new();
    let (one, two) = (instance(&world.env, "one"), instance(&world.env, "two"));
    two.save(&world.env).unwrap();
    one.save_as_global(&world.env).unwrap();
    put(world.lamin("current-branch--anonymous--one.txt"), "u\nfeat");
    one.delete(&world.env).unwrap();
    one.delete(&world.env).unwrap();
    assert_eq!(names(world.lamin("")), ["instance--anonymous--two.env"]);
    two.save_as_global(&world.env).unwrap();
    one.save(&world.env).unwrap();
    one.delete(&world.env).unwrap();
    assert_eq!(InstanceSettings::find_global(&world.env).unwrap(), Some(two));
}

#[test]
fn an_environment_name_keeps_its_files_apart() {
    let world = World::new().var("LAMIN_ENV", "staging");
    instance(&world.env, "mydir").save_as_global(&world.env).unwrap();
    assert_eq!(
        names(world.lamin("")),
        ["staging--current_instance.env", "staging--instance--anonymous--mydir.env"]
    );
    assert_eq!(InstanceSettings::list(&world.env).len(), 1);
    let prod = world.var("LAMIN_ENV", "prod");
    assert!(InstanceSettings::list(&prod.env).is_empty());
    let twin = prod.var("HOLOTYPE_ENV", "staging");
    assert_eq!(InstanceSettings::list(&twin.env).len(), 1, "the twin variable wins");
}

#[test]
fn the_settings_directory_can_be_elsewhere() {
    let world = World::new();
    let elsewhere = world.path("elsewhere");
    let world = world.var("LAMIN_SETTINGS_DIR", elsewhere.to_str().unwrap());
    instance(&world.env, "mydir").save(&world.env).unwrap();
    assert_eq!(names(elsewhere.join(".lamin")), [FILE]);
    assert!(!world.lamin("").exists());
}

#[test]
#[cfg(unix)]
fn a_linked_settings_file_stays_a_link() {
    let world = World::new();
    let kept = world.path("dotfiles/mydir.env");
    put(&kept, &expected("/data/x"));
    fs::create_dir_all(world.lamin("")).unwrap();
    std::os::unix::fs::symlink(&kept, world.lamin(FILE)).unwrap();
    let mut settings = InstanceSettings::load(&world.env, &slug("mydir")).unwrap();
    settings.keep_artifacts_local = true;
    settings.save(&world.env).unwrap();
    assert!(world.lamin(FILE).symlink_metadata().unwrap().is_symlink());
    assert!(text(&kept).contains("keep_artifacts_local=True"));
}

#[test]
fn the_database_is_found_where_the_settings_say() {
    let world = World::new();
    let local = instance(&world.env, "mydir");
    let path = world.path("Work/storage/.lamindb/lamin.db");
    assert_eq!(local.database(&world.env).unwrap(), DatabaseSite::Sqlite(path.clone()));
    assert_eq!(local.sqlite_path(&world.env).unwrap(), Some(path.clone()));
    assert_eq!(local.shown_database(&world.env).unwrap(), format!("sqlite:///{}", path.display()));
    let named = InstanceSettings { db: Some("sqlite:////data/x.db".into()), ..local.clone() };
    assert_eq!(named.sqlite_path(&world.env).unwrap(), Some("/data/x.db".into()));
    let cloud =
        InstanceSettings { storage_root: "s3://lab/a?endpoint_url=http://h:9000".into(), ..local.clone() };
    assert_eq!(
        cloud.database(&world.env).unwrap(),
        DatabaseSite::CloudSqlite("s3://lab/a/.lamindb/lamin.db".into())
    );
    let copy = world.env.home.join(".cache/lamindb/lab/a/.lamindb/lamin.db");
    assert_eq!(cloud.sqlite_path(&world.env).unwrap(), Some(copy));
    let odd = InstanceSettings { db: Some("mysql://x/y".into()), ..local };
    assert_eq!(odd.database(&world.env).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn modules_are_a_list_without_blanks_and_repetitions() {
    assert_eq!(parse_modules(" bionty, pertdb,,bionty "), ["bionty", "pertdb"]);
    let world = World::new();
    assert!(chosen_modules(&world.env).unwrap().is_empty());
    set_chosen_modules(&world.env, &["bionty".into(), "pertdb".into()]).unwrap();
    assert_eq!(text(world.lamin("current_modules.txt")), "bionty,pertdb");
    assert_eq!(chosen_modules(&world.env).unwrap(), ["bionty", "pertdb"]);
    let error = set_chosen_modules(&world.env, &["a,b".into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    set_chosen_modules(&world.env, &[]).unwrap();
    assert!(!world.lamin("current_modules.txt").exists());
    let world = world.var("LAMINDB_MODULES", "bionty");
    assert_eq!(chosen_modules(&world.env).unwrap(), ["bionty"]);
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[^\n\r\0]{1,24}").prop_map(|value| value.filter(|text| text != "null"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_settings_survive_the_file(
        owner in "[a-z0-9][a-z0-9._-]{0,12}",
        name in "[A-Za-z0-9 '\"#=.é-]{1,20}",
        region in maybe(),
        git_repo in maybe(),
        api_url in "[ '\"#\\\\a=$\t{}]{1,12}",
        keep_artifacts_local: bool,
        is_clone: bool,
    ) {
        prop_assume!(name.trim() == name && name != "null" && owner != "null");
        let world = World::new();
        let settings = InstanceSettings {
            owner, name, git_repo, keep_artifacts_local, is_clone,
            storage_region: region,
            api_url: Some(api_url),
            ..instance(&world.env, "mydir")
        };
        settings.save(&world.env).unwrap();
        prop_assert_eq!(InstanceSettings::load(&world.env, &settings.slug()).unwrap(), settings);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let world = World::new();
        put(world.lamin(FILE), "");
        fs::write(world.lamin(FILE), bytes).unwrap();
        let error = InstanceSettings::load(&world.env, &slug("mydir")).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::SettingsOutdated);
    }
}
