'use strict'
// Gates: objects of closures over the native functions of one gate.

const { types } = require('node:util')
const { setImmediate: turn } = require('node:timers/promises')
const native = require('./native.cjs')
const args = require('./arguments.cjs')
const { NEEDS, approved, checkInto, checkOptions, checkString, checkToken, isToken, kind, operation, scopes } = args
const { WAITS, millis } = require('./clock.cjs')
const { SealgateError } = require('./errors.cjs').classes
const { errorOf, internal, isMisuse, outlined, refusedInFull, unthrown, usage } = require('./errors.cjs')
const { BESIDE, further, partsOf, textOf } = require('./request.cjs')
const { fit, handleOf, makeTokenOf } = require('./token.cjs')
const { CODES, MISUSE, PENDING, accepted, makeBatch, notAccepted } = require('./verdict.cjs')
const { Trail } = require('./trail.cjs')

// What `src/gate.rs` answers with: from 0 the place of a kept object, to -255 the number of a code;
// from NEW downwards an acceptance: its place in the page, and PAGE times one more than where its object
// is to be kept, if it is.
const NEW = -256
const PAGE = 32

const isRefusal = (answer) => answer < 0 && answer > NEW

/** Sets of scopes, as calls need them, of which a gate remembers what errors say: a program has a few. */
const MOST_NEEDS = 64

/** Tokens, and letters, that a batch reads before it lets the event loop turn: half a millisecond. */
const SLICE = 1000
const LETTERS = 1 << 19

/** Ends with this thread, and with it every batch that runs. */
const life = native.life()

/** What the native half knows gates by. */
const doors = new WeakMap()
const doorOf = (gate) => doors.get(gate)

