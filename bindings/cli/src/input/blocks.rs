//! Bytes that a thread reads ahead, so that it can be told whether more are there.

use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::mpsc::{self, Receiver, TryRecvError};

/// Bytes of a block.
const BLOCK: usize = 256 * 1024;
/// Blocks read ahead; together they bound memory.
const AHEAD: usize = 32;

/// A reader over what another thread reads.
pub(super) struct Blocks {
    receiver: Receiver<io::Result<Vec<u8>>>,
    /// The block under way, and how much of it is used up.
    block: Vec<u8>,
    used: usize,
    /// What ended the input.
    end: Option<io::Result<()>>,
}

impl Blocks {
    /// Starts the thread. It ends with the input, or when nobody takes its blocks any more.
    pub(super) fn of(mut reader: Box<dyn Read + Send>) -> Self {
        let (sender, receiver) = mpsc::sync_channel(AHEAD);
        std::thread::spawn(move || {
            loop {
                let mut block = vec![0; BLOCK];
                let read = match reader.read(&mut block) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    read => read,
                };
                let is_last = !matches!(read, Ok(1..));
                let block = read.map(|len| {
                    block.truncate(len);
                    block
                });
                if sender.send(block).is_err() || is_last {
                    return;
                }
            }
        });
        Self {
            receiver,
            block: Vec::new(),
            used: 0,
            end: None,
        }
    }

    /// Whether the next byte, or the end, is not there yet.
    pub(super) fn would_wait(&mut self) -> bool {
        if self.used < self.block.len() || self.end.is_some() {
            return false;
        }
        match self.receiver.try_recv() {
            Ok(next) => {
                self.take(next);
                false
            }
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => false,
        }
    }

    fn take(&mut self, next: io::Result<Vec<u8>>) {
        (self.block, self.used) = (Vec::new(), 0);
        match next {
            Ok(block) if block.is_empty() => self.end = Some(Ok(())),
            Ok(block) => self.block = block,
            Err(error) => self.end = Some(Err(error)),
        }
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Blocks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used >= self.block.len() && self.end.is_none() {
            let next = self.receiver.recv();
            self.take(next.unwrap_or(Ok(Vec::new())));
        }
        if let Some(end) = &mut self.end
            && self.used >= self.block.len()
        {
            std::mem::replace(end, Ok(()))?;
        }
        Ok(self.block.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount;
    }
}
