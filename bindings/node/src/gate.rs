//! Gates: the hot calls, as functions that hold the gate themselves.
//!
//! A call answers with a number. For a token whose JavaScript object is still kept, that is the
//! place where `lib/gate.cjs` keeps it: making a new object would cost more than verifying. For any
//! other it is the place in a page of tokens that share one handle, since a handle each would cost
//! half a verification, to make and to free.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{
    Either, External, Function, FunctionCallContext, Object, Uint8ArraySlice,
};
use napi::{Env, Error as Panic, JsString, Result};
use napi_derive::napi;
use sealgate::{
    Advice, ApprovedIntent, Begun, Blame, Clock, ContextToken, Error, Explanation, Gate, Grounds,
    Kind, Operation, Request, Requirements, Sitting, Traced, VerifiedToken, Verifier,
};
use serde_json::json;

use crate::error;
use crate::inquiry::{Answered, Asked, Verdict};
use crate::shelf::{Found, Shelf};
use crate::text::{with_bytes, with_text};
use crate::token::{PAGE, Page};
use crate::verifier::Engine;

/// Answers below 0, where there is no kept object: to -255 the number of a code; from here
/// downwards an acceptance, see [`new`].
const NEW: i32 = -256;

/// A gate, and the clock that later questions about its tokens are asked by.
pub(crate) struct Door {
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
}

/// A gate as one JavaScript object uses it.
struct Desk {
    door: Arc<Door>,
    /// The refusals under the policy in force.
    docket: RefCell<Rc<Docket>>,
    /// Whether JavaScript has it.
    docket_is_shared: Cell<bool>,
    /// The place of the last refusal.
    refusal: Cell<u32>,
    /// Without room where the policy has no cache: without one no token comes twice.
    shelf: RefCell<Shelf>,
    /// The last acceptance that is to be kept, and where.
    to_be_kept: RefCell<Option<(VerifiedToken, u32)>>,
    /// What is accepted goes here, until there is no room.
    page: RefCell<Rc<Page>>,
    /// Whether JavaScript has this page: else a number of it could be taken for one of the page
    /// before.
    is_shared: Cell<bool>,
}

/// Every refusal that was given under one policy, once: JavaScript holds the number of its place,
/// which needs no freeing. There are as many as codes, claims and issuers make pairs, whatever is
/// presented. A reload begins another docket, and the errors of this one keep it.
pub(crate) struct Docket {
    grounds: Grounds,
    refusals: RefCell<Vec<Error>>,
}

impl Docket {
    fn new(grounds: Grounds) -> Self {
        Self {
            grounds,
            refusals: RefCell::new(Vec::new()),
        }
    }

    fn at(&self, place: u32) -> Option<Error> {
        let refusals = self.refusals.borrow();
        refusals.get(usize::try_from(place).ok()?).copied()
    }
}

/// What errors of the refusal at this place say, of a call with these scopes.
#[napi(catch_unwind)]
pub(crate) fn refusal_outline(
    docket: &External<Rc<Docket>>,
    place: u32,
    scopes: String,
) -> Option<String> {
    let needs = requirements(&scopes);
    Some(error::outline(&docket.grounds, &docket.at(place)?, &needs))
}

/// What to do about the refusal at this place, and what to answer.
#[napi(catch_unwind)]
pub(crate) fn refusal_answer(
    docket: &External<Rc<Docket>>,
    place: u32,
    scopes: String,
) -> Option<String> {
    let needs = requirements(&scopes);
    Some(error::answer(&docket.grounds, &docket.at(place)?, &needs))
}

/// Whether the refusal at this place may be another answer within so many milliseconds.
#[napi(catch_unwind)]
pub(crate) fn refusal_may_settle(docket: &External<Rc<Docket>>, place: u32, wait: f64) -> bool {
    let wait = Duration::try_from_secs_f64(wait / 1000.0).unwrap_or(Duration::MAX);
    let error = docket.at(place);
    error.is_some_and(|error| docket.grounds.may_settle(&error, wait))
}

