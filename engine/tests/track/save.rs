//! Source files saved as transforms without a run.

use holotype::testing::Scratch;
use holotype::track::{SaveTransform, SavedTransform};
use holotype::{ErrorKind, Result};

use super::{all, interactive, notebook, run, started, texts, versions};

fn save(scratch: &Scratch, name: &str, options: &SaveTransform) -> Result<SavedTransform> {
    scratch.instance().save_transform_file(name.as_ref(), options)
}

fn saved(scratch: &Scratch, name: &str) -> SavedTransform {
    save(scratch, name, &SaveTransform::default()).unwrap()
}

#[test]
fn a_script_is_saved_once_per_content() {
    let scratch = Scratch::new().unwrap();
    scratch.file("s.py", "1").unwrap();
    let first = saved(&scratch, "s.py");
    let uid = first.transform.uid().to_owned();
    assert!(first.created);
    assert_eq!(texts(&scratch.events()), [format!("created Transform('{uid}', key='s.py')")]);
    let again = saved(&scratch, "s.py");
    assert!(!again.created);
    assert_eq!(texts(&scratch.events()), [format!("transform already saved: {}", again.transform.repr())]);
    scratch.file("s.py", "2").unwrap();
    let next = saved(&scratch, "s.py").transform;
    assert_eq!((next.stem_uid(), &next.uid()[12..]), (&uid[..12], "0001"));
    assert_eq!(texts(&scratch.events()), [format!("created Transform('{}', key='s.py')", next.uid())]);
    assert!(all(scratch.instance(), "Run").is_empty());
}

#[test]
fn a_renamed_script_takes_its_transform_along() {
    let scratch = Scratch::new().unwrap();
    scratch.file("s.py", "1").unwrap();
    saved(&scratch, "s.py");
    scratch.file("sub/new.py", "1").unwrap();
    scratch.events();
    let moved = saved(&scratch, "sub/new.py");
    assert!(!moved.created);
    assert_eq!(texts(&scratch.events())[1..], ["updated key to 'sub/new.py'"]);
    assert_eq!(versions(scratch.instance()), [("0000".to_owned(), "sub/new.py".to_owned(), true)]);
}

#[test]
fn what_ran_is_saved_already() {
    let scratch = Scratch::new().unwrap();
    let transform = run(&scratch, "s.py", "1").transform;
    let again = saved(&scratch, "s.py");
    assert_eq!((again.transform.id(), again.created), (transform.id(), false));
}

#[test]
fn a_notebook_is_saved_with_its_source_and_completes_a_draft() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("n.ipynb", notebook(&[("markdown", "# Title", None), ("code", "1", Some(1))])).unwrap();
    let draft = started(instance.track(&interactive(instance, "n.ipynb"))).transform;
    scratch.events();
    let complete = saved(&scratch, "n.ipynb");
    assert_eq!((complete.transform.id(), complete.created), (draft.id(), false));
    assert_eq!(complete.transform.text("source_code"), Some("# %% [markdown]\n#\n\n# %%\n1\n"));
    let uid = draft.uid();
    assert_eq!(texts(&scratch.events()), [format!("saved source code of Transform('{uid}', key='n.ipynb')")]);
    assert!(!saved(&scratch, "n.ipynb").created);
    scratch.file("other.ipynb", notebook(&[("code", "2", Some(1))])).unwrap();
    let other = saved(&scratch, "other.ipynb");
    assert!(other.created && other.transform.text("source_code").is_some());
}

#[test]
fn the_uid_in_the_file_counts() {
    let scratch = Scratch::new().unwrap();
    for (name, call) in [
        ("a.py", "ln.track(\"AbCdEfGhIjKl0000\")"),
        ("b.py", "ln.track(uid='BbCdEfGhIjKl0003', params={})"),
        ("c.py", "ln.track( transform = \"CbCdEfGhIjKl0000\" )"),
    ] {
        scratch.file(name, format!("import lamindb as ln\n{call}\n")).unwrap();
        let uid = call.split(['"', '\'']).nth(1).unwrap();
        assert_eq!(saved(&scratch, name).transform.uid(), uid);
        assert_eq!(texts(&scratch.events())[0], format!("mapped '{name}' on uid '{uid}'"));
    }
    // A family continues, an unknown one is refused.
    scratch.file("a.py", "ln.track('AbCdEfGhIjKl')").unwrap();
    assert_eq!(saved(&scratch, "a.py").transform.uid(), "AbCdEfGhIjKl0001");
    scratch.file("d.py", "ln.track('DbCdEfGhIjKl')").unwrap();
    let error = save(&scratch, "d.py", &SaveTransform::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotExist);
    assert!(error.message().starts_with("The stem uid is not found"), "{error}");
    for text in
        ["ln.track(params={'a': 'AbCdEfGhIjKl'})", "ln.track('short')", "backtrack('AbCdEfGhIj_l')", "track("]
    {
        scratch.file("e.py", text).unwrap();
        assert_ne!(saved(&scratch, "e.py").transform.stem_uid(), "AbCdEfGhIjKl", "{text}");
    }
}

#[test]
fn key_description_version_and_uid_can_be_given() {
    let scratch = Scratch::new().unwrap();
    scratch.file("s.py", "1").unwrap();
    let options = SaveTransform {
        key: Some("tools/s.py".to_owned()),
        description: Some("a tool".to_owned()),
        version_tag: Some("1.0".to_owned()),
        ..SaveTransform::default()
    };
    let transform = save(&scratch, "s.py", &options).unwrap().transform;
    assert_eq!(
        (transform.text("key"), transform.text("description"), transform.version()),
        (Some("tools/s.py"), Some("a tool"), Some("1.0"))
    );
    scratch.file("t.py", "2").unwrap();
    let options = SaveTransform { uid: Some(transform.stem_uid().to_owned()), ..SaveTransform::default() };
    let next = save(&scratch, "t.py", &options).unwrap().transform;
    assert_eq!((next.stem_uid(), next.text("key")), (transform.stem_uid(), Some("t.py")));
}

#[test]
fn r_notebooks_take_their_title_from_the_page_beside_them() {
    let scratch = Scratch::new().unwrap();
    scratch.file("r.Rmd", "---\ntitle: x\n---\n").unwrap();
    scratch.file("r.html", "<html><head><title>My page</title></head></html>").unwrap();
    scratch.file("s.R", "x <- 1\n").unwrap();
    let notebook = saved(&scratch, "r.Rmd").transform;
    assert_eq!((notebook.text("kind"), notebook.text("description")), (Some("notebook"), Some("My page")));
    assert_eq!(notebook.text("source_code"), Some("---\ntitle: x\n---\n"));
    assert_eq!(saved(&scratch, "s.R").transform.text("kind"), Some("script"));
}
