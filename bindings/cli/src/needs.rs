//! What a call needs beyond its gate's demands: `--scope` and `--operation`.

use clap::Args;
use sealgate::{Operation, Requirements};

use crate::text::{parse_scope, quoted};

/// Options that say what a token is needed for.
#[derive(Args)]
pub(crate) struct NeedsArguments {
    /// Scope every token must have, beyond those of the gate; may be repeated.
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope)]
    scope: Vec<String>,
    #[command(flatten)]
    operation: OperationArguments,
}

/// What is about to be done.
#[derive(Args)]
pub(crate) struct OperationArguments {
    /// What is about to be done, by its parts: `tool=read_file`, `arguments={"path":"/a"}`, `resource=…`,
    /// `action=…`; may be repeated.
    #[arg(long, value_name = "PART=TEXT", value_parser = parse_part)]
    operation: Vec<(Part, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Tool,
    Resource,
    Action,
    Arguments,
}

impl OperationArguments {
    /// The tool and the text of its arguments.
    pub(crate) fn called(&self) -> (Option<&str>, Option<&str>) {
        let part = |wanted: Part| {
            let mut told = self.operation.iter();
            let found = told.find(|(part, _)| *part == wanted);
            found.map(|(_, text)| text.as_str())
        };
        (part(Part::Tool), part(Part::Arguments))
    }
}

impl NeedsArguments {
    pub(crate) fn requirements(&self) -> Requirements {
        let requirements = Requirements::scopes(self.scope.iter().map(String::as_str));
        let told = self.operation.operation.iter();
        if told.len() == 0 {
            return requirements;
        }
        let operation = told.fold(Operation::new(), |operation, (part, text)| match part {
            Part::Tool => operation.tool(text.as_str()),
            Part::Resource => operation.resource(text.as_str()),
            Part::Action => operation.action(text.as_str()),
            Part::Arguments => operation.arguments(text),
        });
        requirements.with_operation(operation)
    }

    /// The same as they are written on a command line.
    pub(crate) fn options(&self) -> String {
        let scopes = self.scope.iter().map(|scope| ("--scope", quoted(scope)));
        let told = self.operation.operation.iter().map(|(part, text)| {
            let name = part.as_str();
            ("--operation", quoted(&format!("{name}={text}")))
        });
        let written = scopes.chain(told);
        written
            .map(|(name, value)| format!(" {name} {value}"))
            .collect()
    }
}

impl Part {
    const ALL: [Self; 4] = [Self::Tool, Self::Resource, Self::Action, Self::Arguments];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Arguments => "arguments",
        }
    }
}

fn parse_part(text: &str) -> Result<(Part, String), String> {
    let (name, text) = text.split_once('=').ok_or("a part, =, and a text")?;
    let part = Part::ALL.into_iter().find(|part| part.as_str() == name);
    let part = part.ok_or("the parts are tool, arguments, resource and action")?;
    if text.is_empty() {
        return Err("the text is empty".to_owned());
    }
    Ok((part, text.to_owned()))
}