/// The functions of a gate, or `undefined` where the policy has no gate of this name. These answer
/// by number:
///
/// * `verifyText` and `verifyBytes` take a token and the call's scopes, separated by spaces;
/// * `verifyChain` takes a token, further tokens (kinds and tokens in turn), what it tells (members
///   and texts in turn) and scopes;
/// * `verifyRequest` takes method, URI, fields (names and values in turn), client certificate,
///   further tokens, token and proof of its content, what it tells and scopes.
///
/// `beginRequest` takes the same as the latter, and `begin` what `verifyText` or `verifyBytes` take
/// and what its caller knows; they answer by number, or with what `inquire` asks a server about,
/// and `settle` answers by number to what came of that.
///
/// `page` is the page of the last acceptance. `keep` says that its object is kept now, and answers
/// with the places whose objects are to be let go, if any; `clear` says that none is kept any more.
/// `refusal` is the place of the last refusal, or, where JavaScript does not have its docket yet,
/// -1 less that place; `docket` is that docket. `door` is for calls that are not hot.
#[napi(catch_unwind)]
pub(crate) fn gate<'env>(
    env: &'env Env,
    engine: &External<Engine>,
    name: String,
) -> Result<Option<Object<'env>>> {
    let Ok(gate) = engine.verifier.gate(&name) else {
        return Ok(None);
    };
    let door = Arc::new(Door {
        gate,
        clock: engine.clock.clone(),
    });
    let desk = Rc::new(Desk {
        door: Arc::clone(&door),
        docket: RefCell::new(Rc::new(Docket::new(door.gate.grounds()))),
        docket_is_shared: Cell::new(false),
        refusal: Cell::new(0),
        shelf: RefCell::new(shelf_of(&engine.verifier)),
        to_be_kept: RefCell::new(None),
        page: RefCell::new(Rc::new(Page::new(Arc::clone(&door)))),
        is_shared: Cell::new(false),
    });
    let mut functions = Object::new(env)?;
    let own = Rc::clone(&desk);
    let verify_text: Function<'_, (), i32> =
        env.create_function_from_closure("verifyText", move |call| {
            let requirements = Desk::requirements(&call, 1)?;
            with_text(call.get::<JsString<'_>>(0)?, |token| {
                own.verify(token, &requirements)
            })
        })?;
    functions.set("verifyText", verify_text)?;
    let own = Rc::clone(&desk);
    let verify_bytes: Function<'_, (), i32> =
        env.create_function_from_closure("verifyBytes", move |call| {
            let requirements = Desk::requirements(&call, 1)?;
            let token = call.get::<Uint8ArraySlice<'_>>(0)?;
            Ok(with_bytes(&token, |token| own.verify(token, &requirements)))
        })?;
    functions.set("verifyBytes", verify_bytes)?;
    let own = Rc::clone(&desk);
    let verify_chain: Function<'_, (), i32> =
        env.create_function_from_closure("verifyChain", move |call| {
            let needed = Desk::requirements(&call, 3)?.into_owned();
            let told = told(needed, &call.get::<Vec<String>>(2)?);
            let requirements = match told {
                Ok(requirements) => requirements,
                Err(error) => return Ok(own.refuse(error, own.door.gate.grounds())),
            };
            let context = call.get::<Vec<String>>(1)?;
            let context = context_of(&context)?;
            with_text(call.get::<JsString<'_>>(0)?, |token| {
                own.verify_chain(token, &context, &requirements)
            })
        })?;
    functions.set("verifyChain", verify_chain)?;
    let own = Rc::clone(&desk);
    let verify_request: Function<'_, (), i32> =
        env.create_function_from_closure("verifyRequest", move |call| {
            let verdict = own.asked_about(&call, |sitting, request, needs| {
                sitting.answers_at_once()?;
                sitting.verify_request(request, needs)
            })?;
            // Its token is never kept: what was shown for it belongs to this request.
            Ok(own.answer(verdict))
        })?;
    functions.set("verifyRequest", verify_request)?;
    let own = Rc::clone(&desk);
    let begin_request: Function<'_, (), Either<i32, External<Asked>>> = env
        .create_function_from_closure("beginRequest", move |call| {
            let begun = own.asked_about(&call, |sitting, request, needs| {
                let begun = sitting.begin_request(request, needs)?;
                Ok((begun, sitting.grounds()))
            })?;
            Ok(own.begun(begun))
        })?;
    functions.set("beginRequest", begin_request)?;
    let own = Rc::clone(&desk);
    let begin: Function<'_, (), Either<i32, External<Asked>>> =
        env.create_function_from_closure("begin", move |call| {
            let mut needs = Ok(Desk::requirements(&call, 1)?);
            if call.length() > 2 {
                let known = call.get::<Vec<String>>(2)?;
                needs = needs.and_then(|needs| told(needs.into_owned(), &known).map(Cow::Owned));
            }
            let token = call.get::<Either<JsString<'_>, Uint8ArraySlice<'_>>>(0)?;
            with_token(token, |token| match &needs {
                Ok(needs) => own.begin(token, needs),
                Err(error) => Either::A(own.refuse(*error, own.door.gate.grounds())),
            })
        })?;
    functions.set("begin", begin)?;
    let own = Rc::clone(&desk);
    let settle: Function<'_, (), i32> =
        env.create_function_from_closure("settle", move |call| {
            let answered = call.get::<&External<Answered>>(0)?;
            Ok(own.answer(answered.take()?))
        })?;
    functions.set("settle", settle)?;
    let own = Rc::clone(&desk);
    let page: Function<'_, (), External<Rc<Page>>> =
        env.create_function_from_closure("page", move |_| Ok(External::new(own.share())))?;
    functions.set("page", page)?;
    let own = Rc::clone(&desk);
    let keep: Function<'_, (), Option<Vec<u32>>> =
        env.create_function_from_closure("keep", move |_| {
            let given_up = own.keep();
            Ok((!given_up.is_empty()).then_some(given_up))
        })?;
    functions.set("keep", keep)?;
    let own = Rc::clone(&desk);
    let verifier = engine.verifier.clone();
    let clear: Function<'_, (), ()> = env.create_function_from_closure("clear", move |_| {
        own.to_be_kept.borrow_mut().take();
        *own.shelf.borrow_mut() = shelf_of(&verifier);
        Ok(())
    })?;
    functions.set("clear", clear)?;
    let own = Rc::clone(&desk);
    let refusal: Function<'_, (), i32> =
        env.create_function_from_closure("refusal", move |_| Ok(own.last_refusal()))?;
    functions.set("refusal", refusal)?;
    let own = Rc::clone(&desk);
    let docket: Function<'_, (), External<Rc<Docket>>> =
        env.create_function_from_closure("docket", move |_| Ok(External::new(own.share_docket())))?;
    functions.set("docket", docket)?;
    functions.set("door", External::new(door))?;
    Ok(Some(functions))
}

