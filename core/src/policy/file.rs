//! Files that a policy names: read once, bounded, and with an eye on who else can read them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Users other than its owner and group can read or write it.
    pub(super) open_to_others: bool,
}

/// The whole file, or why not. Devices that never end are cut off like any file that is too large.
pub(super) fn read(path: &Path, most: usize) -> Result<Content, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(failed)?;
    let open_to_others = file
        .metadata()
        .is_ok_and(|metadata| open_to_others(&metadata));
    let mut bytes = Zeroizing::new(Vec::new());
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(bound).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(format!(
            "{} is larger than {} KiB",
            path.display(),
            most / 1024
        ));
    }
    Ok(Content {
        bytes,
        open_to_others,
    })
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> bool {
    false
}
