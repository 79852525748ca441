//! What is asked of a disk beside reading and writing: to keep what a file holds, and which names
//! there are. A machine may crash between any two steps, and has then what was synced, and of the
//! rest anything. Tests listen to each step.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Keeps what the file at `path` holds, and how long it is.
pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    done(path);
    Ok(())
}

/// Gives a file another name. Either name may be there after a crash, until the folder is synced.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    done(to);
    Ok(())
}

/// Keeps the names of a folder, as they are now. Elsewhere than on Unix a folder cannot be opened,
/// and needs not.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        // The parent of a plain name is the folder that the process is in.
        let folder = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        File::open(folder)?.sync_all()?;
    }
    done(path);
    Ok(())
}

#[cfg(not(all(test, not(sealgate_model))))]
const fn done(_: &Path) {}

#[cfg(all(test, not(sealgate_model)))]
pub(super) use listening::{done, listen};

#[cfg(all(test, not(sealgate_model)))]
mod listening {
    use std::cell::RefCell;
    use std::path::Path;

    type Listener = Box<dyn FnMut(&Path)>;

    thread_local! {
        static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
    }

    /// Hears of each step of this thread: the file or folder that was synced, or the new name.
    pub(in crate::feed::file) fn listen(listener: Option<Listener>) {
        LISTENER.set(listener);
    }

    /// Whoever listens may look into stores, and is not told of that.
    pub(in crate::feed::file) fn done(path: &Path) {
        if let Some(mut listener) = LISTENER.take() {
            listener(path);
            LISTENER.set(Some(listener));
        }
    }
}
