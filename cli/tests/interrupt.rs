//! Ctrl-C while content goes to a bucket: the command stops at once, says so, and leaves nothing behind.

use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use holotype::store::Store;

use crate::lab::{Lab, finish};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{KEY, MOTO, SECRET, env};

/// Returns a command that hears SIGINT, also where the tests run in the background of a shell, which lets nobody hear it.
fn listening(command: &Command) -> Command {
    let mut listening = Command::new("env");
    listening.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    listening.env_clear().current_dir(command.get_current_dir().unwrap());
    listening.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    listening.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    listening
}

#[test]
fn a_save_to_a_bucket_is_broken_off_and_done_again() {
    let slow = Arc::new(AtomicBool::new(true));
    let parts = Arc::new(AtomicUsize::new(0));
    let (wanted, count) = (slow.clone(), parts.clone());
    let proxy = Proxy::new(MOTO.port, move |_, line| match line.contains("partNumber") {
        true if wanted.load(Ordering::SeqCst) => {
            count.fetch_add(1, Ordering::SeqCst);
            Fault::Delay(Duration::from_secs(20))
        }
        _ => Fault::None,
    });
    let (lab, root) = (Lab::empty(), MOTO.root_at(&proxy.endpoint()));
    let run = |args: &[&str]| {
        let mut command = lab.command(&lab.work(), args);
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    };
    let made = finish(run(&["init", "--storage", &root, "--name", "atlas"]), None);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(finish(run(&["disconnect"]), None).code, 0);
    // Large enough to go in parts.
    File::create(lab.work().join("large.bin")).unwrap().set_len(51 << 20).unwrap();
    let save = ["save", "large.bin", "--key", "large.bin"];
    let child = listening(&run(&save)).spawn().unwrap();
    while parts.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output().unwrap()));
    let output = told.recv_timeout(Duration::from_secs(30)).unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("Interrupted: what was under way was broken off, do it again to finish it"),
        "{said}"
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
    let bucket = Store::open(&root, &env()).unwrap();
    assert_eq!(bucket.unfinished(".lamindb").unwrap(), []);
    assert!(bucket.list(".lamindb/").unwrap().iter().all(|entry| !entry.key.ends_with(".bin")));
    let info = finish(run(&["info"]), None).out;
    assert!(info.contains(" - lock: free"), "{info}");
    let listed = finish(run(&["list", "artifact", "--json"]), None);
    assert!(!listed.out.contains("large.bin"), "{}", listed.out);

    slow.store(false, Ordering::SeqCst);
    let again = finish(run(&save), None);
    assert_eq!(again.code, 0, "{}", again.err);
    let listed = finish(run(&["list", "artifact", "--json"]), None);
    assert!(listed.out.contains("large.bin"), "{}", listed.out);
}
