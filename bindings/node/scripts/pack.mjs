// Packs the package and the native package of this platform into a folder, as a release would:
//   node scripts/pack.mjs FOLDER          the native file that the build has put here
//   node scripts/pack.mjs FOLDER --all    those of all platforms; one that is missing is an error
// The packages of all platforms become optional dependencies here and not in package.json: before
// a release is published `npm ci` would find none of them.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNpm } from './npm.mjs'
import { triple } from './triple.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [folder = '.', all] = process.argv.slice(2)
const to = resolve(folder)
mkdirSync(to, { recursive: true })
const staging = mkdtempSync(join(tmpdir(), 'sealgate-pack-'))
const read = (path) => JSON.parse(readFileSync(path, 'utf8'))

function pack(folder) {
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    copyFileSync(join(root, '../..', licence), join(folder, licence))
  }
  runNpm(['pack', '--pack-destination', to], { cwd: folder, stdio: 'inherit' })
}

try {
  const names = readdirSync(join(root, 'npm'))
  const platforms = names.map((name) => read(join(root, 'npm', name, 'package.json')))
  const { devDependencies, scripts, ...manifest } = read(join(root, 'package.json'))
  manifest.optionalDependencies = Object.fromEntries(platforms.map(({ name, version }) => [name, version]))
  const main = join(staging, 'sealgate')
  cpSync(join(root, 'lib'), join(main, 'lib'), { recursive: true })
  copyFileSync(join(root, 'README.md'), join(main, 'README.md'))
  writeFileSync(join(main, 'package.json'), JSON.stringify(manifest, null, 2))
  pack(main)

  for (const name of all === '--all' ? names : [triple()]) {
    const native = join(staging, name)
    cpSync(join(root, 'npm', name), native, { recursive: true })
    const file = `sealgate.${name}.node`
    copyFileSync(join(root, file), join(native, file))
    pack(native)
  }
} finally {
  rmSync(staging, { recursive: true })
}
