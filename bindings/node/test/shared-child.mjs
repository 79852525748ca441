// A worker for shared.test.mjs: does what it is told to its own verifier, over the store of the others.
import { setImmediate } from 'node:timers/promises'
import { Handle, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock } from 'sealgate/testing'
import { ISSUER, NOW, world } from './world.mjs'

/** No answer that is waited for takes as long. */
const LONG = 30_000

const [folder] = process.argv.slice(2)
const { policy } = world({ document: { stores: { local: { kind: 'file', path: folder } }, revocation: { store: 'local' } } })
const clock = new FixedClock(NOW)
const verifier = Verifier.fromPolicy(policy, { clock })
const { revocations } = verifier
const { judge } = verifier.gate('tools')
verifier.keys.publish('corp', new FakeIssuer(ISSUER, { clock, seed: 1000 }).jwks())

const agent = (sub) => Handle.actor({ iss: ISSUER, sub })

const calls = {
  judge: (jwt) => judge(jwt).code,
  revoke: (sub) => revocations.revoke(agent(sub)),
  lift: (sub) => revocations.lift(agent(sub)),
  store: () => revocations.store(),
  /** Judges the token until the answer is this one. */
  async until(jwt, code) {
    const end = performance.now() + LONG
    while (judge(jwt).code !== code && performance.now() < end) await setImmediate()
    return judge(jwt).code
  },
}

process.on('message', async ([call, ...told]) => process.send({ answer: await calls[call](...told) }))
process.on('disconnect', () => verifier.close())
process.send({ answer: 'ready' })
