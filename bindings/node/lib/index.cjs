'use strict'

const { FixedClock } = require('./clock.cjs')
const { classes } = require('./errors.cjs')
const { Jws, Unverified, inspect, verifyJws } = require('./jws.cjs')
const { Policy } = require('./policy.cjs')
const { singleValued } = require('./request.cjs')
const { Handle } = require('./revocations.cjs')
const { Actor, VerifiedToken } = require('./token.cjs')
const { Trail } = require('./trail.cjs')
const { Batch, Verdict } = require('./verdict.cjs')
const { Verifier } = require('./verifier.cjs')

module.exports = {
  Actor,
  Batch,
  FixedClock,
  Handle,
  Jws,
  Policy,
  Trail,
  Unverified,
  Verdict,
  VerifiedToken,
  Verifier,
  inspect,
  singleValued,
  verifyJws,
  ...classes,
}
