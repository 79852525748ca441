// The tokens of the Rust benches: about 450 bytes of claims, two audiences, two agents for a person.
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'

export const ISSUER = 'https://login.example.com'
export const AUDIENCE = 'https://api.example.com/mcp'

export const b64u = (value) => Buffer.from(value).toString('base64url')
const NOW = Math.trunc(Date.now() / 1000)

function claims(n) {
  const agent = (sub, act) => ({ sub, iss: 'https://agents.example.com', ...(act && { act }) })
  return {
    iss: ISSUER,
    sub: `user-${String(n).padStart(8, '0')}`,
    aud: [AUDIENCE, 'https://api.example.com/files'],
    exp: NOW + 36_000,
    nbf: NOW - 60,
    iat: NOW - 60,
    jti: `8d41c2f6-9c05-4b6a-8e17-${String(n).padStart(12, '0')}`,
    scope: 'mcp:use files.read files.write',
    client_id: 'agent-runner-eu-1',
    act: agent('agents/researcher-7', agent('agents/planner-1')),
  }
}

function keyPair(alg) {
  switch (alg) {
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
  }
}

/** A key and a way to sign with it. EdDSA goes by its old name, which is the one that all know. */
export function issuer(alg) {
  if (alg === 'HS256') {
    const secret = Buffer.alloc(32, 7)
    const jwk = { kty: 'oct', k: secret.toString('base64url'), alg, kid: 'k1' }
    return { alg, secret, jwk, mint: (n) => compact(alg, n, (input) => createHmac('sha256', secret).update(input).digest()) }
  }
  const { publicKey, privateKey } = keyPair(alg)
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg, kid: 'k1', use: 'sig' }
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
  const digest = alg === 'EdDSA' ? null : 'sha256'
  const signer = (input) => sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return { alg, jwk, pem, publicKey, sign: signer, mint: (n, more) => compact(alg, n, signer, more) }
}

function compact(alg, n, signer, more) {
  const typ = alg === 'HS256' ? 'JWT' : 'at+jwt'
  return compactJws({ alg, kid: 'k1', typ }, { ...claims(n), ...more }, signer)
}

export function compactJws(header, payload, signer) {
  const input = `${b64u(JSON.stringify(header))}.${b64u(JSON.stringify(payload))}`
  return `${input}.${signer(input).toString('base64url')}`
}
