// Publishes what `pack.mjs FOLDER --all` has packed:
//   node scripts/publish.mjs FOLDER VERSION
// The package itself goes last: it must never point at what is not there yet. What the registry has
// already is left as it is, so that a run that broke off can be run again. A pre-release becomes
// `next` and leaves `latest` alone.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNpm } from './npm.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [folder, version] = process.argv.slice(2)
if (!folder || !version) throw new Error('usage: node scripts/publish.mjs FOLDER VERSION')
const channel = version.includes('-') ? 'next' : 'latest'
const name = (path) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).name

function isPublished(name) {
  try {
    return runNpm(['view', `${name}@${version}`, 'version'], { encoding: 'utf8' }).trim() === version
  } catch (error) {
    // No package of this name yet. Any other trouble is for whoever started this to see.
    if (/E404/.test(error.stderr)) return false
    throw error
  }
}

const platforms = readdirSync(join(root, 'npm')).map((platform) => name(join(root, 'npm', platform)))
for (const one of [...platforms, name(root)]) {
  if (isPublished(one)) {
    console.log(`${one}@${version} is published already`)
    continue
  }
  const tarball = join(folder, `${one.replace('@', '').replace('/', '-')}-${version}.tgz`)
  runNpm(['publish', tarball, '--access', 'public', '--provenance', '--tag', channel], { stdio: 'inherit' })
}