impl Desk {
    /// The scopes that a call names at this place, if it does.
    fn requirements(
        call: &FunctionCallContext<'_>,
        place: usize,
    ) -> Result<Cow<'static, Requirements>> {
        // In one place: a constant would be made and dropped at each use.
        static NONE: Requirements = Requirements::NONE;
        if call.length() <= place {
            return Ok(Cow::Borrowed(&NONE));
        }
        Ok(Cow::Owned(requirements(&call.get::<String>(place)?)))
    }

    fn verify(&self, token: &[u8], requirements: &Requirements) -> i32 {
        let sitting = self.door.gate.sit();
        let at_once = sitting.tokens_answer_at_once();
        let token = match at_once.and_then(|()| sitting.verify(token, requirements)) {
            Ok(token) => token,
            Err(error) => return self.refuse(error, sitting.grounds()),
        };
        let now = || self.door.clock.now();
        let place = match self.shelf.borrow_mut().find(&token, now) {
            Found::Kept(place) => return number(place),
            Found::Free(place) => Some(place),
            Found::NoRoom => None,
        };
        if let Some(place) = place {
            *self.to_be_kept.borrow_mut() = Some((token.clone(), place));
        }
        new(self.write(token), place)
    }

    /// As [`Desk::verify`]; or what a server is asked about, where that would wait for one.
    fn begin(&self, token: &[u8], requirements: &Requirements) -> Either<i32, External<Asked>> {
        let sitting = self.door.gate.sit();
        if !sitting.waits_with_tokens() {
            return Either::A(self.verify(token, requirements));
        }
        let begun = sitting.begin_chain(token, &[], requirements);
        let grounds = sitting.grounds();
        self.begun(match begun {
            Ok(begun) => Ok((begun, grounds)),
            Err(error) => Err((error, grounds)),
        })
    }

    fn begun(
        &self,
        begun: std::result::Result<(Begun, Grounds), (Error, Grounds)>,
    ) -> Either<i32, External<Asked>> {
        match begun {
            Ok((Begun::Asks(inquiry), grounds)) => {
                Either::B(External::new(Asked::new(inquiry, grounds)))
            }
            Ok((Begun::Verified(token), _)) => Either::A(self.answer(Ok(token))),
            Err(refused) => Either::A(self.answer(Err(refused))),
        }
    }

    /// Its token is never kept: what is proven of it is so by the tokens that came with it.
    fn verify_chain(
        &self,
        token: &[u8],
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> i32 {
        let sitting = self.door.gate.sit();
        let at_once = sitting.tokens_answer_at_once();
        match at_once.and_then(|()| sitting.verify_chain(token, context, requirements)) {
            Ok(token) => new(self.write(token), None),
            Err(error) => self.refuse(error, sitting.grounds()),
        }
    }

    /// A question about the request of a call: method, URI, fields, client certificate, further
    /// tokens, content, what it tells and scopes.
    fn asked_about<T>(
        &self,
        call: &FunctionCallContext<'_>,
        ask: impl FnOnce(&Sitting<'_>, &Request<'_>, &Requirements) -> std::result::Result<T, Error>,
    ) -> Result<std::result::Result<T, (Error, Grounds)>> {
        let needed = Self::requirements(call, 7)?.into_owned();
        let needs = told(needed, &call.get::<Vec<String>>(6)?);
        let (method, uri) = (call.get::<String>(0)?, call.get::<String>(1)?);
        let fields = call.get::<Vec<String>>(2)?;
        let certificate = call.get::<Option<Uint8ArraySlice<'_>>>(3)?;
        let context = call.get::<Vec<String>>(4)?;
        let context = context_of(&context)?;
        let content = call.get::<Vec<String>>(5)?;
        let request = request(&method, &uri, &fields, certificate.as_deref(), &content);
        let request = request.context(&context);
        let sitting = self.door.gate.sit();
        let answer = needs.and_then(|needs| ask(&sitting, &request, &needs));
        Ok(answer.map_err(|error| (error, sitting.grounds())))
    }

    /// The number of a verdict whose token is not to be kept.
    fn answer(&self, verdict: Verdict) -> i32 {
        match verdict {
            Ok(token) => new(self.write(token), None),
            Err((error, grounds)) => self.refuse(error, grounds),
        }
    }

    /// Writes a token down; its place in the page. At place 0 it is a new page.
    fn write(&self, token: VerifiedToken) -> u32 {
        let mut page = self.page.borrow_mut();
        if !self.is_shared.get() || page.is_full() {
            *page = Rc::new(Page::new(Arc::clone(&self.door)));
            self.is_shared.set(false);
        }
        page.push(token)
    }

    fn share(&self) -> Rc<Page> {
        self.is_shared.set(true);
        Rc::clone(&self.page.borrow())
    }

    #[cold]
    fn refuse(&self, error: Error, grounds: Grounds) -> i32 {
        let mut docket = self.docket.borrow_mut();
        if !docket.grounds.is_same_as(&grounds) {
            *docket = Rc::new(Docket::new(grounds));
            self.docket_is_shared.set(false);
        }
        let mut refusals = docket.refusals.borrow_mut();
        let known = refusals.iter().position(|known| *known == error);
        let place = known.unwrap_or_else(|| {
            refusals.push(error);
            refusals.len() - 1
        });
        self.refusal.set(u32::try_from(place).unwrap_or(u32::MAX));
        -i32::from(error::number(&error))
    }

    fn last_refusal(&self) -> i32 {
        let place = number(self.refusal.get());
        if self.docket_is_shared.get() {
            place
        } else {
            -1 - place
        }
    }

    fn share_docket(&self) -> Rc<Docket> {
        self.docket_is_shared.set(true);
        Rc::clone(&self.docket.borrow())
    }

    fn keep(&self) -> Vec<u32> {
        let to_be_kept = self.to_be_kept.borrow_mut().take();
        to_be_kept.map_or_else(Vec::new, |(token, place)| {
            self.shelf.borrow_mut().keep(token, place)
        })
    }
}

