//! Users: the anonymous one and identities without any account service.

use holotype::instance::settings::{ANONYMOUS_UID, UserSettings, login_local, logout};
use holotype::{ErrorKind, Event};

use super::*;

const ANONYMOUS: &str = "lamin_user_email=null\nlamin_user_password=null\nlamin_user_access_token=null\n\
                         lamin_user_uid=00000000\nlamin_user_uuid=null\nlamin_user_handle=anonymous\n\
                         lamin_user_name=null\nlamin_user_api_key=null\n";

#[test]
fn without_files_the_user_is_anonymous_and_told_so_once() {
    let world = World::new();
    assert_eq!(UserSettings::find_current(&world.env).unwrap(), None);
    let user = UserSettings::current(&world.env).unwrap();
    assert_eq!(user, UserSettings::anonymous());
    assert_eq!(text(world.lamin("current_user.env")), ANONYMOUS);
    assert_eq!(names(world.lamin("")), ["current_user.env"]);
    assert_eq!(UserSettings::current(&world.env).unwrap(), user);
    assert_eq!(*world.events.lock().unwrap(), [Event::AnonymousUser]);
}

#[test]
fn a_home_that_cannot_be_written_to_is_a_warning() {
    let world = World::new();
    put(world.env.home.join(".lamin"), "a file where the folder should be");
    assert!(UserSettings::current(&world.env).unwrap().is_anonymous());
    let warnings = world.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("Failed to create lamin settings directory at "), "{warnings:?}");
}

#[test]
fn a_local_identity_is_random_once_and_kept() {
    let world = World::new();
    let ada = login_local(&world.env, "ada", Some("Ada Lovelace"), Some("ada@example.org")).unwrap();
    assert_eq!(ada.uid.len(), 8);
    assert_ne!(ada.uid, ANONYMOUS_UID);
    assert_eq!(names(world.lamin("")), ["current_user.env", "user--ada.env", "user--ada@example.org.env"]);
    assert_eq!(text(world.lamin("current_user.env")), text(world.lamin("user--ada.env")));
    let bob = login_local(&world.env, "bob", None, None).unwrap();
    assert_ne!(bob.uid, ada.uid);
    assert_eq!(UserSettings::current(&world.env).unwrap(), bob);
    let again = login_local(&world.env, "ada", None, None).unwrap();
    assert_eq!(again, ada, "what is known stays");
    assert_eq!(UserSettings::find(&world.env, "ada@example.org").unwrap(), Some(ada.clone()));
    let renamed = login_local(&world.env, "ada", Some("A. Lovelace"), None).unwrap();
    assert_eq!((renamed.uid, renamed.name.as_deref()), (ada.uid, Some("A. Lovelace")));
}

#[test]
fn a_user_of_an_account_service_keeps_uid_and_keys() {
    let world = World::new();
    let content = ANONYMOUS
        .replace("uid=00000000", "uid=9qL0Xt3a")
        .replace("handle=anonymous", "handle=eve")
        .replace("lamin_user_api_key=null\n", "")
        .replace("access_token=null", "access_token=s3cret=");
    put(world.lamin("user--eve.env"), &content);
    let eve = login_local(&world.env, "eve", None, None).unwrap();
    assert_eq!((eve.uid.as_str(), eve.access_token.as_deref()), ("9qL0Xt3a", Some("s3cret=")));
    assert!(!format!("{eve:?}").contains("s3cret"), "secrets stay out of logs");
    assert!(text(world.lamin("current_user.env")).ends_with("lamin_user_api_key=null\n"));
}

#[test]
fn impossible_handles_and_addresses_are_refused() {
    let world = World::new();
    for handle in ["", "anonymous", "null", "a/b", "../x", "a b", "a\nb", "a--b", "-a", ".a", "é"] {
        let error = login_local(&world.env, handle, None, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{handle:?}");
    }
    for email in ["", "ada", "@x", "a/b@x", "a b@x.org"] {
        assert_eq!(login_local(&world.env, "ada", None, Some(email)).unwrap_err().kind(), ErrorKind::Value);
    }
    assert!(!world.lamin("").exists());
}

#[test]
fn logging_out_leaves_nobody_and_forgets_nobody() {
    let world = World::new();
    assert!(!logout(&world.env).unwrap());
    let ada = login_local(&world.env, "ada", None, None).unwrap();
    assert!(logout(&world.env).unwrap());
    assert_eq!(names(world.lamin("")), ["user--ada.env"]);
    assert!(UserSettings::current(&world.env).unwrap().is_anonymous());
    assert!(!logout(&world.env).unwrap(), "the anonymous user was not logged in");
    assert_eq!(login_local(&world.env, "ada", None, None).unwrap().uid, ada.uid);
}

#[test]
fn a_damaged_user_file_names_the_way_out() {
    let world = World::new();
    for content in ["", "garbage", &ANONYMOUS.replace("00000000", "0000"), &ANONYMOUS[..60]] {
        put(world.lamin("current_user.env"), content);
        let error = UserSettings::current(&world.env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SettingsOutdated);
        assert!(
            error.message().contains("current_user.env") && error.message().contains("log in again"),
            "{error}"
        );
    }
    logout(&world.env).unwrap();
    assert!(UserSettings::current(&world.env).is_ok());
}

#[test]
#[cfg(unix)]
fn user_files_are_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    login_local(&world.env, "ada", None, None).unwrap();
    for name in names(world.lamin("")) {
        let mode = std::fs::metadata(world.lamin(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
