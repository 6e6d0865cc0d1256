import path from 'node:path'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import { SAGA, SAGA_TOPICS, type Shop } from '@tideshop/run/shop'
import { type BareLoop, runBareLoop } from './bare-loop.ts'
import { BrokenRun } from './broken-run.ts'
import { sumOfTopics } from './counts.ts'
import { FIRST_RATE, kneeOf, nextRate, type Tried } from './knee.ts'
import { auditStores, isSound, tellAccount } from './ledger.ts'
import { withOwnShop } from './own-shop.ts'
import { bytesOfTopics, recordsIn } from './records.ts'
import { figuresOf } from './saga-figures.ts'
import type { SagaPlan } from './saga-plan.ts'
import { onScene, type Scene } from './scene.ts'
import type { Figures } from './statistics.ts'
import { runStep, type Step } from './step.ts'

/** One run on a fresh shop: warm up, measure, hold the stores against what was promised, and the yardstick. */
export type SagaRun = {
  steps: Step[]
  /** The step that the figures are taken from. */
  measured: Step
  /** At 70 % of the knee, where a shop would be run; only where the knee was looked for and found. */
  relaxed: Step | null
  /** Records that say again what was said before: what the shop had to absorb, warm-up included. */
  repeats: number
  bytesPerEvent: number
  loop: BareLoop | null
  figures: Figures
}

/** A shop that is run at its knee has no room for a bad moment. */
const RELAXED = 0.7
/** Processor time is read in steps of 10 ms: fewer records would measure the steps. */
const LOOP_RECORDS_MIN = 50_000
/** Milliseconds by which the load may be late without a word. */
const LATE_MS = 100

export type Tell = (line: string) => void

export async function runSaga(
  plan: SagaPlan & { profile: string | undefined },
  tell: Tell,
  stop: AbortSignal,
): Promise<SagaRun> {
  const env = { APPROVAL_WORK_MS: String(plan.workMs), ...profilingInto(plan.profile) }
  tell('opens a shop')
  const { database, partitions } = plan
  return withOwnShop({ database, partitions, env, only: SAGA }, stop, async (shop) => {
    await addReplicas(shop, plan.replicas)
    return onScene(shop, plan, stop, (scene) => measure(scene, plan, tell))
  })
}

/** Every service that hears has one already. */
async function addReplicas(shop: Shop, replicas: number): Promise<void> {
  const listeners = [...new Set(SAGA_TOPICS.map(({ listener }) => listener))]
  for (let nth = 2; nth <= replicas; nth += 1) {
    await Promise.all(listeners.map((appId) => shop.addReplica(appId)))
  }
}