/// The answer for an acceptance at this place of a page; and of the kept objects, where it is to be
/// kept. There are 2^24 of these at most.
fn new(in_page: u32, to_keep: Option<u32>) -> i32 {
    let keeping = to_keep.map_or(0, |place| number(place) + 1);
    NEW - (keeping * number(PAGE) + number(in_page))
}

/// An empty shelf of the policy in force: as many places as its cache has, and this gate's share of
/// as many bytes.
fn shelf_of(verifier: &Verifier) -> Shelf {
    let tokens = verifier.policy().effective()["cache"]["tokens"].as_u64();
    let room = tokens.and_then(|tokens| usize::try_from(tokens).ok());
    let gates = verifier.gates().len().max(1);
    Shelf::new(room.unwrap_or(0), verifier.cache_stats().capacity / gates)
}

/// A place as JavaScript counts it.
fn number(place: u32) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

/// Scopes separated by spaces, which no scope contains, and behind an end of line such values of
/// `acr`.
pub(crate) fn requirements(needed: &str) -> Requirements {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(' ').filter(|word| !word.is_empty())
    }
    match needed.split_once('\n') {
        Some((scopes, classes)) => {
            Requirements::scopes(words(scopes)).with_acr_values(words(classes))
        }
        None => Requirements::scopes(words(needed)),
    }
}

