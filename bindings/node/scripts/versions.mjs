// Every package has the workspace's version, and a tag that is to be released is that version:
//   node scripts/versions.mjs [v1.2.3]
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = (...path) => JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8'))
const workspace = readFileSync(join(root, '../../Cargo.toml'), 'utf8')
const version = /\[workspace\.package\][^[]*?\nversion = "([^"]+)"/.exec(workspace)?.[1]

const found = [['package.json', manifest().version]]
for (const name of readdirSync(join(root, 'npm'))) found.push([`npm/${name}`, manifest('npm', name).version])
if (process.argv[2]) found.push(['the tag', process.argv[2].replace(/^v/, '')])

const wrong = found.filter(([, own]) => own !== version)
for (const [what, own] of wrong) console.error(`${what} says ${own}; Cargo.toml says ${version}`)
process.exitCode = wrong.length > 0 ? 1 : 0
