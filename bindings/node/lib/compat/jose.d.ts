export * from './jose.cjs'
