//! Features of the run that is tracked.

use holotype::Event;
use holotype::testing::Scratch;
use holotype::track::{TrackOptions, Tracking};
use serde_json::json;

use crate::{feature, held, label, message, plain, saved};

#[test]
fn a_run_starts_with_features() {
    let scratch = Scratch::new().unwrap();
    feature(&scratch, "temp", "float");
    feature(&scratch, "rec", "cat[Record]");
    let record = saved(&scratch, "Record", &[("name", "s1".into())]);
    let script = scratch.file("count.py", "print(1)").unwrap();
    let options = |features| TrackOptions {
        source: Some(scratch.instance().source_file(&script, false).unwrap()),
        features,
        ..TrackOptions::default()
    };
    let features = vec![plain("temp", json!(3.2)), label("rec", &record)];
    let Tracking::Started(tracked) = scratch.instance().track(&options(features)).unwrap() else { panic!() };
    assert_eq!(held(&scratch, &tracked.run), json!({"rec": ["s1"], "temp": [3.2]}));
    let told: Vec<String> = scratch
        .events()
        .into_iter()
        .filter_map(|event| if let Event::Note(text) = event { Some(text) } else { None })
        .collect();
    assert_eq!(told, ["features: temp=3.2, rec='s1'"]);
}

#[test]
fn no_run_starts_with_features_that_it_cannot_have() {
    let scratch = Scratch::new().unwrap();
    let script = scratch.file("count.py", "print(1)").unwrap();
    let options = TrackOptions {
        source: Some(scratch.instance().source_file(&script, false).unwrap()),
        features: vec![plain("nope", json!(3.2))],
        ..TrackOptions::default()
    };
    let refused = message(scratch.instance().track(&options));
    assert!(refused.starts_with("These keys could not be validated: ['nope']"), "{refused}");
    for registry in ["Run", "Transform"] {
        assert_eq!(scratch.instance().registry(registry).unwrap().count().unwrap(), 0);
    }
}