/// What a call needs together with the scope of its operation, members and texts in turn.
#[napi(catch_unwind)]
pub(crate) fn needed_scopes(needed: String, operation: Vec<String>) -> String {
    let own = requirements(&needed);
    let needs = told(own.clone(), &operation).unwrap_or(own);
    let mut all = needs.needed_scopes().collect::<Vec<_>>().join(" ");
    if let Some(classes) = needed.find('\n').and_then(|end| needed.get(end..)) {
        all.push_str(classes);
    }
    all
}

/// The same with what a call is about to do, what its caller knows and what was approved, members
/// and texts in turn; `lib/arguments.cjs` knows the members.
///
/// # Errors
///
/// `usage` for an approval that is none.
pub(crate) fn told(
    requirements: Requirements,
    told: &[String],
) -> std::result::Result<Requirements, Error> {
    let member = |wanted: &str| {
        told.chunks_exact(2).find_map(|member| match member {
            [name, text] if name == wanted => Some(text.as_str()),
            _ => None,
        })
    };
    let mut operation = Operation::new();
    operation.tool = member("tool").map(Into::into);
    operation.resource = member("resource").map(Into::into);
    operation.action = member("action").map(Into::into);
    operation.scope = member("scope").map(Into::into);
    if let Some(json) = member("arguments") {
        operation = operation.arguments(json);
    }
    let tells = ["tool", "resource", "action", "scope", "arguments"];
    let mut requirements = if tells.into_iter().any(|name| member(name).is_some()) {
        requirements.with_operation(operation)
    } else {
        requirements
    };
    if let Some(nonce) = member("nonce") {
        requirements = requirements.with_nonce(nonce);
    }
    if let Some(client) = member("clientId") {
        requirements = requirements.with_client(client);
    }
    if let Some(token) = member("accessToken") {
        requirements = requirements.with_access_token(token);
    }
    if let Some(code) = member("code") {
        requirements = requirements.with_code(code);
    }
    if let (Some(iss), Some(sub)) = (member("presenterIss"), member("presenterSub")) {
        requirements = requirements.with_presenter(iss, sub);
    }
    let issuer = member("approvedBy").unwrap_or_default();
    let approved = match (member("authoritySet"), member("intent")) {
        (Some(set), _) => ApprovedIntent::authority_set(issuer, set)?,
        (_, Some(intent)) => ApprovedIntent::intent(issuer, intent)?,
        (None, None) => return Ok(requirements),
    };
    Ok(requirements.with_approved(approved))
}

