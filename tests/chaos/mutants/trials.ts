import { rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '@tideshop/run/arguments'
import { plainLines } from '@tideshop/run/progress'
import type { Shop } from '@tideshop/run/shop'
import { startSomewhere } from '@tideshop/run/somewhere'
import type { Report } from '@tideshop/run/steps'
import { type Outcome, type Plan, runChaos } from '../run.ts'
import type { Step } from '../schedule.ts'
import { showProgress } from '../terminal.ts'
import { BUG_VARIABLE, type Bug, type BugName, bugs, plantedLine } from './bugs.ts'
import { courseFor } from './courses.ts'

/**
 * The test of the tests: a real shop with a planted bug is hit until the bug shows, and the ledger must find it and
 * call it by its name. The same course of faults is run on a shop without a bug first: who finds something there too
 * has found nothing.
 */

/** What came of one shop. `bug` is null for the control; `seconds` go from the first caller to the verdict. */
export type Trial = { bug: Bug | null; outcome: Outcome; seconds: number }

const LOAD = { callers: 10, perSecond: 30 }
/** What a bug has lost never ends; far above the sweep of a sound shop, which needs 13 s at most. */
const BROKEN_QUIET_WITHIN_MS = 20_000

export type Trials = {
  seed: number
  only: BugName | undefined
  /** Each shop has a folder of its own in it; the folder of one that went as it should is removed. */
  dir: string
  stop: AbortSignal
  asItShould: (trial: Trial) => boolean
}

export async function runTrials({ seed, only, dir, stop, asItShould }: Trials): Promise<Trial[]> {
  const chosen = bugs.filter(({ name }) => only === undefined || name === only)
  const trials: Trial[] = []
  const run = async (bug: Bug | null, course: readonly Step[]) => {
    const place = path.join(dir, (bug?.name ?? 'control').replaceAll(' ', '-'))
    console.log(`\n${bug === null ? 'no bug' : bug.name}`)
    const trial = await runTrial(bug, planOf(seed, course, bug), place, stop)
    if (asItShould(trial)) rmSync(place, { recursive: true, force: true })
    trials.push(trial)
  }
  await run(
    null,
    chosen.flatMap(({ name }) => courseFor(name, seed)),
  )
  for (const bug of chosen) await run(bug, courseFor(bug.name, seed))
  return trials
}

function planOf(seed: number, course: readonly Step[], bug: Bug | null): Plan {
  const kills = course.filter(({ fault }) => fault.kind === 'kill').length
  return { seed, kills, ...LOAD, course, ...(bug && { quietWithinMs: BROKEN_QUIET_WITHIN_MS }) }
}

async function runTrial(bug: Bug | null, plan: Plan, dir: string, stop: AbortSignal): Promise<Trial> {
  const options = {
    root,
    dir,
    rabbitmq: false,
    issuer: false,
    report: onlyNotes,
    env: envFor(bug),
    signal: stop,
  }
  const shop = await startSomewhere(options)
  try {
    demandReady(shop, bug)
    const begunAt = performance.now()
    const progress = showProgress(plan.kills)
    const outcome = await runChaos(shop, plan, progress.watch, stop).finally(progress.end)
    return { bug, outcome, seconds: Math.round((performance.now() - begunAt) / 1000) }
  } finally {
    await shop.stop()
  }
}

/** The services inherit it and nobody else does: the runner itself and the sidecars are as they always are. */
function envFor(bug: Bug | null): Record<string, string> {
  if (bug === null) return {}
  const plant = pathToFileURL(path.join(import.meta.dirname, 'plant.ts')).href
  return { NODE_OPTIONS: `--import=${plant}`, [BUG_VARIABLE]: bug.name }
}

function demandReady(shop: Shop, bug: Bug | null): void {
  if (shop.kafka === null || shop.mongodb === null) {
    throw new Error('a shop with a bug is not let near a broker or a database that it does not own')
  }
  if (bug !== null && !shop.logs().includes(JSON.stringify(plantedLine(bug)).slice(1, -1))) {
    throw new Error(`no service says that ${plantedLine(bug)}`)
  }
}

const plain = plainLines()
const onlyNotes: Report = (step, state, note) => {
  if (state === 'note' || state === 'failed') plain(step, state, note)
}
