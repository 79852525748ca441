'use strict'
// Finds the native half: a build of this checkout beside the package, else the optional package of
// this platform.

const { platform, arch } = process
// npm installs only the package whose `libc` fits; where another package manager installs both,
// the wrong one does not load.
const flavours = { linux: ['-gnu', '-musl'], win32: ['-msvc'] }[platform] ?? ['']

function load() {
  const reasons = []
  for (const flavour of flavours) {
    const triple = `${platform}-${arch}${flavour}`
    for (const name of [`../sealgate.${triple}.node`, `@sealgate/${triple}`]) {
      try {
        return require(name)
      } catch (error) {
        reasons.push(`${name}: ${error.message.split('\n', 1)[0]}`)
      }
    }
  }
  throw new Error(
    `sealgate has no native code for ${platform}-${arch}. Were optional dependencies left out ` +
      `(npm --omit=optional), or node_modules copied from another system?\n  ${reasons.join('\n  ')}`
  )
}

/** The same call, whose exceptions are `InternalError`s: the native half throws nothing but panics. */
function guarded(call) {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      // Only now, since the errors are made of what the native half says.
      throw require('./errors.cjs').internal(error)
    }
  }
}

const calls = Object.entries(load()).map(([name, call]) => [name, guarded(call)])

module.exports = Object.assign(Object.fromEntries(calls), { guarded })
