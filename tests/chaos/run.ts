import { setTimeout as delay } from 'node:timers/promises'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import { FRONT_DOOR, SAGA, SAGA_TOPICS, type Shop } from '@tideshop/run/shop'
import { readStores } from '../shared/stores.ts'
import { backlog, readTopics } from '../shared/topics.ts'
import type { Asked } from './books.ts'
import { callAll, DENIED_NAME } from './callers.ts'
import { type Fault, inWords, isOfRecords } from './fault.ts'
import { inflict } from './faults.ts'
import { Follower, type Recovery } from './follower.ts'
import { type Ground, Turns } from './ground.ts'
import { audit, type Verdict } from './ledger.ts'
import { type Step, scheduleOf } from './schedule.ts'
import type { Shape } from './stage.ts'

/** One chaos run on an open shop: load and faults side by side, then quiet, then the ledger. */

export type Plan = {
  seed: number
  kills: number
  callers: number
  perSecond: number
  /** Written by hand, for who knows what has to happen; else it is drawn from the seed. */
  course?: readonly Step[]
  /** Shorter for a shop that is known never to become quiet. */
  quietWithinMs?: number
}

export type Progress = { kills: number; accepted: number; ended: number; open: number; now: string }

export type Outcome = {
  verdict: Verdict
  /** False when the shop still had something to do at the end of the wait. */
  quiet: boolean
  recoveries: readonly Recovery[]
  faults: readonly Inflicted[]
}

/** A fault as it was, in words; `tookMs` is null when it was given up. */
export type Inflicted = { kind: Fault['kind']; what: string; at: Date; tookMs: number | null }

/** Something to be hit must be there first, and what is hit last must have somebody to notice. */
const LOAD_AROUND_MS = 2000
const QUIET_WITHIN_MS = 90_000
const QUIET_ASK_EVERY_MS = 500
/** Until the first operation ends, sidecars find their topics; on a busy machine that takes seconds. */
const AT_WORK_WITHIN_MS = 30_000
const AT_WORK_ASK_EVERY_MS = 100

/** Rejects when what was killed could not be started again, or `stop` fired. */
export async function runChaos(
  shop: Shop,
  plan: Plan,
  /** Gets what tells the progress at any time. */
  watch: (look: () => Progress) => void,
  stop: AbortSignal,
): Promise<Outcome> {
  const follower = new Follower(shop.mongodbUri)
  const [closing, over] = [new AbortController(), new AbortController()]
  const cut = AbortSignal.any([over.signal, stop])
  const following = follower.follow(over.signal)
  const load = { ...plan, url: shop.url, promised: (uuid: string) => follower.promised(uuid), cut }
  const calling = callAll(load, AbortSignal.any([closing.signal, cut]))
  const poison = new Set<string>()
  const scene: Scene = { follower, poison, stop, faults: [], now: 'load begins' }
  watch(() => progressOf(scene))
  try {
    const steps = plan.course ?? scheduleOf(plan.seed, plan.kills, shapeOf(shop))
    // What was written by hand says what meets what; what is drawn may as well fall into the first seconds.
    if (plan.course !== undefined) await untilAtWork(follower, stop)
    await delay(LOAD_AROUND_MS, undefined, { signal: stop })
    await hitAll(shop, steps, scene)
    scene.now = 'until it is quiet'
    await delay(LOAD_AROUND_MS, undefined, { signal: stop })
    closing.abort()
    const asked = await calling
    const quiet = await untilQuiet(shop, follower, plan.quietWithinMs ?? QUIET_WITHIN_MS, stop)
    const verdict = await auditShop(shop, asked, poison)
    return { verdict, quiet, recoveries: follower.recoveries, faults: scene.faults }
  } finally {
    over.abort()
    await Promise.all([calling, following])
  }
}

/** `now` is what happens just now, in words. */
type Scene = {
  follower: Follower
  poison: Set<string>
  stop: AbortSignal
  faults: Inflicted[]
  now: string
}