/** A gate, and what releases the objects it keeps; nothing where the policy has none of this name. */
function makeGate(engine, name, events) {
  const opened = native.gate(engine, name)
  if (opened === null) return undefined
  const { door } = opened
  const names = ['page', 'keep', 'clear', 'refusal', 'docket', 'settle']
  const own = names.map((name) => native.guarded(opened[name]))
  const [pageOf, keep, clear, refusal, docketOf, settle] = own
  const asking = ['verifyChain', 'verifyRequest', 'beginRequest', 'begin'].map((name) => native.guarded(opened[name]))
  const [askChain, askRequest, beginRequest, beginAlone] = asking
  const { verifyText, verifyBytes } = opened // guarded by `ask`

  // A token that was verified before and is still in the core's cache has its object here. The
  // native half knows which token's object is at which place, from `keep` until the place is free
  // again: whatever fails in between, an object never stands for another token.
  const kept = []

  /** The native answer; a number. */
  function ask(token, needed) {
    try {
      if (typeof token === 'string') {
        return needed === undefined ? verifyText(token) : verifyText(token, needed)
      }
      if (types.isUint8Array(token)) {
        return needed === undefined ? verifyBytes(token) : verifyBytes(token, needed)
      }
    } catch (error) {
      throw internal(error)
    }
    throw checkToken(token)
  }

  // What is accepted lies in the native half's page. It never numbers a token of one that is not here:
  // it begins a new page until this one was asked for.
  let page

  function tokenOf(answer) {
    if (answer >= 0) return kept[answer]
    const told = NEW - answer
    const inPage = told % PAGE
    if (inPage === 0 || page === undefined) {
      page = undefined // whatever fails now
      page = pageOf()
    }
    const token = makeTokenOf(page, inPage)
    if (told >= PAGE) {
      kept[Math.trunc(told / PAGE) - 1] = token
      const givenUp = keep()
      if (givenUp !== null) for (const place of givenUp) kept[place] = undefined
    }
    return token
  }

  // The refusals under the policy in force: the native half's, and what errors share, by the scopes that
  // a call needs and the place of the refusal. Errors keep those of theirs.
  let docket

  /** The place of the last refusal in `docket`, which is the one that it is in from then on. */
  function lastPlace() {
    const place = refusal()
    if (place >= 0) return place
    docket = { refusals: docketOf(), outlines: new Map() }
    return -1 - place
  }

  /**
   * What makes the error of the last refusal, by `errorOf` or as a value. It holds a number: a flood of bad
   * tokens leaves nothing.
   */
  function lastRefusal(needed = '') {
    const place = lastPlace()
    const { refusals, outlines } = docket
    const ask = () => native.refusalAnswer(refusals, place, needed)
    return (make) => make(outlineOf(refusals, outlines, place, needed), ask)
  }

  function verify(token, options) {
    if (options === undefined) {
      const answer = ask(token)
      if (answer >= 0) return kept[answer]
      if (isRefusal(answer)) throw lastRefusal()(errorOf)
      return tokenOf(answer)
    }
    const asked = demands(options, 'verify')
    return tokenFor(askAlone(token, asked), asked.needed, asked.into)
  }

  function judge(token, options) {
    const asked = demands(options, 'judge')
    checkToken(token)
    return verdictOf(() => askAlone(token, asked), asked.needed, asked.into)
  }

  function verifyRequest(request, options) {
    const { needed, into, known, told } = demands(options, 'verifyRequest', OF_REQUEST)
    const parts = partsOf(request, told, known, 'verifyRequest')
    return tokenFor(askAbout(parts, needed), neededFor(parts, needed), into)
  }

  function judgeRequest(request, options) {
    const { needed, into, known, told } = demands(options, 'judgeRequest', OF_REQUEST)
    const parts = partsOf(request, told, known, 'judgeRequest')
    return verdictOf(() => askAbout(parts, needed), neededFor(parts, needed), into)
  }

  function verifyChain(token, context, options) {
    const call = 'verifyChain'
    const { into, ...told } = checkOptions(options, call, [...TOLD, 'into'])
    if (context === undefined) throw usage(`${call}: context is an array of { kind, token }, not undefined`)
    checkInto(into)
    const [needed, ...parts] = chainOf(token, { context, ...told }, call)
    const answer = needed === undefined ? askChain(...parts) : askChain(...parts, needed)
    return tokenFor(answer, neededFor(parts, needed), into)
  }

  function checkOutbound(inbound, outbound, options) {
    const { target } = checkOptions(options, 'checkOutbound', ['target'])
    checkString(target, 'checkOutbound: target')
    const [verdicts, index] = handleOf(inbound, 'checkOutbound')
    const refusal = native.checkOutbound(door, verdicts, index, further([outbound], 'checkOutbound'), target)
    if (refusal !== null) throw refusedInFull(refusal)
  }

  /** The native answer about a token alone. */
  function askAlone(token, { needed, known }) {
    return known.length === 0 ? ask(token, needed) : askChain(textOf(token), [], known, needed ?? '')
  }

  function askAbout(parts, needed) {
    return needed === undefined ? askRequest(...parts) : askRequest(...parts, needed)
  }

  /** The verdict about these parts; a promise of it where a server is asked. */
  function judgedAbout(parts, needed, into) {
    const begun = needed === undefined ? beginRequest(...parts) : beginRequest(...parts, needed)
    return told(begun, neededFor(parts, needed), into)
  }

  /** The verdict about a token alone; a promise of it where a server is asked. */
  function judgedAlone(token, { needed, known, into }) {
    if (known.length > 0) return told(beginAlone(token, needed ?? '', known), needed, into)
    return told(needed === undefined ? beginAlone(token) : beginAlone(token, needed), needed, into)
  }

  function told(begun, needed, into) {
    if (typeof begun === 'number') return verdictOf(() => begun, needed, into)
    return native.inquire(begun).then((answered) => verdictOf(() => settle(answered), needed, into))
  }

  /** The scopes that an answer about these parts asks for. */
  function neededFor(parts, needed) {
    const told = parts.at(-1)
    return told.length === 0 ? needed : native.neededScopes(needed ?? '', told)
  }

  /** What a call needs, as the native half takes it, what its claims must look like, and all that it tells. */
  function demands(options, call, names = ALONE) {
    const told = checkOptions(options, call, names)
    return { needed: args.needed(told, call), known: args.known(told, call), into: checkInto(told.into), told }
  }

  /** The token of an answer; its refusal is thrown. */
  function tokenFor(answer, needed, into) {
    if (isRefusal(answer)) throw lastRefusal(needed)(errorOf)
    const verified = tokenOf(answer)
    return into === undefined ? verified : fit(verified, into)
  }

  /** The verdict of a question. */
  function verdictOf(question, needed, into) {
    try {
      const answer = question()
      if (isRefusal(answer)) {
        const [code, refusal] = [CODES[-answer], lastRefusal(needed)]
        if (!MISUSE.has(code)) return notAccepted(code, () => refusal(unthrown))
        throw refusal(errorOf)
      }
      return accepted(tokenFor(answer, needed, into))
    } catch (error) {
      if (!SealgateError.is(error) || isMisuse(error)) throw error
      return notAccepted(error.code, error)
    }
  }

  /** What a call that may wait needs, and for how many milliseconds. */
  function patience(options, call, names = ALONE) {
    const asked = demands(options, call, [...names, 'wait'])
    const { wait } = asked.told
    return { ...asked, wait: wait === undefined ? WAITS.verify : millis(wait) }
  }

  /** Whether the last refusal may be another answer within so many milliseconds, asked now or later. */
  function lastMaySettle() {
    const place = lastPlace()
    const { refusals } = docket
    return (wait) => native.refusalMaySettle(refusals, place, wait)
  }

  /** The verdict that `judged` gives, or promises; where another answer may be on its way, once that has come. */
  async function verdictAfter(judged, wait) {
    let verdict = judged()
    if (!PENDING.has(verdict.code)) return verdict
    let maySettle = lastMaySettle()
    // Listening first: what ends before the next look is seen by it, and what ends after it is told.
    events.watch()
    const done = () => {
      const hopeful = maySettle(wait) // before it is asked, too: one of the two sees what comes in between
      verdict = judged()
      if (!PENDING.has(verdict.code)) return true
      maySettle = lastMaySettle()
      return !hopeful && !maySettle(wait)
    }
    if (!done()) await events.until(done, wait)
    return verdict
  }

  async function verifyAsync(token, options) {
    return (await judgedAloneLater(token, options, 'verifyAsync')).unwrap()
  }

  async function judgeAsync(token, options) {
    return judgedAloneLater(token, options, 'judgeAsync')
  }

  function judgedAloneLater(token, options, call) {
    const asked = patience(options, call)
    checkToken(token)
    const verdict = judgedAlone(token, asked)
    if (!PENDING.has(verdict.code)) return verdict
    const own = unchanging(token)
    return verdictAfter(() => judgedAlone(own, asked), asked.wait)
  }

  async function verifyRequestAsync(request, options) {
    return (await judgedLater(request, options, 'verifyRequestAsync')).unwrap()
  }

  async function judgeRequestAsync(request, options) {
    return judgedLater(request, options, 'judgeRequestAsync')
  }

  function judgedLater(request, options, call) {
    const { needed, into, wait, known, told } = patience(options, call, OF_REQUEST)
    const parts = partsOf(request, told, known, call)
    return verdictAfter(() => judgedAbout(parts, needed, into), wait)
  }

  /** The tokens of a batch, as the caller can change them no more, and its scopes. */
  function begin(tokens, options, call) {
    const { requiredScopes } = checkOptions(options, call, ['requiredScopes'])
    const needed = scopes(requiredScopes, call)
    const misuse = native.misuse(door, needed ?? '')
    if (misuse !== null) throw refusedInFull(misuse)
    const input = native.batchInput()
    if (types.isUint8Array(tokens)) {
      native.batchLines(input, tokens)
      return { input, needed, rest: [] }
    }
    if (typeof tokens === 'string') return { input, needed, rest: tokens }
    if (!Array.isArray(tokens)) {
      throw usage(
        `${call}: the tokens are an array of strings or Uint8Arrays, or one of them with a token ` +
          `a line, not ${kind(tokens)}`
      )
    }
    return { input, needed, rest: copied(tokens, call) }
  }

  async function verifyBatch(tokens, options) {
    const { input, needed, rest } = begin(tokens, options, 'verifyBatch')
    for (const _ of read(input, rest)) await turn()
    const verdicts = await native.verifyBatch(life, door, input, needed).catch((error) => {
      throw internal(error)
    })
    return makeBatch(verdicts)
  }

  function verifyBatchSync(tokens, options) {
    const waits = native.mustNotWait(door)
    if (waits !== null) throw refusedInFull(waits)
    const { input, needed, rest } = begin(tokens, options, 'verifyBatchSync')
    for (const _ of read(input, rest));
    return makeBatch(native.verifyBatchSync(door, input, needed))
  }

  function explain(token, options) {
    const told = checkOptions(options, 'explain', ['context', ...TOLD])
    const [needed = '', ...parts] = chainOf(token, told, 'explain')
    return new Trail(toldBy(native.explain(door, ...parts, needed)))
  }

  function explainRequest(request, options) {
    const { needed = '', known, told } = demands(options, 'explainRequest', EXPLAINED)
    const parts = partsOf(request, told, known, 'explainRequest')
    return new Trail(toldBy(native.explainRequest(door, ...parts, needed)))
  }

  function trace(presented, options) {
    if (isToken(presented)) {
      const told = checkOptions(options, 'trace', ['context', ...TOLD])
      const [needed = '', ...parts] = chainOf(presented, told, 'trace')
      return toldBy(native.trace(door, ...parts, needed))
    }
    const { needed = '', known, told } = demands(options, 'trace', EXPLAINED)
    return toldBy(native.traceRequest(door, ...partsOf(presented, told, known, 'trace'), needed))
  }

  function resourceMetadata() {
    const metadata = native.resourceMetadata(door)
    return metadata === null ? null : JSON.parse(metadata)
  }

  /** What was kept belongs to a policy that is in force no more. */
  function release() {
    clear()
    kept.length = 0
    page = undefined
  }

  const calls = {
    verify,
    judge,
    verifyAsync,
    judgeAsync,
    verifyChain,
    checkOutbound,
    verifyRequest,
    judgeRequest,
    verifyRequestAsync,
    judgeRequestAsync,
    verifyBatch,
    verifyBatchSync,
    explain,
    explainRequest,
    trace,
    resourceMetadata,
  }
  const gate = Object.freeze({ name, ...calls })
  doors.set(gate, door)
  return { gate, release }
}

