// Key servers on loopback for the tests of fetched keys.
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'

export { AUDIENCE, ISSUER } from './world.mjs'
import { AUDIENCE, ISSUER } from './world.mjs'

/** A policy of one issuer, whose keys are at this URI. */
export function policy(uri) {
  return {
    version: 1,
    danger: { http_loopback_issuers: true },
    issuers: { corp: { issuer: ISSUER, jwks_uri: uri } },
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'] } },
  }
}

/** The URI of a server that ends with the test. */
export async function listen(t, handler) {
  const server = createServer(handler)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://localhost:${server.address().port}/keys`
}

/** A server that answers at once. */
export async function served(t, answer) {
  const uri = await listen(t, (_, response) => {
    const { status, body } = answer()
    response.writeHead(status, { connection: 'close' }).end(body)
  })
  return { uri }
}

/**
 * A server that answers nobody before it is told to: `answer(503)` answers one request so, `answer()`
 * all from now on with the document. `asked()` resolves with the first request.
 */
export async function held(t, document = () => ({ keys: [] })) {
  const asked = new EventEmitter()
  const first = once(asked, 'request')
  const pending = []
  const refusals = []
  let open = false
  const server = { requests: 0, asked: () => first }
  const send = () => {
    while (pending.length > 0 && (open || refusals.length > 0)) {
      const status = refusals.shift() ?? 200
      pending.shift().writeHead(status, { connection: 'close' }).end(JSON.stringify(document()))
    }
  }
  server.answer = (status) => {
    if (status === undefined) open = true
    else refusals.push(status)
    send()
  }
  server.uri = await listen(t, (_, response) => {
    server.requests++
    pending.push(response)
    asked.emit('request')
    send()
  })
  return server
}
