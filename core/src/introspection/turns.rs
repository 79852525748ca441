//! [`turns`]: which issuers are asked a question now, so that busy ones keep no other from being asked.
//!
//! Active tokens that are to be asked about anew come first, of all issuers; a place that is free
//! goes to whoever has the fewest questions running, so that places are shared evenly as soon as
//! answers come. And where others hold all places, with servers that hang, an issuer has one of its
//! own.

use crate::limits::INTROSPECTIONS_EACH;

/// What there is to ask one issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) running: usize,
    /// Active tokens that wait to be asked about anew.
    pub(crate) renewals: usize,
    /// Others that wait.
    pub(crate) others: usize,
}

/// The issuers to ask a question each, by their positions here, in this order. So many places are
/// free that all of them share.
pub(crate) fn turns(mut loads: Vec<Load>, mut free: usize) -> Vec<usize> {
    let kinds: [fn(&mut Load) -> &mut usize; 2] =
        [|load| &mut load.renewals, |load| &mut load.others];
    let mut turns = Vec::new();
    for waiting in kinds {
        loop {
            let in_line = loads.iter_mut().enumerate().filter_map(|(position, load)| {
                let place = load.running == 0 || (free > 0 && load.running < INTROSPECTIONS_EACH);
                (place && *waiting(load) > 0).then_some((position, load))
            });
            let Some((position, load)) = in_line.min_by_key(|(_, load)| load.running) else {
                break;
            };
            *waiting(load) = waiting(load).saturating_sub(1);
            load.running = load.running.saturating_add(1);
            free = free.saturating_sub(1);
            turns.push(position);
        }
    }
    turns
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{INTROSPECTIONS_EACH, Load, turns};

    fn load(running: usize, renewals: usize, others: usize) -> Load {
        Load {
            running,
            renewals,
            others,
        }
    }

    #[test]
    fn renewals_of_all_come_first_and_places_are_shared_evenly() {
        let loads = vec![load(0, 1, 9), load(0, 0, 9), load(0, 2, 0)];
        assert_eq!(turns(loads.clone(), 9), [0, 2, 2, 1, 0, 1, 0, 1, 0]);
        assert_eq!(turns(loads, 4), [0, 2, 2, 1]);
        assert_eq!(turns(vec![load(0, 0, 2)], 9), [0, 0], "what there is");
        assert!(turns(Vec::new(), 9).is_empty());
    }

    #[test]
    fn an_issuer_with_nothing_running_has_a_place_of_its_own() {
        let hang = load(INTROSPECTIONS_EACH, 5, 9);
        assert_eq!(turns(vec![hang, load(0, 0, 2), load(0, 3, 0)], 0), [2, 1]);
        assert!(turns(vec![hang, load(1, 3, 3)], 0).is_empty());
        // One place that is free: whoever has the fewest.
        assert_eq!(turns(vec![load(7, 0, 9), load(2, 0, 9)], 1), [1]);
        assert_eq!(turns(vec![load(7, 0, 9), load(2, 0, 0)], 1), [0]);
    }

    #[test]
    fn one_issuer_is_asked_so_many_questions_at_once() {
        let begun = turns(vec![load(3, 4, 99)], 99);
        assert_eq!(begun.len(), INTROSPECTIONS_EACH - 3);
    }
}
