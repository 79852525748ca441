import testing from './testing.cjs'

export const { FakeAgent, FakeIssuer, FixedClock, open, policy, refusals, unreachable } = testing
