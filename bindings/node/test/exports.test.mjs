import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { world } from './world.mjs'

const require = createRequire(import.meta.url)
const { exports } = require('../package.json')
const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** Names that a declaration file gives a value to. */
function declared(path) {
  const text = read(path)
  const names = [...text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|function|const|namespace) (\w+)/gm)]
  const again = [...text.matchAll(/^export \{ (.+) \}$/gm)].flatMap(([, list]) => list.split(', '))
  return new Set([...names.map(([, name]) => name), ...again])
}

const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object')

for (const [subpath, { import: esm, require: cjs }] of entries) {
  const name = `sealgate${subpath.slice(1)}`

  test(`${name}: what is exported is declared, and the other way round`, async () => {
    const required = require(name)
    const { default: none, ...imported } = await import(name)
    assert.equal(none, undefined)
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort())
    for (const [key, value] of Object.entries(imported)) assert.equal(value, required[key], key)
    assert.deepEqual([...declared(cjs.types)].sort(), Object.keys(required).sort())
    assert.equal(read(esm.types).trim(), `export * from './${cjs.types.split('/').at(-1).replace('.d.cts', '.cjs')}'`)
  })
}

/** The members of a class or interface in a declaration file. */
function members(name) {
  const text = read('lib/index.d.cts')
  const [, body] = text.match(new RegExp(`^export (?:class|interface) ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm'))
  const found = [...body.matchAll(/^ {2}(?:static )?(?:readonly )?(\w+)\??(?:<[^>]*>)?[(:]/gm)]
  return new Set(found.map(([, member]) => member).filter((member) => member !== 'constructor'))
}

for (const name of ['Verifier', 'Policy', 'VerifiedToken', 'Batch', 'FixedClock', 'Trail', 'Verdict', 'Jws', 'Actor']) {
  test(`${name}: each method and getter is declared`, () => {
    const made = require('sealgate')[name]
    const own = [
      ...Object.getOwnPropertyNames(made.prototype),
      ...Object.getOwnPropertyNames(made).filter((key) => !['length', 'name', 'prototype'].includes(key)),
    ].filter((key) => key !== 'constructor')
    const known = name === 'Verdict' ? new Set([...members('Accepted'), ...members('NotAccepted')]) : members(name)
    for (const key of own) assert.ok(known.has(key), `${name}.${key} is not declared`)
  })
}

test('Keys and Revocations: each member is declared, and the other way round', () => {
  const { verifier } = world()
  assert.deepEqual(Object.keys(verifier.keys).sort(), [...members('Keys')].sort())
  assert.deepEqual(Object.keys(verifier.revocations).sort(), [...members('Revocations')].sort())
})

test('loading the package is quiet and starts nothing', () => {
  const code = "require('sealgate'); import('sealgate').then((m) => { if (m.Verifier !== require('sealgate').Verifier) process.exit(2) })"
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--trace-warnings', '-e', code], {
    cwd: new URL('..', import.meta.url),
  })
  assert.deepEqual([status, stdout.toString(), stderr.toString()], [0, '', ''])
})

test('the kinds and profiles of the declarations are those the loader knows', () => {
  const { Policy, PolicyError } = require('sealgate')
  const document = {
    version: 1,
    issuers: { a: { issuer: 'https://a.example', jwksPush: 'process', profiles: ['-'] } },
    gates: { g: { profile: '-', audience: 'x', issuers: ['a'] } },
  }
  let problems
  try {
    Policy.parse(JSON.stringify(document).replace('jwksPush', 'jwks_push'), { format: 'json' })
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    problems = error.problems
  }
  const named = (path) => {
    const { text } = problems.find((problem) => problem.path === path)
    return [...text.matchAll(/"(\w+)"/g)].map(([, name]) => name)
  }
  const [, body] = read('lib/index.d.cts').match(/^export type Kind =\n((?: {2}\| '\w+'\n)+)/m)
  const kinds = [...body.matchAll(/'(\w+)'/g)].map(([, name]) => name)
  assert.deepEqual(named('gates.g.profile'), kinds)
  assert.deepEqual(named('issuers.a.profiles[0]').sort(), [...kinds, 'access_token_untyped'].sort())
})

test('the options of the short form are declared, every one', () => {
  const { properties: members } = JSON.parse(readFileSync(new URL('../../cli/policy.schema.json', import.meta.url)))
  const inner = (named) => named.additionalProperties.properties
  const { issuers: none, ...gate } = inner(members.gates)
  const { $schema, version, issuers, gates, delegation, tables, ...rest } = members
  const declared = read('lib/index.d.cts').split('export interface VerifierOptions {')[1].split('\n}\n')[0]
  const toCamel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
  // Members that are not available yet take nothing.
  const names = ({ properties = {} }) => Object.keys(properties).filter((name) => properties[name].not === undefined)
  const check = (name) => assert.match(declared, new RegExp(`\\b${toCamel(name)}\\??:`), name)
  for (const [name, rule] of Object.entries({ ...inner(issuers), ...gate, ...rest })) {
    check(name)
    if (name !== 'danger') names(rule).forEach(check)
  }
  const [, stores] = read('lib/index.d.cts').match(/^export type StoreOptions =\n([^]*?)\n\n/m)
  for (const name of Object.keys(inner(rest.stores))) assert.match(stores, new RegExp(`\\b${toCamel(name)}\\??:`), name)
})
