// A real issuer on loopback: `oidc-provider`, whose keys a test rotates and withdraws.
//
// It prints its address as one line of JSON and serves until standard input ends. Besides what an
// issuer serves there is, for the test alone:
//   POST /control/keys   {"kids": ["a", "b"]}   the set from now on; the first one signs
//   POST /control/down   {"status": 503}        every answer but these; {"status": 0} ends it
//   POST /control/format {"format": "opaque"}   access tokens from now on; "jwt" at first
//   GET  /control/asked                         how often the key set was asked for
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const RESOURCE = 'https://api.example.com/mcp'
const pairs = new Map()
let kids = ['a']
let down = 0
let asked = 0
let format = 'jwt'
let provider

function key(kid) {
  if (!pairs.has(kid)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    pairs.set(kid, { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' })
  }
  return pairs.get(kid)
}

function build(issuer) {
  const made = new Provider(issuer, {
    jwks: { keys: kids.map(key) },
    clients: [
      {
        client_id: 'agent',
        client_secret: 'secret of a test',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
        introspection_signed_response_alg: 'ES256',
      },
      // A resource server that asks about tokens, and is answered with JWTs where it wants them (RFC 9701).
      {
        client_id: 'rs',
        client_secret: 'secret: of a resource server/+',
        grant_types: [],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
        introspection_signed_response_alg: 'ES256',
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'files.read',
          audience: RESOURCE,
          accessTokenTTL: 300,
          accessTokenFormat: format,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  return made.callback()
}

function body(request) {
  return new Promise((resolve, reject) => {
    let text = ''
    request.on('data', (chunk) => (text += chunk))
    request.on('end', () => resolve(JSON.parse(text)))
    request.on('error', reject)
  })
}

const server = createServer(async (request, response) => {
  const answer = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  if (request.url === '/control/keys') {
    kids = (await body(request)).kids
    provider = build(issuer)
    return answer(200, { kids })
  }
  if (request.url === '/control/down') {
    down = (await body(request)).status
    return answer(200, { down })
  }
  if (request.url === '/control/format') {
    format = (await body(request)).format
    return answer(200, { format })
  }
  if (request.url === '/control/asked') return answer(200, { asked })
  if (request.url === '/jwks') asked += 1
  if (down) return answer(down, { error: 'server_error' })
  return provider(request, response)
})

let issuer
server.listen(0, '127.0.0.1', () => {
  issuer = `http://localhost:${server.address().port}`
  provider = build(issuer)
  process.stdout.write(`${JSON.stringify({ issuer })}\n`)
})
// Whoever started it reads the one line, and the provider has notices to print after that.
process.stdout.on('error', () => {})
process.stdin.on('end', () => process.exit(0)).resume()
