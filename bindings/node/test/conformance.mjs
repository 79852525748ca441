// The conformance protocol over the package: one JSON request a line on standard input, one JSON
// answer a line on standard output, in order. Byte strings are base64url, times seconds.
//
// Keys come to the package inside a policy or a key set, so that `verify_raw`, `load_key` and
// `load_jwks` are asked of its native half.
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { Handle, SealgateError, verifyJws } from 'sealgate'
import { FixedClock } from 'sealgate/testing'
import clocks from '../lib/clock.cjs'
import { toCamel } from '../lib/arguments.cjs'
import errors from '../lib/errors.cjs'
import native from '../lib/native.cjs'
import policies from '../lib/policy.cjs'
import verifiers from '../lib/verifier.cjs'

const { policyRefused, refused } = errors
const { checkSignature, loadPolicy, readJwks, readKey, readStatus } = native

class HarnessError extends Error {}

const sessions = new Map()

const ops = {
  verify(request) {
    const [gate, jwt, context] = [gateOf(request), text(request, 'token'), request.context ?? null]
    const tells = { operation: request.operation, approved: approved(request) }
    if (Object.values({ context, ...tells }).every((value) => value == null)) return facts(gate.verify(jwt, needs(request)))
    const token = gate.verifyChain(jwt, context ?? [], { ...needs(request), ...tells })
    return context === null ? facts(token) : { ...facts(token), lineage: token.lineage }
  },
  verify_request(request) {
    const { method, uri, headers, context, content, operation } = request
    if (!Array.isArray(headers)) throw new HarnessError('headers is not an array of pairs')
    const clientCertificate = request.certificate === undefined ? undefined : octets(request, 'certificate')
    const shown = { method, uri, headers, clientCertificate, context, content: content ?? undefined, operation, approved: approved(request) }
    const token = gateOf(request).verifyRequest(shown, needs(request))
    return { ...facts(token), lineage: token.lineage, sender_constrained: token.senderConstrained }
  },
  check_outbound(request) {
    const gate = gateOf(request)
    gate.checkOutbound(gate.verify(text(request, 'token')), request.outbound, { target: text(request, 'target') })
    return {}
  },
  verify_batch(request) {
    const batch = gateOf(request).verifyBatchSync(texts(request, 'tokens'), needs(request))
    const verdicts = Array.from(batch, (verdict) => (verdict.ok ? accept(facts(verdict.token)) : refuse(verdict.error)))
    return { verdicts }
  },
  verify_jws(request) {
    const jws = text(request, 'token')
    const algorithms = texts(request, 'algorithms').map(algorithm)
    const { payload, header } = verifyJws(jws, request.jwks ?? named(request.jwk, jws), { algorithms })
    return { payload: encode(payload), header }
  },
  verify_raw(request) {
    const [input, signature] = [octets(request, 'input'), octets(request, 'signature')]
    return said(checkSignature(algorithm(text(request, 'alg')), JSON.stringify(request.jwk ?? null), input, signature))
  },
  load_key(request) {
    const format = text(request, 'format')
    if (!['jwk', 'pem', 'der', 'x509'].includes(format)) throw new HarnessError(`no format ${format}`)
    const alg = request.alg === undefined ? undefined : algorithm(text(request, 'alg'))
    return said(readKey(format, octets(request, 'data'), alg))
  },
  load_jwks(request) {
    return said(readJwks(octets(request, 'text')))
  },
  load_policy(request) {
    const document = octets(request, 'text')
    const format = text(request, 'format')
    if (format !== 'json' && format !== 'toml') throw new HarnessError(`no format ${format}`)
    // Not UTF-8 is not a text, and no caller can make a string of it.
    const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(document)
    // Published test keys are allowed everywhere in the protocol, and by no public call for texts.
    const refused = loadPolicy(format, decoded, false, true, false)
    if (typeof refused === 'string') throw policyRefused(JSON.parse(refused))
    return {}
  },
  open(request) {
    sessions.set(text(request, 'session'), session(request))
    return {}
  },
  publish_keys(request) {
    const { verifier } = known(text(request, 'session'))
    return { generation: verifier.keys.publish(text(request, 'issuer'), request.jwks).generation }
  },
  revoke(request) {
    const session = known(text(request, 'session'))
    if (request.now !== undefined) session.clock.set(now(request))
    const { kind, ...named } = request.handle
    const make = Object.hasOwn(Handle, toCamel(`${kind}`)) ? Handle[toCamel(`${kind}`)] : undefined
    if (typeof make !== 'function') throw new HarnessError(`no kind ${JSON.stringify(kind)}`)
    const parts = Object.fromEntries(Object.entries(named).map(([name, value]) => [toCamel(name), value]))
    const { cutoff, expires } = request
    return { epoch: session.verifier.revocations.revoke(make(parts), { cutoff, expires }).epoch }
  },
  status_list(request) {
    const list = request.list ?? gateOf(request).verify(text(request, 'token')).claims.status_list
    const { bits, lst } = list
    return said(readStatus(typeof bits === 'number' ? bits : 0, lst, `${request.index}`))
  },
  event(request) {
    const { clock, verifier } = known(text(request, 'session'))
    clock.set(now(request))
    const telling = Object.entries(verifier.policy.toDict().gates).filter(([, gate]) => ['logout_token', 'set'].includes(gate.profile))
    const gate = request.gate ?? (telling.length === 1 ? telling[0][0] : undefined)
    if (gate === undefined) throw new HarnessError('which gate?')
    const token = verifier.gate(gate).verify(text(request, 'set'))
    const { entries, duplicate } = verifier.revocations.apply(token)
    return { entries, duplicate }
  },
  deliver(request) {
    const { clock, verifier } = known(text(request, 'session'))
    clock.set(now(request))
    const { expecting_state: expectingState } = request
    const receiver = verifier.receiver(text(request, 'gate'), { expectingState })
    const delivery = receiver.push(text(request, 'set'), { 'content-type': 'application/secevent+jwt' })
    const { status, body, entries, duplicate } = delivery
    return { status, err: body === '' ? null : (JSON.parse(body).err ?? null), entries, duplicate }
  },
  close(request) {
    const name = text(request, 'session')
    known(name).verifier.close()
    sessions.delete(name)
    return {}
  },
}

