//! Which instance is current, directory bindings, and the branch and space chosen there.

use std::fs;

use holotype::ErrorKind;
use holotype::instance::settings::{
    Choice, InstanceSettings, Origin, Slot, bind, choose, chosen, current_instance, dev_dir,
    find_by_identifier, forget, load_by_identifier, login_local, nearest_binding, refuse_foreign_binding,
    unbind,
};

use super::*;

fn current(env: &Env) -> Option<(String, Origin)> {
    current_instance(env).unwrap().map(|found| (found.settings.slug().to_string(), found.origin))
}

fn known(env: &Env, names: &[&str]) {
    for name in names {
        instance(env, name).save(env).unwrap();
    }
}

#[test]
fn variable_beats_directory_beats_global() {
    let world = World::new();
    known(&world.env, &["one", "two"]);
    assert_eq!(current(&world.env), None);
    instance(&world.env, "three").save_as_global(&world.env).unwrap();
    assert_eq!(current(&world.env), Some(("anonymous/three".into(), Origin::Global)));
    bind(&world.env, &world.env.cwd, &slug("two")).unwrap();
    assert_eq!(text(world.path("Work/.lamin/current_instance")), "anonymous/two");
    let bound = Some(("anonymous/two".to_owned(), Origin::DevDir(world.env.cwd.clone())));
    assert_eq!(current(&world.env), bound);
    assert_eq!(current(&world.at(world.path("Work/a/b"))), bound, "a folder below is bound too");
    assert_eq!(current(&world.at(world.path(""))), Some(("anonymous/three".into(), Origin::Global)));
    for identifier in ["one", "anonymous/one", "https://lamin.ai/anonymous/one"] {
        let world =
            World { env: world.env.clone(), ..World::new() }.var("LAMIN_CURRENT_INSTANCE", identifier);
        assert_eq!(current(&world.env), Some(("anonymous/one".into(), Origin::Variable)));
    }
    assert!(world.warnings().is_empty());
}

#[test]
fn unknown_instances_are_passed_over_with_a_warning() {
    let world = World::new();
    instance(&world.env, "known").save_as_global(&world.env).unwrap();
    bind(&world.env, &world.env.cwd, &slug("gone")).unwrap();
    let global = Some(("anonymous/known".to_owned(), Origin::Global));
    assert_eq!(current(&world.env), global);
    assert!(world.warnings()[0].contains("is bound to instance anonymous/gone, which is not known"));
    let world = world.var("LAMIN_CURRENT_INSTANCE", "a/b/c");
    assert_eq!(current(&world.env), global);
    assert!(
        world.warnings()[1].starts_with("LAMIN_CURRENT_INSTANCE is ignored: The instance identifier needs")
    );
    let world = world.var("LAMIN_CURRENT_INSTANCE", "nope");
    assert_eq!(current(&world.env), global);
    assert!(world.warnings()[3].contains("LAMIN_CURRENT_INSTANCE names instance anonymous/nope"));
}

#[test]
fn only_the_nearest_binding_counts() {
    let world = World::new();
    known(&world.env, &["outer"]);
    bind(&world.env, &world.env.cwd, &slug("outer")).unwrap();
    put(world.path("Work/sub/.lamin/current_instance"), "anonymous/unknown\n");
    assert_eq!(current(&world.at(world.path("Work/sub"))), None);
    for garbage in ["", "\n", "no slash", "a/b/c", "/x", "x/", "a/b\nc"] {
        put(world.path("Work/sub/.lamin/current_instance"), garbage);
        let found = nearest_binding(&world.at(world.path("Work/sub"))).unwrap();
        assert_eq!(found.dir, world.env.cwd, "a damaged marker is none: {garbage:?}");
    }
}

