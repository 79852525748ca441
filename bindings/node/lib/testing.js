import testing from './testing.cjs'

export const { FakeAgent, FakeIssuer, FixedClock, open, refusals, unreachable } = testing
