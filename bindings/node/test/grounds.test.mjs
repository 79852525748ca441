// An error keeps what it was judged under: a reload changes nothing of what it says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { AUDIENCE, thrown, world } from './world.mjs'

const GATE = { public_url: 'https://api.example.com', required_scopes: ['mcp:use'] }

/** One error of every call that gives some, none of them looked at. */
async function errors({ gate, token }) {
  const [jwt, other] = [token({ claims: { tenant: 't1' } }), token({ aud: 'other' })]
  const into = z.object({ tenant: z.number() })
  const request = { method: 'GET', uri: '/mcp', headers: [] }
  const batch = await gate.verifyBatch([other])
  return [
    gate.judge('no token').error,
    gate.judge(other).error,
    gate.judge(jwt, { requiredScopes: ['write'] }).error,
    gate.judge(jwt, { into }).error,
    gate.judgeRequest(request).error,
    batch.at(0).error,
    [...batch.errors()][0][1],
    thrown(() => gate.verify(other)),
    thrown(() => gate.verify(jwt, { into })),
    thrown(() => gate.verifyChain(other, [])),
    thrown(() => gate.verifyRequest(request)),
    thrown(() => gate.verify(jwt).require({ requiredScopes: ['write'] })),
  ]
}

const told = (error) => ({ ...error.toJSON(), message: error.message })

function other(policy, name) {
  const { corp } = policy.issuers
  const tools = { ...policy.gates.tools, public_url: 'https://other.example', required_scopes: ['other'] }
  const gates = { [name]: { ...tools, audience: 'https://other.example/x', issuers: ['moved'] } }
  return { ...policy, issuers: { moved: corp }, gates }
}

for (const name of ['tools', 'another']) {
  test(`a reload changes no error: the gate is ${name} then`, async () => {
    const made = world({ gate: GATE })
    const { gate, verifier, policy, token } = made
    const before = (await errors(made)).map(told)
    const late = await errors(made)
    const [verdict, batch] = [gate.judge('no token'), gate.verifyBatchSync([token({ aud: 'other' })])]
    const held = gate.verify(token())
    verifier.reload(other(policy, name))
    verifier.close()
    assert.deepEqual(late.map(told), before)
    assert.deepEqual(told(verdict.error), before[0])
    assert.deepEqual(told(batch.at(0).error), before[5])
    assert.deepEqual(told(thrown(() => held.require({ requiredScopes: ['write'] }))), before.at(-1))
    // The same of now is another: the comparison can fail.
    assert.notDeepEqual(told(gate.judge('no token').error), before[0])
    assert.match(before[1].message, new RegExp(AUDIENCE))
  })
}

test('errors of before a reload and of after it stand side by side', () => {
  const { gate, verifier, policy } = world({ gate: GATE })
  const [first, second] = [gate.judge('x'), gate.judge(`x.y`)]
  verifier.reload(other(policy, 'tools'))
  const third = gate.judge('x')
  verifier.reload(policy)
  const fourth = gate.judge('x')
  const urls = [first, third, second, fourth].map(({ error }) => /https:[^"]*/.exec(error.wwwAuthenticate)[0])
  const [own, others] = ['https://api.example.com', 'https://other.example'].map((host) => `${host}/.well-known/oauth-protected-resource`)
  assert.deepEqual(urls, [`${own}/mcp`, `${others}/x`, `${own}/mcp`, `${own}/mcp`])
})
