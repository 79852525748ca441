//! Machines that crash: what was synced is there, and of everything else it may be or not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use super::{Place, load_from, numbers, revoked};
use crate::feed::Engine;
use crate::feed::file::disk::listen;

/// A folder by what a crash leaves of it: names as they were when it was last synced, and files as
/// they were then.
#[derive(Default)]
struct Kept {
    names: BTreeMap<String, u64>,
    files: BTreeMap<u64, Vec<u8>>,
}

impl Kept {
    fn hear(&mut self, folder: &Path, step: &Path) {
        if step == folder {
            self.names = names(folder);
        } else if let Ok(bytes) = fs::read(step) {
            let file = fs::metadata(step).unwrap().ino();
            self.files.insert(file, bytes);
        }
    }

    /// What may be there: with names and promises that were never synced, or without.
    fn remains(&self, folder: &Path) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut remains = Vec::new();
        for names in [&self.names, &names(folder)] {
            let kept = names.iter().map(|(name, file)| {
                let bytes = self.files.get(file).cloned();
                (name.clone(), bytes.unwrap_or_default())
            });
            let kept: BTreeMap<_, _> = kept.collect();
            if kept.contains_key("committed") {
                let mut lucky = kept.clone();
                let written = fs::read(folder.join("committed")).unwrap();
                lucky.insert("committed".to_owned(), written);
                remains.extend([kept, lucky]);
            }
        }
        remains
    }
}

fn names(folder: &Path) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, entry.metadata().unwrap().ino())
    });
    named.collect()
}

#[test]
fn a_machine_that_crashes_at_any_step_keeps_what_was_promised() {
    let (place, other) = (Place::new(), Place::new());
    let engine = place.engine_with(600, |_| {});
    let promised = Rc::new(RefCell::new(Vec::new()));
    let steps = Rc::new(RefCell::new(0));
    let (folder, had, counted) = (place.0.clone(), Rc::clone(&promised), Rc::clone(&steps));
    let mut kept = Kept::default();
    listen(Some(Box::new(move |step| {
        kept.hear(&folder, step);
        for remains in kept.remains(&folder) {
            other.put(&remains);
            let found = load_from(&other.engine());
            let names: Vec<_> = remains.keys().collect();
            let found = numbers(&found.unwrap_or_else(|error| panic!("{names:?}: {error}")));
            let had: &Vec<u64> = &had.borrow();
            assert!(had.iter().all(|number| found.contains(number)), "{names:?}");
            *counted.borrow_mut() += 1;
        }
    })));
    let mut writer = engine.writer().unwrap();
    for number in 1..60 {
        writer.write(&[revoked(number)]).unwrap();
        promised.borrow_mut().push(number);
    }
    listen(None);
    assert!(place.file("snapshot").exists() && *steps.borrow() > 300);
}
