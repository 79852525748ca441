//! What to do about who acts for whom, and what for.

use super::Context;
use crate::policy::{Delegation, IntentPointer, Lineage};

impl Context<'_> {
    /// The gate's delegation table in the document.
    pub(super) fn delegation(&self) -> String {
        let name = self.gate.delegation.rules().map(|rules| &*rules.name);
        format!("delegation.{}", name.unwrap_or("…"))
    }

    pub(super) fn depth(&self) -> String {
        let most = self.gate.delegation.max_depth();
        match &self.gate.delegation {
            Delegation::Enforce(_) => {
                format!("At most {most} actors ({}.max_depth).", self.delegation())
            }
            Delegation::Forbid | Delegation::Surface => format!("At most {most} actors."),
        }
    }

    pub(super) fn link(&self) -> String {
        let least = self.gate.delegation.min_lineage();
        if least > Lineage::Asserted {
            return format!(
                "{}.min_lineage is \"{}\": send the tokens that this one comes from along, and none \
                 besides.",
                self.delegation(),
                least.as_str()
            );
        }
        "Send along exactly the tokens that this one comes from, each with its whole history."
            .into()
    }

    pub(super) fn actor(&self) -> String {
        let gate = &self.gate.name;
        match &self.gate.delegation {
            Delegation::Forbid => format!(
                "gates.{gate}.delegation is \"forbid\". Write \"surface\" to see chains. Nothing of \
                 this goes on the wire."
            ),
            Delegation::Surface => "Nothing of this goes on the wire.".into(),
            Delegation::Enforce(rules) => format!(
                "Only the outermost actor counts. Add a [[delegation.{}.allow]] rule, or delegation \
                 = \"surface\" to see chains first; a [[…deny]] rule refuses any actor of the chain. \
                 Nothing of this goes on the wire.",
                rules.name
            ),
        }
    }

    /// What bounds the operation that was not permitted.
    pub(super) fn operation(&self, about: Option<&str>) -> String {
        match about {
            Some("act") => format!(
                "The agent's rule holds for other tools: see tool in {}.allow.",
                self.delegation()
            ),
            Some("authorization_details") => "One entry of authorization_details must name all that \
                 the operation names, and nothing that an operation cannot tell of (RFC 9396 §2.2). A \
                 client asks for another grant."
                .into(),
            _ => "It lies outside the bounds of what was approved: ask for approval of this one."
                .into(),
        }
    }

    pub(super) fn intent(&self) -> String {
        let gate = &self.gate.name;
        let paths = self
            .gate
            .intent
            .pointers
            .iter()
            .map(IntentPointer::to_string);
        let paths: Vec<String> = paths.collect();
        format!(
            "All tokens of a request that name a mission, an intent or a workflow name the same; \
             gate {gate} looks for it at {} (gates.{gate}.intent_pointers).",
            paths.join(" ")
        )
    }
}
