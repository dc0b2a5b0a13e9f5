//! The environment of a real process.

use holotype_cli::env::system_env;

#[test]
fn the_clock_runs_and_random_bytes_differ() {
    let env = system_env(|_| {});
    let start = env.now();
    // 2020-01-01: a clock that starts at zero would fail.
    assert!(start.0 > 1_577_836_800_000_000);
    assert!(env.now() >= start);
    let (mut a, mut b) = ([0u8; 16], [0u8; 16]);
    env.fill_random(&mut a);
    env.fill_random(&mut b);
    assert_ne!(a, b);
}

#[test]
fn places_and_variables_are_those_of_the_process() {
    let env = system_env(|_| {});
    assert_eq!(env.cwd, std::env::current_dir().unwrap());
    assert_eq!(env.vars.get("CARGO_MANIFEST_DIR").map(String::as_str), Some(env!("CARGO_MANIFEST_DIR")));
    assert!(env.home.is_absolute());
}
