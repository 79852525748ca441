'use strict'
// A fake issuer that answers on this machine, for tests that fetch.

const { once } = require('node:events')
const { createServer } = require('node:http')
const { FakeIssuer } = require('./testing.cjs')

const HOST = '127.0.0.1'
const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

class ServedIssuer extends FakeIssuer {
  #server
  #url

  constructor(server, url, { issuer = url, ...options }) {
    super(issuer, options)
    this.#server = server
    this.#url = url
    server.on('request', (request, response) => this.#answer(request, response))
    Object.freeze(this)
  }

  get jwksUri() {
    return `${this.#url}/jwks`
  }

  metadata() {
    return {
      issuer: this.issuer,
      jwks_uri: this.jwksUri,
      authorization_endpoint: `${this.#url}/authorize`,
      token_endpoint: `${this.#url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.alg],
    }
  }

  #answer({ url }, response) {
    const document = url === '/jwks' ? this.jwks() : METADATA.includes(url) ? this.metadata() : undefined
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  }

  async close() {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(ServedIssuer.prototype, Symbol.asyncDispose, { value: ServedIssuer.prototype.close })
}

async function serve(options) {
  const server = createServer()
  server.listen(0, HOST)
  await once(server, 'listening')
  try {
    return new ServedIssuer(server, `http://${HOST}:${server.address().port}`, options)
  } catch (error) {
    server.close()
    throw error
  }
}

module.exports = { serve }
