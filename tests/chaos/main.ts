import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '@tideshop/run/arguments'
import { plainLines } from '@tideshop/run/progress'
import { killRecorded } from '@tideshop/run/record'
import type { Shop } from '@tideshop/run/shop'
import { startSomewhere } from '@tideshop/run/somewhere'
import type { Path } from './books.ts'
import { tellMoment } from './moment.ts'
import { isSound, tellOutcome, tellViolations, timesOf } from './report.ts'
import { type Plan, type Progress, runChaos } from './run.ts'

const help = `pnpm chaos [options]: kills, stops, slows, scales and poisons a shop of its own under load,
puts records again and takes listeners back, and then holds callers, topics and stores against each other

  --kills N     kill -9 of services, sidecars, Kafka and the database, at most 2000 (default 60);
                the other faults fall between them
  --seed N      chooses the faults; the same seed gives the same schedule (default: one by chance)
  --callers N   callers, who repeat until they are promised something (default 10, at most 100)
  --rate N      operations per second of all callers together (default 30, at most 500)
  --json FILE   everything that was found, each fault and each recovery with its time
  --help        this text

Exit code: 0 when nothing was lost, doubled, stuck or otherwise wrong, 1 when something was (the shop's
folder with its logs is then kept), 2 when the options are wrong, 130 after Ctrl-C.`

const EXIT = { sound: 0, broken: 1, cannotRun: 2, interrupted: 130 }
const TERMINAL_EVERY_MS = 250
const LOG_EVERY_MS = 5000

type Options = { plan: Plan; json: string | undefined; help: boolean }

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    // pnpm hands on the `--` that npm needs.
    args: args[0] === '--' ? args.slice(1) : args,
    options: {
      kills: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      callers: { type: 'string', default: '10' },
      rate: { type: 'string', default: '30' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const plan = {
    kills: wholeNumber('kills', values.kills, 2000),
    seed: wholeNumber('seed', values.seed, 2 ** 32 - 1),
    callers: wholeNumber('callers', values.callers, 100),
    perSecond: wholeNumber('rate', values.rate, 500),
  }
  return { plan, json: values.json, help: values.help }
}

function wholeNumber(option: string, typed: string, max: number): number {
  const number = Number(typed)
  const least = option === 'seed' ? 0 : 1
  if (typed.trim() !== '' && Number.isInteger(number) && number >= least && number <= max) return number
  throw new Error(`--${option} is a whole number from ${least} to ${max}, not "${typed}"`)
}

async function main(): Promise<number> {
  const { plan, json, ...options } = readOptions(process.argv.slice(2))
  if (options.help) {
    console.log(help)
    return EXIT.sound
  }
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-chaos-'))
  const stop = stopSignal(dir)
  console.log(`seed ${plan.seed}, ${plan.kills} kills`)
  let keep = false
  try {
    const shop = await startSomewhere({ root, dir, report: plainLines(), signal: stop })
    keep = !(await chaosOn(shop, plan, json, stop).finally(() => shop.stop()))
    return keep ? EXIT.broken : EXIT.sound
  } catch (error) {
    if (stop.aborted) return EXIT.interrupted
    keep = true
    console.error(`\nthe run with seed ${plan.seed} broke off: ${(error as Error).stack}`)
    return EXIT.broken
  } finally {
    if (keep) console.error(`the logs are kept in ${path.join(dir, 'logs')}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}

/** Returns whether all was sound. */
async function chaosOn(
  shop: Shop,
  plan: Plan,
  json: string | undefined,
  stop: AbortSignal,
): Promise<boolean> {
  const progress = showProgress(plan)
  const outcome = await runChaos(shop, plan, progress.watch, stop).finally(progress.end)
  if (json !== undefined) {
    const report = { plan, recoveryMs: timesOf(outcome.recoveries), ...outcome }
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  }
  console.log(`\n${tellOutcome(plan, outcome)}`)
  if (isSound(outcome)) return true
  const momentOf = (path: Path) => tellMoment(path, outcome.faults, shop)
  console.error(`\nseed ${plan.seed}\n${tellViolations(outcome.verdict.violations, momentOf)}`)
  return false
}

/** One line that is written over in a terminal, a line now and then elsewhere. */
function showProgress(plan: Plan) {
  const { isTTY, columns } = process.stdout
  const begunAt = performance.now()
  let look: (() => Progress) | null = null
  const show = () => {
    if (look === null) return
    const { kills, accepted, ended, open, now } = look()
    const seconds = Math.round((performance.now() - begunAt) / 1000)
    const counts = `${accepted} accepted · ${ended} ended · ${open} open`
    const line = `${seconds} s · ${kills}/${plan.kills} kills · ${counts} · ${now}`
    process.stdout.write(isTTY ? `\r\u001b[K${line.slice(0, (columns || 80) - 1)}` : `${line}\n`)
  }
  const timer = setInterval(show, isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS)
  return {
    watch: (given: () => Progress) => {
      look = given
    },
    end: () => {
      clearInterval(timer)
      show()
      if (isTTY) process.stdout.write('\n')
    },
  }
}

/** The first signal asks, the second kills. */
function stopSignal(dir: string): AbortSignal {
  const stopping = new AbortController()
  const heard = () => {
    if (stopping.signal.aborted) {
      killRecorded(dir)
      process.exit(EXIT.interrupted)
    }
    console.log('\nclosing the shop … (Ctrl-C again kills at once)')
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  return stopping.signal
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return EXIT.cannotRun
})
// A child's pipe or a socket on its way out must not keep a closed shop's runner.
process.exit()
