//! What is in force at a gate at one moment, for the requests that tests are made of.

use super::{Gate, Revocation, Revocations};
use crate::error::{Blame, Code, Error};
use crate::jwa::Algorithm;
use crate::policy::{GateIssuer, Policy};
use crate::revocation::Handle;
use crate::time::NumericDate;

#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) policy: Policy,
    /// Position of the gate in the policy.
    pub(crate) gate: usize,
    pub(crate) now: NumericDate,
    /// The issuers of the gate whose tokens find no key to use, and the code that they meet.
    pub(crate) outages: Vec<(GateIssuer, Code)>,
}

impl Gate {
    /// What is in force here now.
    pub(crate) fn setting(&self) -> Result<Setting, Error> {
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door)?;
        let mut gates = door.rules().gates.iter();
        let gate = gates.position(|gate| gate.name == door.gate.name);
        let outages = door.gate.issuers.iter().filter_map(|entry| {
            // Which key would do is not asked: an outage is found before any key is.
            let found = state
                .keys
                .select(entry.position, Algorithm::Es256, None, now);
            let code = found.err()?.code();
            (code.blame() == Blame::Unavailable).then_some((*entry, code))
        });
        Ok(Setting {
            policy: state.world.policy.clone(),
            gate: gate.ok_or_else(|| Error::new(Code::Internal))?,
            now,
            outages: outages.collect(),
        })
    }

    /// Revokes what carries this handle.
    pub(crate) fn revoke(&self, handle: &Handle) -> Result<(), Error> {
        let revocations = Revocations::new(&self.engine);
        let revoked = revocations.revoke(handle, Revocation::all());
        revoked.map(drop).map_err(|_| Error::new(Code::Internal))
    }
}
