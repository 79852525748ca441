// All cases take turns in every round, so that a slow second slows them all. Ratios are taken round by
// round; the median of the quotients is what is said, and the lowest tenth of the times as `quiet`.
const BATCH_NS = 4e6
const ROUNDS = Number(process.env.SEALGATE_BENCH_ROUNDS ?? 61)

// On a machine that others use too, `SEALGATE_BENCH_CLOCK=cpu` counts this process's own time. It hides
// waiting, so it is for synchronous tables alone.
const clock =
  process.env.SEALGATE_BENCH_CLOCK === 'cpu'
    ? () => {
        const { user, system } = process.cpuUsage()
        return (user + system) * 1000
      }
    : () => Number(process.hrtime.bigint())

async function time(call, calls) {
  const began = clock()
  const pending = call(calls)
  if (pending) await pending
  return (clock() - began) / calls
}

/** `cases`: name to a function that makes so many calls, a multiple of `unit`. Returns times by name. */
async function measure(cases, unit, batch) {
  const names = Object.keys(cases)
  const calls = {}
  for (const name of names) {
    await time(cases[name], 4 * unit) // the optimiser has a look
    const each = await time(cases[name], unit)
    calls[name] = Math.max(1, Math.round(batch / each / unit)) * unit
  }
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]
      times[name].push(await time(cases[name], calls[name]))
    }
  }
  return times
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b)
export const median = (numbers) => sorted(numbers)[numbers.length >> 1]
const quiet = (numbers) => sorted(numbers)[Math.trunc(numbers.length / 10)]

/** Measures and prints a table, each row as so many times the first. Calls come in `unit`s, as many as fill `batch` nanoseconds. */
export async function table(title, cases, unit = 64, batch = BATCH_NS) {
  const times = await measure(cases, unit, batch)
  const [first] = Object.keys(cases)
  console.log(`\n${title}`)
  console.log(`| | quiet µs | median µs | times ${first} |`)
  console.log('|---|---:|---:|---:|')
  for (const [name, own] of Object.entries(times)) {
    const ratio = median(own.map((value, round) => value / times[first][round]))
    const micros = [quiet(own), median(own)].map((value) => (value / 1000).toFixed(2))
    console.log(`| ${name} | ${micros.join(' | ')} | ${ratio.toFixed(2)} |`)
  }
  return times
}