/** The options of calls about a token alone, about a request, about one that is explained, and about a chain. */
const ALONE = [...NEEDS, 'into']
const OF_REQUEST = [...ALONE, ...BESIDE]
const EXPLAINED = [...NEEDS, ...BESIDE]
const TOLD = [...NEEDS, 'operation', 'approved']

/** What a call about a token and those it comes from needs, and the rest as the native half takes it. */
function chainOf(token, told, call) {
  const tells = [...operation(told.operation, call), ...approved(told.approved, call), ...args.known(told, call)]
  return [args.needed(told, call), textOf(token), further(told.context, call), tells]
}

/** What the native half tells, unless the call was wrong. */
function toldBy(json) {
  const told = JSON.parse(json)
  if (Array.isArray(told)) throw refusedInFull(json)
  return told
}

/** What errors of the refusal at this place share. */
function outlineOf(refusals, outlines, place, needed) {
  let known = outlines.get(needed)
  if (known === undefined) {
    if (outlines.size >= MOST_NEEDS) outlines.clear()
    outlines.set(needed, (known = []))
  }
  return (known[place] ??= outlined(JSON.parse(native.refusalOutline(refusals, place, needed))))
}

/** A token that nobody changes while a call waits. */
function unchanging(token) {
  return typeof token === 'string' ? token : Uint8Array.from(token)
}

