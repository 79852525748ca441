'use strict'
// Every stage of one verification, for operators.

const { outlined } = require('./errors.cjs')
const { deepFreeze } = require('./token.cjs')

const WIDTH = 80
/** Columns before a note. */
const MARGIN = 19
const MARKS = { passed: '✓', refused: '✗' }

class Trail {
  #head

  constructor({ steps, hint, refusal }) {
    this.ok = refusal === null
    this.code = refusal?.code ?? 'accepted'
    this.steps = steps
    this.expected = refusal?.expected ?? []
    this.hint = hint
    this.#head = this.ok ? 'accepted' : `${refusal.isUndecided ? 'undecided' : 'refused'}   ${outlined(refusal).message}`
    deepFreeze(this)
  }

  toString() {
    const reached = this.steps.filter(({ outcome }) => outcome in MARKS)
    const missed = this.steps.filter(({ outcome }) => !(outcome in MARKS)).map(({ stage }) => stage)
    const rows = [this.#head, '', ...reached.flatMap(shown)]
    if (missed.length > 0) rows.push(...hanging('  · ', `${missed.join(', ')}   not reached`))
    if (this.hint) rows.push('', ...hanging('  Do this   ', this.hint))
    return rows.join('\n')
  }
}

/** A stage, with its rules at the right of its first line. */
function shown({ stage, outcome, rules, note }) {
  const room = WIDTH - MARGIN - 1 - rules.length
  const [head, ...rest] = wrapped(note, room)
  const row = `  ${MARKS[outcome]} ${stage.padEnd(14)} ${head.padEnd(room)} ${rules}`
  return rest.length === 0 ? [row] : [row, ...hanging(' '.repeat(MARGIN), rest.join(' '))]
}

/** Lines under a label. */
function hanging(label, text) {
  const lines = wrapped(text, WIDTH - label.length)
  return lines.map((line, index) => (index === 0 ? label : ' '.repeat(label.length)) + line)
}

/** Lines of whole words. */
function wrapped(text, width) {
  const lines = []
  for (const word of text.split(/(?<=\S)\s(?=\S)/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines.push(`${lines.pop()} ${word}`)
    else lines.push(word)
  }
  return lines
}

module.exports = { Trail }
