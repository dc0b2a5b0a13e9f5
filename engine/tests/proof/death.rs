//! Child processes that are killed: by themselves at a fault point, or by their parent at any moment.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use holotype::{Record, faults};

use crate::proof::child;

/// Makes this process, a child, die when it comes by `point` for the nth time, or tell of all points it comes by if that is
/// `list`; from now on its time counts.
pub fn await_death(point: String, nth: usize) {
    let hits = Mutex::new(BTreeMap::<String, usize>::new());
    faults::arm(move |name| {
        let mut hits = hits.lock().unwrap();
        let hit = hits.entry(name.to_owned()).or_default();
        *hit += 1;
        if point == "list" {
            println!("@hit {name}");
        } else if name == point && *hit == nth {
            std::process::abort();
        }
    });
    println!("@start");
}

/// Tells the parent that a row was reported as saved, or as deleted.
pub fn tell(record: &Record) {
    println!("@saved {} {}", record.uid(), record.text("hash").unwrap_or_default());
}

/// When a child dies.
#[derive(Clone, Debug)]
pub enum Death {
    /// It does not, and lists the fault points it passed.
    Never,
    /// At the nth time it comes by a fault point.
    At(String, usize),
    /// So long after the start of its work.
    After(Duration),
}

/// What a child told before it died.
#[derive(Default)]
pub struct Told {
    /// The fault points it came by.
    pub hits: Vec<String>,
    /// Uids and hashes of what was reported as saved, or as deleted.
    pub saved: Vec<(String, String)>,
    /// Whether what it wrote was reported as sent, where it has to be.
    pub sent: bool,
    pub ended: bool,
    /// How long its work took.
    pub took: Duration,
}

/// Runs the test `name` of this binary as a child with a plan: these words, and when to die.
pub fn run(name: &str, words: &[&str], death: &Death) -> Told {
    let (point, nth) = match death {
        Death::Never => ("list", 0),
        Death::At(point, nth) => (point.as_str(), *nth),
        Death::After(_) => ("none", 0),
    };
    let plan = format!("{}\t{point}\t{nth}", words.join("\t"));
    let mut child = child(name, &plan).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stderr = child.stderr.take().unwrap();
    let child = Arc::new(Mutex::new(child));
    let mut told = Told::default();
    let mut begun = Instant::now();
    let mut killer = None;
    for line in lines {
        let line = line.unwrap();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("@start", _) => {
                begun = Instant::now();
                if let Death::After(delay) = death {
                    let (delay, child) = (*delay, child.clone());
                    killer = Some(std::thread::spawn(move || {
                        std::thread::sleep(delay);
                        child.lock().unwrap().kill().unwrap();
                    }));
                }
            }
            ("@hit", name) => told.hits.push(name.to_owned()),
            ("@saved", rest) => {
                let (uid, hash) = rest.split_once(' ').unwrap();
                told.saved.push((uid.to_owned(), hash.to_owned()));
            }
            ("@sent", _) => told.sent = true,
            ("@end", _) => {
                told.ended = true;
                told.took = begun.elapsed();
            }
            _ => {}
        }
    }
    if let Some(killer) = killer {
        killer.join().unwrap();
    }
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    let status = child.lock().unwrap().wait().unwrap();
    match death {
        Death::Never => assert!(status.success(), "{text}"),
        Death::At(..) => assert!(!status.success(), "{words:?}: the child survived {death:?}"),
        Death::After(_) => {}
    }
    assert!(!text.contains("panicked"), "{words:?} {death:?}: {text}");
    told
}

/// Returns the fault points that a list of hits passes, and for frequent ones the first, a middle and the last time.
pub fn moments(hits: &[String]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    hits.iter().for_each(|hit| *counts.entry(hit).or_default() += 1);
    let mut moments = Vec::new();
    for (point, n) in counts {
        let mut nths: Vec<usize> = if n <= 3 { (1..=n).collect() } else { vec![1, n / 2, n] };
        nths.dedup();
        moments.extend(nths.into_iter().map(|nth| (point.clone(), nth)));
    }
    moments
}