/** Node writes the profile when the service leaves. */
function profilingInto(folder: string | undefined): Record<string, string> {
  if (folder === undefined) return {}
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(folder)}` }
}

async function measure(scene: Scene, plan: SagaPlan, tell: Tell): Promise<SagaRun> {
  tell(`warms up with ${plan.warmUp} operations`)
  await runStep(scene, { operations: plan.warmUp, perSecond: warmUpRate(plan) })
  const steps = await runSteps(scene, plan, tell)
  const measured = bestOf(steps)
  const relaxed = await stepBelowKnee(scene, plan, measured, tell)

  tell('holds the stores against what was promised')
  await demandSound(scene)
  const { produced } = await scene.counter.look()
  const records = sumOfTopics(produced)
  const repeats = records - scene.accepted.size * SAGA_TOPICS.length
  if (repeats < 0) throw new BrokenRun(`there is no figure: ${-repeats} records fewer than were promised`)
  const bytesPerEvent = (await bytesOfTopics(scene.shop, scene.partitions)) / records
  if (plan.loop) tell('runs the bare loop')
  const loopRecords = Math.max(measured.accepted * SAGA_TOPICS.length, LOOP_RECORDS_MIN)
  const loop = plan.loop ? await runBareLoop(scene, loopRecords, bytesPerEvent) : null
  const found = {
    steps,
    measured,
    relaxed,
    repeats,
    bytesPerEvent,
    loop,
  }
  return { ...found, figures: figuresOf(found) }
}

/** By the door nobody comes all at once. */
function warmUpRate({ from, load }: SagaPlan): number | null {
  if (from === 'topic') return null
  return load.kind === 'rate' ? load.perSecond : FIRST_RATE
}

async function runSteps(scene: Scene, { load, seconds }: SagaPlan, tell: Tell): Promise<Step[]> {
  if (load.kind === 'backlog') {
    tell(`${load.operations} operations at once`)
    return [await runStep(scene, { operations: load.operations, perSecond: null })]
  }
  const steps: Step[] = []
  const offerOnce = async (perSecond: number) => {
    tell(`${perSecond} operations per second for ${seconds} s`)
    const step = await runStep(scene, { operations: perSecond * seconds, perSecond })
    tell(tellStep(step))
    steps.push(step)
    return step.keepsUp
  }
  // Too much is only what was too much twice: one bad moment of the machine must not set the knee.
  const offer = async (perSecond: number) => {
    if (!(await offerOnce(perSecond))) await offerOnce(perSecond)
  }
  if (load.kind === 'rate') await offerOnce(load.perSecond)
  else if (load.rates !== null) for (const rate of load.rates) await offer(rate)
  else await searchKnee(steps, offer)
  return steps
}

/** The highest rate that was kept; where none was, the one that was tried last. */
function bestOf(steps: readonly Step[]): Step {
  const knee = kneeOf(triedIn(steps))
  const kept = steps.find(({ plan, keepsUp }) => keepsUp && plan.perSecond === knee)
  return (kept ?? steps.at(-1)) as Step
}

async function stepBelowKnee(
  scene: Scene,
  { load, seconds }: SagaPlan,
  { plan, keepsUp }: Step,
  tell: Tell,
): Promise<Step | null> {
  if (load.kind !== 'knee' || plan.perSecond === null || !keepsUp) return null
  const perSecond = Math.round(plan.perSecond * RELAXED)
  tell(`${perSecond} operations per second for ${seconds} s: ${RELAXED * 100} % of the knee`)
  const step = await runStep(scene, { operations: perSecond * seconds, perSecond })
  tell(tellStep(step))
  return step
}

async function searchKnee(
  steps: readonly Step[],
  offer: (perSecond: number) => Promise<void>,
): Promise<void> {
  for (let rate = nextRate([]); rate !== null; rate = nextRate(triedIn(steps))) await offer(rate)
}

function triedIn(steps: readonly Step[]): Tried[] {
  const byRate = Map.groupBy(steps, ({ plan }) => plan.perSecond ?? 0)
  return [...byRate].map(([perSecond, its]) => ({ perSecond, keepsUp: its.some(({ keepsUp }) => keepsUp) }))
}

function tellStep({ rate, keepsUp, backlogMax, lateMsMax, endToEndMs }: Step): string {
  const ended = Math.round(rate?.endedPerSecond ?? 0)
  const took = endToEndMs === null ? '' : ` · p50 ${endToEndMs.p50} ms · p99 ${endToEndMs.p99} ms`
  const late = lateMsMax > LATE_MS ? ` · the load was ${Math.round(lateMsMax)} ms late` : ''
  return `  ${keepsUp ? 'keeps up' : 'falls behind'}: ${ended}/s ended · backlog ${backlogMax} at most${took}${late}`
}

/** Throws unless everything that was promised in this shop has come about, once. */
async function demandSound(scene: Scene): Promise<void> {
  const deadLetters = await recordsIn(
    scene.shop,
    SAGA_TOPICS.map(({ name }) => deadLetterTopic(name)),
  )
  const { accepted, unknown, client } = scene
  const account = await auditStores(client, { accepted, unknown, deadLetters })
  if (!isSound(account)) throw new BrokenRun(`there is no figure: ${tellAccount(account)}`)
}
