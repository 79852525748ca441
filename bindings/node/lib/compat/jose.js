import jose from './jose.cjs'

export const { createLocalJWKSet, errors, jwtVerify } = jose
