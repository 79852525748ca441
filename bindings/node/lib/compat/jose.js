import jose from './jose.cjs'

export const { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } = jose