/// A request with these fields, names and values in turn, and a token and its proof in its content,
/// if it has them; of a grant the token alone.
fn request<'r>(
    method: &'r str,
    uri: &'r str,
    fields: &'r [String],
    certificate: Option<&'r [u8]>,
    content: &'r [String],
) -> Request<'r> {
    let pairs = fields.chunks_exact(2).filter_map(|pair| match pair {
        [name, value] => Some((name, value)),
        _ => None,
    });
    let mut request = Request::new(method, uri).headers(pairs);
    match content {
        [token, proof] => request = request.content(token, proof),
        [token] => request = request.form(token),
        _ => {}
    }
    match certificate {
        Some(der) => request.client_certificate(der),
        None => request,
    }
}

/// Further tokens, kinds and tokens in turn; `lib/request.cjs` has checked the kinds.
pub(crate) fn context_of(context: &[String]) -> Result<Vec<ContextToken<'_>>> {
    let pairs = context.chunks_exact(2);
    let tokens = pairs.map(|pair| match pair {
        [kind, token] => Some(ContextToken::new(Kind::from_name(kind)?, token)),
        _ => None,
    });
    let tokens: Option<Vec<_>> = tokens.collect();
    tokens.ok_or_else(|| Panic::from_reason("no such kind of tokens"))
}

/// The kinds of tokens that there are.
#[napi(catch_unwind)]
pub(crate) fn kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.as_str()).collect()
}

/// The header fields that the engine looks at, in lower case.
#[napi(catch_unwind)]
pub(crate) fn request_fields() -> Vec<&'static str> {
    Request::FIELDS.to_vec()
}

/// As [`explain`], of a request, given as to `verifyRequest`.
#[napi(catch_unwind)]
pub(crate) fn explain_request(
    door: &External<Arc<Door>>,
    method: String,
    uri: String,
    fields: Vec<String>,
    certificate: Option<Uint8ArraySlice<'_>>,
    context: Vec<String>,
    content: Vec<String>,
    tells: Vec<String>,
    scopes: String,
) -> Result<String> {
    let context = context_of(&context)?;
    let request = request(&method, &uri, &fields, certificate.as_deref(), &content);
    Ok(under(door, &scopes, &tells, |sitting, needs| {
        shown(&sitting.explain_request(&request.context(&context), needs))
    }))
}

/// Every stage of one verification, with claim values: `{steps, hint, refusal}`. The token comes
/// with others and the rest as to `verifyChain`. Of a call that is wrong the refusal.
#[napi(catch_unwind)]
pub(crate) fn explain(
    door: &External<Arc<Door>>,
    token: Either<JsString<'_>, Uint8ArraySlice<'_>>,
    context: Vec<String>,
    tells: Vec<String>,
    scopes: String,
) -> Result<String> {
    let context = context_of(&context)?;
    with_token(token, |token| {
        under(door, &scopes, &tells, |sitting, needs| {
            shown(&sitting.explain(token, &context, needs))
        })
    })
}

/// The verdict with its stages, without claim values; given as to `verifyRequest`.
#[napi(catch_unwind)]
pub(crate) fn trace_request(
    door: &External<Arc<Door>>,
    method: String,
    uri: String,
    fields: Vec<String>,
    certificate: Option<Uint8ArraySlice<'_>>,
    context: Vec<String>,
    content: Vec<String>,
    tells: Vec<String>,
    scopes: String,
) -> Result<String> {
    let context = context_of(&context)?;
    let request = request(&method, &uri, &fields, certificate.as_deref(), &content);
    Ok(under(door, &scopes, &tells, |sitting, needs| {
        sitting.answers_at_once()?;
        traced(sitting.trace_request(&request.context(&context), needs))
    }))
}

