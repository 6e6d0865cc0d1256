import { setTimeout as delay } from 'node:timers/promises'
import { topics } from '@tideshop/contracts/topics'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import type { Shop } from '@tideshop/run/shop'
import { readStores } from '../shared/stores.ts'
import { backlog, readTopics } from '../shared/topics.ts'
import type { Asked } from './books.ts'
import { callAll, DENIED_NAME } from './callers.ts'
import { inflict } from './faults.ts'
import { Follower, type Recovery } from './follower.ts'
import { audit, type Verdict } from './ledger.ts'
import { inWords, type Shape, type Step, scheduleOf } from './schedule.ts'

/** One chaos run on an open shop: load and faults side by side, then quiet, then the ledger. */

export type Plan = {
  seed: number
  kills: number
  callers: number
  perSecond: number
  /** Written by hand, for who knows what has to happen; else it is drawn from the seed. */
  course?: Course
  /** Shorter for a shop that is known never to become quiet. */
  quietWithinMs?: number
}

/** The next step does not wait for the end of one that stands `beside` it, so two faults can meet. */
export type Course = readonly (Step & { beside?: boolean })[]

export type Progress = { kills: number; accepted: number; ended: number; open: number; now: string }

export type Outcome = {
  verdict: Verdict
  /** False when the shop still had something to do at the end of the wait. */
  quiet: boolean
  recoveries: readonly Recovery[]
  faults: Record<string, number>
}

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
  const scene: Scene = { follower, poison, stop, now: 'load begins' }
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
    return { verdict, quiet, recoveries: follower.recoveries, faults: countKinds(steps) }
  } finally {
    over.abort()
    await Promise.all([calling, following])
  }
}

/** `now` is what happens just now, in words. */
type Scene = { follower: Follower; poison: Set<string>; stop: AbortSignal; now: string }

function progressOf({ follower, now }: Scene): Progress {
  const { accepted, ended, open, recoveries } = follower
  return { kills: recoveries.length, accepted, ended, open, now }
}

async function hitAll(shop: Shop, course: Course, scene: Scene): Promise<void> {
  const { follower, poison, stop } = scene
  const underWay: Promise<void>[] = []
  try {
    for (const { afterMs, fault, beside = false } of course) {
      await delay(afterMs, undefined, { signal: stop })
      const now = inWords(fault)
      scene.now = now
      const hit = inflict(shop, fault, {
        killed: () => follower.killed(now),
        poisoned: (value) => poison.add(value),
      })
      underWay.push(hit)
      // It is heard below; until then one that stands beside must not end the process.
      hit.catch(() => undefined)
      if (!beside) await hit
      stop.throwIfAborted()
    }
    await Promise.all(underWay)
  } finally {
    // Whatever is stopped goes on before anybody else is asked to leave.
    await Promise.allSettled(underWay)
  }
}

async function untilAtWork(follower: Follower, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + AT_WORK_WITHIN_MS
  while (follower.ended === 0) {
    if (performance.now() > deadline)
      throw new Error('no operation ended, though nothing was done to the shop yet')
    await delay(AT_WORK_ASK_EVERY_MS, undefined, { signal: stop })
  }
}

function shapeOf(shop: Shop): Shape {
  const appIds = [...new Set(['apigateway', ...topics.flatMap(({ teller, listener }) => [teller, listener])])]
  const backbone = (['kafka', 'mongodb'] as const).filter((part) => shop[part] !== null)
  return { appIds, scaled: ['users', 'approvals'], backbone, topics: topics.map(({ name }) => name) }
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
  const names = topics.map(({ name }) => name)
  const records = await readTopics(shop, [...names, ...names.map(deadLetterTopic)])
  const { operations, users } = await readStores(shop)
  return audit({ asked, operations, users, records, poison, denied: new Set([DENIED_NAME]) })
}

function countKinds(steps: Course): Record<string, number> {
  const kinds = Map.groupBy(steps, ({ fault }) => fault.kind)
  return Object.fromEntries([...kinds].map(([kind, of]) => [kind, of.length]))
}