function progressOf({ follower, now }: Scene): Progress {
  const { accepted, ended, open, recoveries } = follower
  return { kills: recoveries.length, accepted, ended, open, now }
}

/** What lasts runs beside the next steps. All is over when this resolves, and nobody is left stopped when it rejects. */
async function hitAll(shop: Shop, steps: readonly Step[], scene: Scene): Promise<void> {
  const broken = new AbortController()
  const signal = AbortSignal.any([scene.stop, broken.signal])
  const turns = new Turns()
  const underWay: Promise<void>[] = []
  try {
    for (const { afterMs, fault } of steps) {
      // What ended the wait says more than that it was ended.
      await delay(afterMs, undefined, { signal }).catch(() => undefined)
      signal.throwIfAborted()
      const { promise: next, resolve: goOn } = Promise.withResolvers<void>()
      const over = hit(fault, scene, { shop, turns, signal, goOn }).catch((error) => broken.abort(error))
      underWay.push(over)
      await Promise.race([next, over])
    }
    await Promise.all(underWay)
    signal.throwIfAborted()
  } finally {
    broken.abort()
    await Promise.all(underWay)
  }
}

type Basis = Pick<Ground, 'shop' | 'turns' | 'signal' | 'goOn'>

async function hit(fault: Fault, scene: Scene, basis: Basis): Promise<void> {
  const { follower, poison, faults } = scene
  const what = inWords(fault)
  scene.now = what
  const inflicted: Inflicted = { kind: fault.kind, what, at: new Date(), tookMs: null }
  faults.push(inflicted)
  const isOver = isOfRecords(fault) ? () => undefined : follower.began(what)
  const ground: Ground = {
    ...basis,
    killed: ({ name }, part) => follower.killed(name, part, what),
    allowed: () => follower.allowed(),
    poisoned: (value) => poison.add(value),
  }
  await inflict(ground, fault).finally(isOver)
  inflicted.tookMs = Date.now() - inflicted.at.getTime()
}

async function untilAtWork(follower: Follower, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + AT_WORK_WITHIN_MS
  while (follower.ended === 0) {
    if (performance.now() > deadline)
      throw new Error('no operation ended, though nothing was done to the shop yet')
    await delay(AT_WORK_ASK_EVERY_MS, undefined, { signal: stop })
  }
}

/** The ledger knows the saga of a user, so what befalls the shop befalls those who have a part in it. */
function shapeOf(shop: Shop): Shape {
  const backbone = (['kafka', 'mongodb'] as const).filter((part) => shop[part] !== null)
  return {
    appIds: [FRONT_DOOR, ...SAGA],
    scaled: ['users', 'approvals'],
    replaced: SAGA,
    backbone,
    topics: SAGA_TOPICS,
  }
}

/** True when nothing is left to do: no promise open, nothing pending or untold, every record acknowledged. */
async function untilQuiet(
  shop: Shop,
  follower: Follower,
  withinMs: number,
  stop: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (await isQuiet(shop, follower).catch(() => false)) return true
    await delay(QUIET_ASK_EVERY_MS, undefined, { signal: stop })
  }
  return false
}

async function isQuiet(shop: Shop, follower: Follower): Promise<boolean> {
  if (follower.open > 0 || (await backlog(shop)) > 0n) return false
  const { operations } = await readStores(shop)
  const isDone = operations.every(
    ({ body, outbox = [] }) => body['status'] !== 'pending' && outbox.length === 0,
  )
  // What was told between the first look and this one would be heard only now.
  return isDone && (await backlog(shop)) === 0n
}

async function auditShop(shop: Shop, asked: readonly Asked[], poison: ReadonlySet<string>): Promise<Verdict> {
  const names = SAGA_TOPICS.map(({ name }) => name)
  const records = await readTopics(shop, [...names, ...names.map(deadLetterTopic)])
  const { operations, users } = await readStores(shop)
  return audit({ asked, operations, users, records, poison, denied: new Set([DENIED_NAME]) })
}