export function answer(line) {
  let request
  try {
    request = JSON.parse(line)
  } catch (error) {
    return { id: null, ...harness(`not JSON: ${error.message}`) }
  }
  return { id: request?.id ?? null, ...serve(request) }
}

function serve(request) {
  try {
    if (typeof request?.op !== 'string') throw new HarnessError('no op')
    if (!Object.hasOwn(ops, request.op)) return UNSUPPORTED
    return accept(ops[request.op](request))
  } catch (error) {
    return SealgateError.is(error) ? refuse(error) : harness(error.message)
  }
}

const UNSUPPORTED = { ok: false, code: 'unsupported_op' }

const accept = (members) => ({ ok: true, ...members })
const refuse = ({ code, blame }) => ({ ok: false, code, blame })
const harness = (detail) => ({ ok: false, code: 'harness', detail })
const encode = (bytes) => Buffer.from(bytes).toString('base64url')

function facts(token) {
  const chain = token.chain.map(({ iss, sub }) => ({ iss, sub }))
  const { subject, issuer, profile } = token
  return { payload: encode(token.payload), subject, issuer, actor: chain[0] ?? null, chain, profile }
}

function session(request) {
  if (typeof request.policy !== 'object' || request.policy === null || Array.isArray(request.policy)) {
    throw new HarnessError('policy is not an object')
  }
  const clock = new FixedClock(now(request))
  // The policy's own keys, published ones included, by a clock that stands: no public call has all of it.
  const policy = policies.policyHandle(request.policy, 'open', { allowTestKeys: true })
  const verifier = verifiers.makeVerifier(policy, clocks.clockHandle(clock, 'open'), { allowTestKeys: true })
  return { verifier, clock }
}

function known(name) {
  const session = sessions.get(name)
  if (session === undefined) throw new HarnessError(`no session ${name}`)
  return session
}

function gateOf(request) {
  if (request.session === undefined) {
    const { verifier } = session(request)
    if (request.closed) verifier.close()
    return gate(verifier, request)
  }
  const { verifier, clock } = known(text(request, 'session'))
  clock.set(now(request))
  return gate(verifier, request)
}

/** Without a name, the calls of a verifier with one gate. */
function gate(verifier, request) {
  return request.gate === undefined ? verifier : verifier.gate(text(request, 'gate'))
}

/** What the native half says, unless it is a refusal. */
function said(json) {
  const answer = JSON.parse(json)
  if (answer.code !== undefined) throw refused(answer)
  return answer
}

/** Other people's vectors still write `EdDSA` (RFC 9864). */
const algorithm = (name) => (name === 'EdDSA' ? 'Ed25519' : name)

/** The one key a request is about: without a `kid` it goes by whatever name the token uses. */
function named(jwk, jws) {
  if (jwk.kid !== undefined) return jwk
  try {
    const { kid } = JSON.parse(Buffer.from(jws.split('.')[0], 'base64url').toString())
    return typeof kid === 'string' ? { ...jwk, kid } : jwk
  } catch {
    return jwk
  }
}

function now(request) {
  if (!Number.isSafeInteger(request.now)) throw new HarnessError('now is not a whole number of seconds')
  return request.now
}

function text(request, name) {
  if (typeof request[name] !== 'string') throw new HarnessError(`${name} is not a string`)
  return request[name]
}

function octets(request, name) {
  const value = text(request, name)
  const decoded = Buffer.from(value, 'base64url')
  if (encode(decoded) !== value) throw new HarnessError(`${name} is not base64url`)
  return decoded
}

function texts(request, name) {
  const value = request[name]
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new HarnessError(`${name} is not an array of strings`)
  }
  return value
}

/** Under the names it has in JavaScript. */
function approved({ approved }) {
  if (approved === undefined) return undefined
  const { authority_set: authoritySet, ...rest } = approved
  return { authoritySet, ...rest }
}

const NEEDS = ['required_scopes', 'acr_values', 'presenter', 'nonce', 'client_id', 'access_token', 'code']

/** What a call needs; nothing at all of most. */
function needs(request) {
  if (request.required_scopes !== undefined) texts(request, 'required_scopes')
  const told = NEEDS.filter((name) => (request[name] ?? undefined) !== undefined)
  return told.length === 0 ? undefined : Object.fromEntries(told.map((name) => [toCamel(name), request[name]]))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== '') process.stdout.write(`${JSON.stringify(answer(line))}\n`)
  }
}
