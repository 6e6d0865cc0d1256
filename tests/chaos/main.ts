import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '@tideshop/run/arguments'
import { plainLines } from '@tideshop/run/progress'
import type { Shop } from '@tideshop/run/shop'
import { startSomewhere } from '@tideshop/run/somewhere'
import { SAGA } from '../shared/saga.ts'
import type { Path } from './books.ts'
import { tellMoment } from './moment.ts'
import { type BugName, bugNamed, bugs } from './mutants/bugs.ts'
import { isAsItShould, tellTrials } from './mutants/table.ts'
import { runTrials } from './mutants/trials.ts'
import { isSound, tellOutcome, tellViolations, timesOf } from './report.ts'
import { type Plan, runChaos } from './run.ts'
import { INTERRUPTED, showProgress, stopSignal } from './terminal.ts'

const help = `pnpm chaos [options]: kills, stops, slows, scales and poisons a shop of its own under load,
puts records again and takes listeners back, and then holds callers, topics and stores against each other

  --kills N     kill -9 of services, sidecars, Kafka and the database, at most 2000 (default 60);
                the other faults fall between them
  --seed N      chooses the faults; the same seed gives the same schedule (default: one by chance)
  --callers N   callers, who repeat until they are promised something (default 10, at most 100)
  --rate N      operations per second of all callers together (default 30, at most 500)
  --json FILE   everything that was found, each fault and each recovery with its time
  --help        this text

  --mutants     the test of the tests: shops with a planted bug each, and one without; every bug must be
                found and nothing else. Its faults are its own, only --seed, --only and --json count
  --only NAME   of the bugs only this one, as in --only "no sweep"

Exit code: 0 when nothing was lost, doubled, stuck or otherwise wrong, 1 when something was (the shop's
folder with its logs is then kept), 2 when the options are wrong, 130 after Ctrl-C.`

const EXIT = { sound: 0, broken: 1, cannotRun: 2, interrupted: INTERRUPTED }

type Options = {
  plan: Plan
  json: string | undefined
  mutants: boolean
  only: BugName | undefined
  help: boolean
}

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
      mutants: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const plan = {
    kills: wholeNumber('kills', values.kills, 2000),
    seed: wholeNumber('seed', values.seed, 2 ** 32 - 1),
    callers: wholeNumber('callers', values.callers, 100),
    perSecond: wholeNumber('rate', values.rate, 500),
  }
  const { json, mutants, help } = values
  if (values.only !== undefined && !mutants) throw new Error('--only chooses one of the --mutants')
  const only = values.only === undefined ? undefined : bugNamed(values.only).name
  return { plan, json, mutants, only, help }
}

function wholeNumber(option: string, typed: string, max: number): number {
  const number = Number(typed)
  const least = option === 'seed' ? 0 : 1
  if (typed.trim() !== '' && Number.isInteger(number) && number >= least && number <= max) return number
  throw new Error(`--${option} is a whole number from ${least} to ${max}, not "${typed}"`)
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  const { seed } = options.plan
  if (options.help) {
    console.log(help)
    return EXIT.sound
  }
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-chaos-'))
  const stop = stopSignal(dir)
  let keep = false
  try {
    keep = !(options.mutants ? await findBugs(options, dir, stop) : await chaosIn(dir, options, stop))
    return keep ? EXIT.broken : EXIT.sound
  } catch (error) {
    if (stop.aborted) return EXIT.interrupted
    keep = true
    console.error(`\nthe run with seed ${seed} broke off: ${(error as Error).stack}`)
    return EXIT.broken
  } finally {
    if (keep) console.error(`the logs are kept in ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}

/** Returns whether all was sound. */
async function chaosIn(dir: string, { plan, json }: Options, stop: AbortSignal): Promise<boolean> {
  console.log(`seed ${plan.seed}, ${plan.kills} kills`)
  const shop = await startSomewhere({
    root,
    dir,
    only: SAGA,
    rabbitmq: false,
    issuer: false,
    report: plainLines(),
    signal: stop,
  })
  return chaosOn(shop, plan, json, stop).finally(() => shop.stop())
}

/** Returns whether every bug was found, and nothing where there was none. */
async function findBugs({ plan, only, json }: Options, dir: string, stop: AbortSignal): Promise<boolean> {
  console.log(`seed ${plan.seed}, ${only ?? `${bugs.length} bugs`}`)
  const trials = await runTrials({ seed: plan.seed, only, dir, stop, asItShould: isAsItShould })
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(trials, null, 2)}\n`)
  console.log(`\n${tellTrials(trials)}`)
  const others = trials.filter((trial) => !isAsItShould(trial))
  for (const { bug, outcome } of others) {
    console.error(`\n${bug?.name ?? 'no bug'}\n${tellViolations(outcome.verdict.violations)}`)
  }
  return others.length === 0
}

async function chaosOn(
  shop: Shop,
  plan: Plan,
  json: string | undefined,
  stop: AbortSignal,
): Promise<boolean> {
  const progress = showProgress(plan.kills)
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

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return EXIT.cannotRun
})
// A child's pipe or a socket on its way out must not keep a closed shop's runner.
process.exit()
