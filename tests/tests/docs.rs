//! Where errors send their readers is there: pages and anchors of the documentation that
//! `tests/run docs` has built, which is what is published with the crate.

use std::path::{Path, PathBuf};

use sealgate::Code;

/// Where cargo has put the documentation: beside the folder of this very test.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap(); // target/debug/deps/docs-…
    target.join("doc")
}

/// What a link is to: a file of the documentation, and an anchor in it.
fn place(url: &str) -> (PathBuf, Option<&str>) {
    let version = env!("CARGO_PKG_VERSION");
    let path = ["latest", version].iter().find_map(|version| {
        let start = format!("https://docs.rs/sealgate/{version}/");
        url.strip_prefix(&start)
    });
    let path = path.unwrap_or_else(|| panic!("{url} is of no version"));
    let (page, anchor) = match path.split_once('#') {
        Some((page, anchor)) => (page, Some(anchor)),
        None => (path, None),
    };
    (built().join(page), anchor)
}

fn check(url: &str) {
    let (page, anchor) = place(url);
    let text = std::fs::read_to_string(&page);
    let text = text.unwrap_or_else(|error| panic!("{url}: {}: {error}", page.display()));
    if let Some(anchor) = anchor {
        assert!(text.contains(&format!("id=\"{anchor}\"")), "{url}");
    }
}

#[test]
#[ignore = "needs the documentation: tests/run docs"]
fn every_code_is_described_where_its_errors_say() {
    for code in Code::ALL {
        check(&code.doc_url());
    }
    assert!(Code::ALL.len() > 60);
}

/// Links that the packages and their READMEs write themselves.
#[test]
#[ignore = "needs the documentation: tests/run docs"]
fn every_page_that_the_packages_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in [
        "bindings/node/lib/errors.cjs",
        "bindings/python/python/sealgate/_errors.py",
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let links = text.match_indices("https://docs.rs/sealgate/");
        let links: Vec<&str> = links
            .map(|(at, _)| text[at..].split(['"', '\'']).next().unwrap())
            .collect();
        assert!(!links.is_empty(), "{file}");
        links.into_iter().for_each(check);
    }
}
