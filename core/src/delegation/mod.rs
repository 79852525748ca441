//! Delegation (RFC 8693 §4.1): who acts for whom.
//!
//! Access decisions use the outermost actor only; inner actors are informational and may only end
//! a token's validity (TX-02).

mod actor;
mod agentic;
mod approved;
mod arguments;
mod chain;
mod details;
mod edge;
mod lineage;
mod offline;
mod operation;
mod presenter;
mod proofs;
mod rules;
mod scope;
mod task;

pub use actor::Actor;
pub(crate) use agentic::txn_path;
pub use approved::ApprovedIntent;
pub(crate) use arguments::Arguments;
pub(crate) use chain::{Chain, ChainAccepted, check, read};
pub(crate) use details::details_within;
pub(crate) use edge::{Member, Terms};
pub use lineage::Dimension;
pub(crate) use lineage::{Dimensions, LineageAccepted, assert, of_keys, prove, prove_next};
pub(crate) use offline::{Derived, Holding, derive};
pub use operation::Operation;
pub(crate) use operation::check_operation;
pub(crate) use presenter::{Presenter, PresenterAccepted, check_presenter};
pub(crate) use proofs::{
    Coverage, PROOFS, Proof, broken as proofs_broken, carried as carried_proofs,
    check as check_proofs,
};
pub(crate) use rules::{is_complete, misfits};
pub(crate) use task::{TasksAgree, check_tasks, tasks};
