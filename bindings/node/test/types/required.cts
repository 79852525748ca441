// The same types by `require`; checked, not run.
import sealgate = require('sealgate')
import testing = require('sealgate/testing')

const verifier: sealgate.Verifier = sealgate.Verifier.fromPolicy('policy.toml')
const clock = new testing.FixedClock(0)
const issuer: testing.FakeIssuer = new testing.FakeIssuer('https://i.example', { clock })
const options: testing.TokenOptions = { sub: 'u1' }
const verdict: sealgate.Verdict = verifier.judge(issuer.token(options))
const code: string = verdict.code
