//! A policy from text or file: read, checked against the grammar, compiled.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::{self, Format, Node, Position};
use super::problem::{PolicyError, Problem, Warning};
use super::{Rules, check, compile, file, grammar};
use crate::limits;

/// A policy document that has been checked whole: what each gate demands, what each issuer signs.
///
/// Immutable and cheap to clone. Files and environment variables that it names are read while it
/// loads, and not again.
///
/// ```
/// use sealgate::{Format, Policy};
///
/// let document = r#"
///     version = 1
///     [issuers.corp]
///     issuer     = "https://login.example.com"
///     algorithms = ["ES256"]
///     jwks_push  = "process"
///     [gates.tools]
///     profile  = "access_token"
///     audience = "https://api.example.com/mcp"
///     issuers  = ["corp"]
/// "#;
/// let policy = Policy::parse(document, Format::Toml)?;
/// assert_eq!(policy.effective()["gates"]["tools"]["delegation"], "forbid");
///
/// let typo = document.replace("audience", "audiance");
/// let refused = Policy::parse(typo, Format::Toml).unwrap_err();
/// assert!(refused.to_string().contains("Did you mean \"audience\"?"));
/// # Ok::<(), sealgate::PolicyError>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    root: Node,
    rules: Rules,
    warnings: Vec<Warning>,
    document: Option<String>,
    /// What the loading program permitted.
    options: LoadOptions,
}

/// What the loading program permits and where relative paths begin.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoadOptions {
    pub(super) allow_danger: bool,
    pub(super) allow_test_keys: bool,
    pub(super) push_all_keys: bool,
    pub(super) folder: Option<PathBuf>,
}

impl LoadOptions {
    /// Nothing dangerous; paths are relative to the working directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the document have a `[danger]` table. Default: it may not.
    #[must_use]
    pub const fn allow_danger(mut self, allow: bool) -> Self {
        self.allow_danger = allow;
        self
    }

    /// Lets the document hold keys whose private half is published, and secrets inline. For tests
    /// and demonstrations only. Default: it may not.
    #[must_use]
    pub const fn allow_test_keys(mut self, allow: bool) -> Self {
        self.allow_test_keys = allow;
        self
    }

    /// Takes the keys of every issuer from the program, wherever the document says they come from,
    /// and reads no source it names, nor asks an issuer about tokens; and remembers revocations and
    /// used proofs in this process, whatever store it names: for testing a real policy with keys of
    /// one's own. Default: the document's sources and stores.
    #[must_use]
    pub const fn push_all_keys(mut self, push: bool) -> Self {
        self.push_all_keys = push;
        self
    }

    /// Whether [`LoadOptions::allow_danger`] is set.
    #[must_use]
    pub const fn allows_danger(&self) -> bool {
        self.allow_danger
    }

    /// Whether [`LoadOptions::allow_test_keys`] is set.
    #[must_use]
    pub const fn allows_test_keys(&self) -> bool {
        self.allow_test_keys
    }

    /// Whether [`LoadOptions::push_all_keys`] is set.
    #[must_use]
    pub const fn pushes_all_keys(&self) -> bool {
        self.push_all_keys
    }

    /// The folder that relative paths of the document begin in. [`Policy::load`] sets it to the
    /// document's own folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }
}

