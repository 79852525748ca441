//! What a call needs beyond its gate's demands: `--scope`, `--acr`, `--operation`, and what the
//! caller knows that the token must belong to.

use clap::Args;
use sealgate::{Operation, Requirements};

use crate::failure::Failure;
use crate::input;
use crate::text::{parse_scope, quoted};

/// Options that say what a token is needed for.
#[derive(Args)]
pub(crate) struct NeedsArguments {
    /// Scope every token must have, beyond those of the gate; may be repeated.
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope)]
    scope: Vec<String>,
    /// Authentication context class, of which the token must have one; may be repeated.
    #[arg(long, value_name = "CLASS", value_parser = parse_scope)]
    acr: Vec<String>,
    #[command(flatten)]
    known: KnownArguments,
    #[command(flatten)]
    operation: OperationArguments,
}

/// What the caller knows, and the token must be of.
#[derive(Args)]
pub(crate) struct KnownArguments {
    /// The `nonce` of the sign-in that an ID token must be of.
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// The access token that an ID token must have come with (`at_hash`).
    #[arg(long, value_name = "FILE")]
    access_token: Option<String>,
    /// The authorization code that an ID token must have come with (`c_hash`).
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The client that the token must be of.
    #[arg(long, value_name = "CLIENT")]
    client_id: Option<String>,
}

/// What is about to be done.
#[derive(Args)]
pub(crate) struct OperationArguments {
    /// What is about to be done, by its parts: `tool=read_file`, `arguments={"path":"/a"}`,
    /// `resource=…`, `action=…`; may be repeated.
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

impl KnownArguments {
    fn add_to(&self, mut requirements: Requirements) -> Result<Requirements, Failure> {
        if let Some(nonce) = &self.nonce {
            requirements = requirements.with_nonce(nonce.as_str());
        }
        if let Some(file) = &self.access_token {
            let token = input::one(Some(file))?;
            let token = String::from_utf8(token)
                .map_err(|_| Failure::Usage(format!("--access-token: {file} is not text")))?;
            requirements = requirements.with_access_token(token);
        }
        if let Some(code) = &self.code {
            requirements = requirements.with_code(code.as_str());
        }
        if let Some(client) = &self.client_id {
            requirements = requirements.with_client(client.as_str());
        }
        Ok(requirements)
    }

    fn options(&self) -> impl Iterator<Item = (&'static str, String)> {
        let known = [
            ("--nonce", &self.nonce),
            ("--access-token", &self.access_token),
            ("--code", &self.code),
            ("--client-id", &self.client_id),
        ];
        let known = known.into_iter();
        known.filter_map(|(name, value)| Some((name, quoted(value.as_ref()?))))
    }
}

impl NeedsArguments {
    /// Reads the access token, if one is named.
    pub(crate) fn requirements(&self) -> Result<Requirements, Failure> {
        let requirements = Requirements::scopes(self.scope.iter().map(String::as_str));
        let requirements = self.known.add_to(requirements)?;
        let requirements = match self.acr.as_slice() {
            [] => requirements,
            classes => requirements.with_acr_values(classes.iter().map(String::as_str)),
        };
        let told = self.operation.operation.iter();
        if told.len() == 0 {
            return Ok(requirements);
        }
        let operation = told.fold(Operation::new(), |operation, (part, text)| match part {
            Part::Tool => operation.tool(text.as_str()),
            Part::Resource => operation.resource(text.as_str()),
            Part::Action => operation.action(text.as_str()),
            Part::Arguments => operation.arguments(text),
        });
        Ok(requirements.with_operation(operation))
    }

    /// The same as they are written on a command line.
    pub(crate) fn options(&self) -> String {
        let scopes = self.scope.iter().map(|scope| ("--scope", quoted(scope)));
        let classes = self.acr.iter().map(|class| ("--acr", quoted(class)));
        let known = self.known.options();
        let told = self.operation.operation.iter().map(|(part, text)| {
            let name = part.as_str();
            ("--operation", quoted(&format!("{name}={text}")))
        });
        let written = scopes.chain(classes).chain(known).chain(told);
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
