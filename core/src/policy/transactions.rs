//! What a gate asks of transaction tokens beyond their form (`gates.X.transactions`).

/// How a transaction may have come here (TXT-11, TXA-02 to TXA-04).
#[derive(Debug)]
pub(crate) struct TransactionRules {
    /// A `txn` that was seen is refused.
    pub(crate) once: bool,
    /// Who we are, as `txn_path` would name us.
    pub(crate) workload: Option<Box<str>>,
    /// The most workloads of `txn_path`.
    pub(crate) max_hops: usize,
    /// What `min_assurance_level` may say, from the lowest on.
    pub(crate) levels: Vec<Box<str>>,
    /// The place of the lowest that is taken; `None`: it is not asked.
    pub(crate) floor: Option<usize>,
}

impl TransactionRules {
    /// The place of a level; `None` for one that nobody here knows.
    pub(crate) fn place(&self, level: &str) -> Option<usize> {
        self.levels.iter().position(|own| **own == *level)
    }
}