/** The length from which on nothing is a token, and what stands for any such bytes: nobody reads either. */
const TOO_LONG = native.tooLong()
const ENDLESS = '-'.repeat(TOO_LONG)

/** A copy of a batch. Strings stay what they are; bytes lie behind one another in memory of ours. */
function copied(tokens, call) {
  const copy = new Array(tokens.length)
  let size = 0
  for (let index = 0; index < copy.length; index++) {
    const token = (copy[index] = tokens[index])
    if (types.isUint8Array(token)) {
      if (token.length < TOO_LONG) size += token.length
      else copy[index] = ENDLESS
    } else if (typeof token !== 'string') checkToken(token, `${call}: tokens[${index}]`)
  }
  if (size === 0) return copy
  const memory = Buffer.allocUnsafeSlow(size)
  let end = 0
  for (let index = 0; index < copy.length; index++) {
    const token = copy[index]
    if (typeof token === 'string') continue
    memory.set(token, end)
    copy[index] = memory.subarray(end, (end += token.length))
  }
  return copy
}

/** Reads a batch of strings and copies, or a text; between two slices the event loop may turn. */
function* read(input, rest) {
  const isText = typeof rest === 'string'
  const step = isText ? LETTERS : SLICE
  for (let from = 0; from < rest.length; from += step) {
    if (from > 0) yield
    const to = Math.min(from + step, rest.length)
    if (isText) native.batchLines(input, rest.slice(from, to))
    else native.batchRead(input, rest, from, to)
  }
}

module.exports = { doorOf, makeGate }
