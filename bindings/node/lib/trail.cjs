'use strict'
// Every stage of one verification, for operators.

const { deepFreeze } = require('./token.cjs')

class Trail {
  constructor({ code, steps, expected, hint }) {
    this.ok = code === null
    this.code = code ?? 'accepted'
    this.steps = steps
    this.expected = expected ?? []
    this.hint = hint
    deepFreeze(this)
  }

  toString() {
    const width = Math.max(...this.steps.map((step) => step.stage.length))
    const lines = this.steps.map(
      ({ stage, outcome, rules, note }) =>
        `${stage.padEnd(width)}  ${outcome.padEnd(11)}  ${note}${note && rules ? '  ' : ''}[${rules}]`
    )
    return [this.code, ...lines, ...(this.hint ? [this.hint] : [])].join('\n')
  }
}

module.exports = { Trail }
