//! The command-line reference, and the completion scripts made from the same tree.

use holotype_cli::voice::Program;

use crate::lab::Lab;

#[test]
fn the_reference_is_as_approved() {
    insta::assert_snapshot!(holotype_cli::reference(Program::Holotype));
}

#[test]
fn examples_are_commands_that_exist() {
    let reference = holotype_cli::reference(Program::Holotype);
    let lab = Lab::empty();
    let mut n = 0;
    for line in reference.lines().map(str::trim).filter(|line| line.starts_with("holotype ")) {
        let verb = line.split_whitespace().nth(1).unwrap();
        if verb.starts_with(|c: char| c.is_lowercase()) {
            assert_eq!(lab.run(&[verb, "--help"]).code, 0, "{line}");
            n += 1;
        }
    }
    assert!(n > 30, "{n} examples");
}

#[test]
fn shells_get_completions() {
    let lab = Lab::empty();
    for (shell, sign) in
        [("bash", "complete -F _holotype"), ("zsh", "#compdef holotype"), ("fish", "complete -c holotype")]
    {
        let script = lab.ok(&["completions", shell]);
        assert!(script.contains(sign) && script.contains("annotate"), "{shell}");
    }
    assert_eq!(lab.run(&["completions", "tcsh"]).code, 2);
    let script = lab.run_with("HOLOTYPE_AS", "lamin", &["completions", "bash"]).out;
    assert!(script.contains("complete -F _lamin"), "{}", &script[script.len() - 400..]);
}