impl Policy {
    /// Reads a policy from a file whose name ends in `.toml` or `.json`.
    ///
    /// # Errors
    ///
    /// With every problem of the document, or the one of reading the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        Self::load_with(path, &LoadOptions::new())
    }

    /// As [`Policy::load`], with what the program permits.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn load_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, PolicyError> {
        Self::load_by(path.as_ref(), options, |_| Vec::new())
    }

    /// As [`Policy::load_with`], with what `judge` finds of it told together with the rest.
    pub(crate) fn load_by(
        path: &Path,
        options: &LoadOptions,
        judge: impl FnOnce(&Self) -> Vec<Problem>,
    ) -> Result<Self, PolicyError> {
        let document = path.display().to_string();
        let refuse = |text: String| {
            let problem = Problem::new("", Position::default(), text);
            PolicyError::new(vec![problem]).of(Some(document.clone()))
        };
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Format::Toml,
            Some("json") => Format::Json,
            _ => return Err(refuse("its name must end in .toml or .json".to_owned())),
        };
        let content = file::read(path, limits::POLICY_SIZE).map_err(refuse)?;
        let folder = options
            .folder
            .clone()
            .or_else(|| path.parent().map(Path::to_owned));
        let options = LoadOptions {
            folder,
            ..options.clone()
        };
        Self::build(&content.bytes, format, &options, Some(document), judge)
    }

    /// Reads a policy from text.
    ///
    /// # Errors
    ///
    /// With every problem of the document.
    pub fn parse(text: impl AsRef<[u8]>, format: Format) -> Result<Self, PolicyError> {
        Self::parse_with(text, format, &LoadOptions::new())
    }

    /// As [`Policy::parse`], with what the program permits.
    ///
    /// # Errors
    ///
    /// As [`Policy::parse`].
    pub fn parse_with(
        text: impl AsRef<[u8]>,
        format: Format,
        options: &LoadOptions,
    ) -> Result<Self, PolicyError> {
        Self::parse_by(text.as_ref(), format, options, |_| Vec::new())
    }

    /// As [`Policy::parse_with`], with what `judge` finds of it told together with the rest.
    pub(crate) fn parse_by(
        text: &[u8],
        format: Format,
        options: &LoadOptions,
        judge: impl FnOnce(&Self) -> Vec<Problem>,
    ) -> Result<Self, PolicyError> {
        Self::build(text, format, options, None, judge)
    }

    fn build(
        text: &[u8],
        format: Format,
        options: &LoadOptions,
        document: Option<String>,
        judge: impl FnOnce(&Self) -> Vec<Problem>,
    ) -> Result<Self, PolicyError> {
        let (root, problems) = document::read(text, format);
        let Some(mut root) = root else {
            return Err(PolicyError::new(problems).of(document));
        };
        if format == Format::Json {
            root.remove("$schema"); // editors put it there
        }
        Self::check(root, options, problems, document, judge)
    }

    /// The policy of this document, unless it has problems: those of reading it, or others.
    pub(super) fn check(
        mut root: Node,
        options: &LoadOptions,
        mut problems: Vec<Problem>,
        document: Option<String>,
        judge: impl FnOnce(&Self) -> Vec<Problem>,
    ) -> Result<Self, PolicyError> {
        if options.push_all_keys {
            compile::push_all_keys(&mut root);
            compile::share_nothing(&mut root);
        }
        check::table(&root, "", grammar::DOCUMENT, &mut problems);
        if check::is_of_another_version(&root) {
            // What the rest means, only that version knows.
            problems.retain(|problem| problem.path == "version");
            return Err(PolicyError::new(problems).of(document));
        }
        let (rules, compiler) = compile::compile(&root, options, problems);
        let (mut problems, mut warnings) = (compiler.problems, compiler.warnings);
        warnings.sort_by_key(|warning| (warning.line, warning.column));
        let policy = Self {
            inner: Arc::new(Inner {
                root,
                rules,
                warnings,
                document: document.clone(),
                options: LoadOptions {
                    folder: None, // the next document has its own
                    ..options.clone()
                },
            }),
        };
        let mut more = judge(&policy);
        // What is wrong with a member already is not said of it in other words.
        more.retain(|new| problems.iter().all(|known| known.path != new.path));
        problems.append(&mut more);
        if problems.is_empty() {
            Ok(policy)
        } else {
            Err(PolicyError::new(problems).of(document))
        }
    }

    /// What loads and still deserves a second look, in the order of the document.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.inner.warnings
    }

    /// The document as indented JSON, members in the order they were written: the twin of a TOML
    /// document.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.inner.root.to_pretty_json()
    }

    /// The one JSON text of this policy: members sorted, no space. Two documents that say the same
    /// have the same. Files the document names are not part of it.
    #[must_use]
    pub fn canonical_json(&self) -> String {
        self.inner.root.to_canonical_json()
    }

    /// The document with every default filled in. An issuer's `max_lifetime` is one for all its
    /// kinds; what a gate makes of it is in [`Policy::summary`].
    #[must_use]
    pub fn effective(&self) -> serde_json::Value {
        super::effective::fill(&self.inner.root).to_value()
    }

    /// What the loading program permitted, to load the next policy alike. Relative paths of that
    /// begin anew, where it is.
    #[must_use]
    pub fn options(&self) -> &LoadOptions {
        &self.inner.options
    }

    /// This policy for a program that permits as much. It is the same, but where all keys are to
    /// come from the program and do not yet ([`LoadOptions::push_all_keys`]): then it is loaded
    /// anew.
    ///
    /// # Errors
    ///
    /// As [`Policy::parse`].
    pub fn under(&self, options: &LoadOptions) -> Result<Self, PolicyError> {
        let own = &self.inner.options;
        if own.push_all_keys || !options.push_all_keys {
            return Ok(self.clone());
        }
        let both = LoadOptions {
            allow_danger: own.allow_danger || options.allow_danger,
            allow_test_keys: own.allow_test_keys || options.allow_test_keys,
            push_all_keys: true,
            folder: options.folder.clone(),
        };
        Self::parse_with(self.to_json(), Format::Json, &both)
    }

    /// The JSON Schema (draft 2020-12) of policy documents, the same text for the same version.
    #[must_use]
    pub fn schema() -> String {
        super::schema::schema()
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    /// Whether keys may be used whose private half is published.
    pub(crate) fn allows_test_keys(&self) -> bool {
        self.inner.options.allow_test_keys
    }

    /// A problem that only the verifier can find, at the member it is about.
    pub(crate) fn problem_at(&self, path: &str, text: impl Into<String>) -> Problem {
        Problem::new(path, self.inner.root.locate(path), text)
    }

    /// The error of such problems.
    pub(crate) fn refuse(&self, problems: Vec<Problem>) -> PolicyError {
        PolicyError::new(problems).of(self.inner.document.clone())
    }

    /// The path of an issuer's key by its position among the issuer's keys.
    pub(crate) fn key_path(&self, issuer: &str, index: usize) -> String {
        let rules = self
            .inner
            .rules
            .issuers
            .iter()
            .find(|rules| *rules.name == *issuer);
        let path = rules.and_then(|rules| rules.key_paths.get(index));
        path.cloned().unwrap_or_else(|| format!("issuers.{issuer}"))
    }

    pub(super) fn root(&self) -> &Node {
        &self.inner.root
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: Vec<&Box<str>>| format!("{names:?}");
        f.debug_struct("Policy")
            .field("preset", &self.inner.rules.preset)
            .field(
                "issuers",
                &names(self.inner.rules.issuers.iter().map(|i| &i.name).collect()),
            )
            .field(
                "gates",
                &names(self.inner.rules.gates.iter().map(|g| &g.name).collect()),
            )
            .finish_non_exhaustive()
    }
}
