// npm, as scripts call it. On Windows `npm` is no program but a script of the shell: Node runs npm's own
// file, which npm names to whatever it runs; elsewhere the program does as well.
import { execFileSync } from 'node:child_process'

const { npm_execpath: npm } = process.env

/** Runs npm with these arguments. */
export function runNpm(args, options) {
  return npm === undefined ? execFileSync('npm', args, options) : execFileSync(process.execPath, [npm, ...args], options)
}