/// The verdict with its stages, without claim values; given as to [`explain`].
#[napi(catch_unwind)]
pub(crate) fn trace(
    door: &External<Arc<Door>>,
    token: Either<JsString<'_>, Uint8ArraySlice<'_>>,
    context: Vec<String>,
    tells: Vec<String>,
    scopes: String,
) -> Result<String> {
    let context = context_of(&context)?;
    with_token(token, |token| {
        under(door, &scopes, &tells, |sitting, needs| {
            sitting.tokens_answer_at_once()?;
            traced(sitting.trace(token, &context, needs))
        })
    })
}

/// The refusal of a batch that would keep its thread waiting for a server.
#[napi(catch_unwind)]
pub(crate) fn must_not_wait(door: &External<Arc<Door>>) -> Option<String> {
    let sitting = door.gate.sit();
    let error = sitting.tokens_answer_at_once().err()?;
    Some(error::refusal(
        &sitting.grounds(),
        &error,
        &Requirements::NONE,
    ))
}

/// The refusal of a call that needs these scopes, where no token can have them.
#[napi(catch_unwind)]
pub(crate) fn misuse(door: &External<Arc<Door>>, scopes: String) -> Option<String> {
    let needs = requirements(&scopes);
    let error = needs.check().err()?;
    Some(error::refusal(&door.gate.grounds(), &error, &needs))
}

fn with_token<T>(
    token: Either<JsString<'_>, Uint8ArraySlice<'_>>,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    match token {
        Either::A(text) => with_text(text, read),
        Either::B(bytes) => Ok(with_bytes(&bytes, read)),
    }
}

/// What a sitting of the gate answers to a call with these needs; the refusal of a call that is
/// wrong.
fn under(
    door: &Door,
    scopes: &str,
    tells: &[String],
    ask: impl FnOnce(&Sitting<'_>, &Requirements) -> std::result::Result<String, Error>,
) -> String {
    let sitting = door.gate.sit();
    let needs = told(requirements(scopes), tells);
    let answer = needs.and_then(|needs| ask(&sitting, &needs));
    answer.unwrap_or_else(|error| error::refusal(&sitting.grounds(), &error, &Requirements::NONE))
}

/// The stages of a verdict; the error of a call that was wrong.
fn traced(traced: Traced) -> std::result::Result<String, Error> {
    let json = traced.to_json();
    match traced.verdict.into_result() {
        Err(error) if error.is_misuse() => Err(error),
        _ => Ok(json),
    }
}

fn shown(explanation: &Explanation) -> std::result::Result<String, Error> {
    if let Err(error) = &explanation.outcome
        && error.is_misuse()
    {
        return Err(*error);
    }
    let steps = explanation.steps.iter().map(|step| {
        json!({
            "stage": step.stage.as_str(),
            "rules": step.stage.rules(),
            "outcome": step.outcome.as_str(),
            "note": step.note,
        })
    });
    let steps: Vec<serde_json::Value> = steps.collect();
    let advice = explanation.advice.as_ref();
    let refusal = explanation.outcome.as_ref().err().map(|error| {
        json!({
            "code": error.code().as_str(),
            "claim": error.claim(),
            "issuerName": advice.and_then(|advice| advice.issuer_name.as_ref()),
            "expected": advice.map_or(&[][..], |advice| &advice.expected),
            "expectation": advice.and_then(Advice::expectation),
            "isUndecided": error.blame() != Blame::Rejected,
        })
    });
    let hint = advice.map(|advice| &advice.hint);
    Ok(json!({ "steps": steps, "hint": hint, "refusal": refusal }).to_string())
}

/// The gate's RFC 9728 document as JSON; none where its audience is no resource.
#[napi(catch_unwind)]
pub(crate) fn resource_metadata(door: &External<Arc<Door>>) -> Option<String> {
    door.gate.resource_metadata()
}
