//! Without a network: the command does its work where there is no route to anywhere.

use std::process::{Command, Stdio};

use crate::lab::{Lab, finish};

#[test]
fn the_main_job_needs_no_route() {
    let lab = Lab::empty();
    lab.write("a.txt", "hello");
    lab.write("folder/x.txt", "x");
    // A network of its own has no route; where none may be made, the command runs as it is.
    let apart = Command::new("unshare").args(["-rn", "true"]).status().is_ok_and(|status| status.success());
    for args in [
        &["init", "--storage", "./data", "--name", "lab"][..],
        &["save", "a.txt", "--key", "raw/a.txt"],
        &["save", "folder", "--key", "folder"],
        &["list", "artifact"],
        &["describe", "--key", "raw/a.txt"],
        &["info"],
        &["delete", "artifact", "--key", "folder", "--permanent"],
        &["load", "--key", "raw/a.txt"],
    ] {
        let command = lab.command(&lab.work(), args);
        let mut outer = Command::new(if apart { "unshare" } else { "env" });
        if apart {
            outer.arg("-rn");
        }
        outer.arg(command.get_program()).args(args).current_dir(lab.work());
        outer.env_clear().env("HOME", lab.home()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        outer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ran = finish(outer, None);
        assert_eq!(ran.code, 0, "{args:?}\n{}\n{}", ran.out, ran.err);
    }
}
