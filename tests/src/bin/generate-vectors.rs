//! Writes the project's own vectors anew, into `tests/vectors`.

use std::{fs, io};

use sealgate_tests::generate;

fn main() -> io::Result<()> {
    let folder = generate::folder();
    for name in generate::FILES {
        let path = folder.join(name);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, generate::file(name, &committed))?;
    }
    Ok(())
}