#[test]
fn the_home_directory_is_never_bound() {
    let world = World::new();
    known(&world.env, &["one"]);
    put(world.env.home.join(".lamin/current_instance"), "anonymous/one");
    let below = world.at(world.env.home.join("project"));
    assert_eq!(nearest_binding(&below), None);
    assert_eq!(current(&below), None);
    let error = bind(&world.env, &world.env.home, &slug("one")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().starts_with("The home directory cannot be a development directory"));
    let error = bind(&world.env, &world.path("missing"), &slug("one")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    put(world.path(".lamin/current_instance"), "anonymous/one");
    assert_eq!(nearest_binding(&below).unwrap().dir, world.path(""), "above home it counts");
}

#[test]
fn binding_and_unbinding_leave_no_trace() {
    let world = World::new();
    bind(&world.env, std::path::Path::new("."), &slug("one")).unwrap();
    assert_eq!(dev_dir(&world.env, &slug("one")), Some(world.env.cwd.clone()));
    assert_eq!(dev_dir(&world.env, &slug("two")), None);
    let feat = Choice { uid: "Gaw5dKeQOmxb".into(), name: "feat".into() };
    choose(&world.env, Slot::Branch, &slug("one"), &feat).unwrap();
    assert!(unbind(&world.env, &world.env.cwd).unwrap());
    assert!(!unbind(&world.env, &world.env.cwd).unwrap());
    assert!(names(&world.env.cwd).is_empty());
    put(world.path("Work/.lamin/notes"), "mine");
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    unbind(&world.env, &world.env.cwd).unwrap();
    assert_eq!(names(world.path("Work/.lamin")), ["notes"]);
}

#[test]
fn binding_to_another_instance_forgets_the_branch() {
    let world = World::new();
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    let feat = Choice { uid: "Gaw5dKeQOmxb".into(), name: "feat".into() };
    choose(&world.env, Slot::Branch, &slug("one"), &feat).unwrap();
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    assert_eq!(chosen(&world.env, Slot::Branch, &slug("one")).unwrap(), Some(feat));
    bind(&world.env, &world.env.cwd, &slug("two")).unwrap();
    assert_eq!(chosen(&world.env, Slot::Branch, &slug("two")).unwrap(), None);
}

#[test]
fn an_environment_name_has_its_own_bindings() {
    let world = World::new();
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    let world = world.var("LAMIN_ENV", "staging");
    assert_eq!(nearest_binding(&world.env), None);
    bind(&world.env, &world.env.cwd, &slug("two")).unwrap();
    assert_eq!(names(world.path("Work/.lamin")), ["current_instance", "staging--current_instance"]);
    unbind(&world.env, &world.env.cwd).unwrap();
    assert_eq!(names(world.path("Work/.lamin")), ["current_instance"]);
}

#[test]
fn connecting_inside_a_foreign_binding_is_refused() {
    let world = World::new();
    known(&world.env, &["one", "two"]);
    refuse_foreign_binding(&world.env, &slug("two")).unwrap();
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    refuse_foreign_binding(&world.env, &slug("one")).unwrap();
    let error = refuse_foreign_binding(&world.env, &slug("two")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectWithinDevDir);
    assert_eq!(
        error.message(),
        format!(
            "You're trying to connect within the dev-dir of instance anonymous/one ({}). Either cd into another \
             directory or run: lamin disconnect --here",
            world.env.cwd.display()
        )
    );
    InstanceSettings::load(&world.env, &slug("one")).unwrap().delete(&world.env).unwrap();
    refuse_foreign_binding(&world.env, &slug("two")).unwrap();
}

#[test]
fn a_bare_name_belongs_to_the_current_user() {
    let world = World::new();
    known(&world.env, &["ada/lab", "lab"]);
    let found = |env: &Env| load_by_identifier(env, "lab").unwrap().owner;
    assert_eq!(found(&world.env), "anonymous");
    assert!(!world.lamin("current_user.env").exists(), "looking creates no user");
    login_local(&world.env, "ada", None, None).unwrap();
    assert_eq!(found(&world.env), "ada");
    assert_eq!(find_by_identifier(&world.env, "nope").unwrap(), None);
    let error = load_by_identifier(&world.env, "nope").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InstanceNotFound);
    assert!(error.message().contains("'ada/nope' not found"), "{error}");
    assert!(error.message().contains("instance--ada--nope.env"), "{error}");
    let error = load_by_identifier(&world.env, "anonymous/nope").unwrap_err();
    assert!(error.message().contains("It is not possible to load an anonymous-owned instance from the hub"));
}

#[test]
fn a_damaged_current_instance_is_an_error() {
    let world = World::new();
    put(world.lamin("current_instance.env"), "");
    let error = current_instance(&world.env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SettingsOutdated);
    assert!(error.message().contains("current_instance.env"));
    bind(&world.env, &world.env.cwd, &slug("one")).unwrap();
    instance(&world.env, "one").save(&world.env).unwrap();
    assert!(current(&world.env).is_some(), "a file that is not consulted does no harm");
}

#[test]
fn choices_are_kept_where_the_instance_is_bound_else_for_the_machine() {
    let world = World::new();
    let one = slug("one");
    let choice = |name: &str| Choice { uid: "Gaw5dKeQOmxb".into(), name: name.into() };
    assert_eq!(chosen(&world.env, Slot::Branch, &one).unwrap(), None);
    let path = choose(&world.env, Slot::Branch, &one, &choice("feat")).unwrap();
    assert_eq!(path, world.lamin("current-branch--anonymous--one.txt"));
    assert_eq!(text(&path), "Gaw5dKeQOmxb\nfeat");
    bind(&world.env, &world.env.cwd, &one).unwrap();
    assert_eq!(
        chosen(&world.env, Slot::Branch, &one).unwrap(),
        Some(choice("feat")),
        "a bound directory without a choice of its own follows the machine"
    );
    let path = choose(&world.env, Slot::Branch, &one, &choice("local")).unwrap();
    assert_eq!(path, world.path("Work/.lamin/current_branch"));
    assert_eq!(chosen(&world.env, Slot::Branch, &one).unwrap(), Some(choice("local")));
    assert_eq!(chosen(&world.at(world.path("")), Slot::Branch, &one).unwrap(), Some(choice("feat")));
    assert_eq!(chosen(&world.env, Slot::Space, &one).unwrap(), None);
    choose(&world.env, Slot::Space, &slug("two"), &choice("team")).unwrap();
    assert_eq!(text(world.lamin("current-space--anonymous--two.txt")), "Gaw5dKeQOmxb\nteam");
    assert!(forget(&world.env, Slot::Branch, &one).unwrap());
    assert!(!forget(&world.env, Slot::Branch, &one).unwrap());
    assert_eq!(chosen(&world.env, Slot::Branch, &one).unwrap(), None);
}

#[test]
fn a_damaged_choice_is_an_error_and_not_the_default() {
    let world = World::new();
    let path = world.lamin("current-branch--anonymous--one.txt");
    for content in ["", "Gaw5dKeQOmxb", "Gaw5dKeQOmxb\n", "\nfeat", "a\nb\nc"] {
        put(&path, content);
        let error = chosen(&world.env, Slot::Branch, &slug("one")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SettingsOutdated, "{content:?}");
        assert!(error.message().contains("switch to a branch again"), "{error}");
    }
    put(&path, "Gaw5dKeQOmxb\r\nfeat\r\n");
    assert_eq!(chosen(&world.env, Slot::Branch, &slug("one")).unwrap().unwrap().name, "feat");
    let broken = Choice { uid: "Gaw5dKeQOmxb".into(), name: "a\nb".into() };
    assert!(choose(&world.env, Slot::Branch, &slug("one"), &broken).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "Gaw5dKeQOmxb\r\nfeat\r\n");
}
