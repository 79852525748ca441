//! Reads requests of the conformance protocol on standard input, one a line, and writes one answer
//! line each, in order, flushed.

use std::io::{self, BufRead, Write};

use sealgate_tests::conformance::Harness;

fn main() -> io::Result<()> {
    // A panic is answered, and its message would only disturb the caller's terminal.
    std::panic::set_hook(Box::new(|_| {}));
    let mut harness = Harness::new(sealgate::crypto::aws_lc::provider());
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if !line.trim_ascii().is_empty() {
            writeln!(output, "{}", harness.answer_line(&line))?;
            output.flush()?;
        }
        line.clear();
    }
    Ok(())
}
