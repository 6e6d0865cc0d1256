import { type Latencies, latencies } from '../src/latencies.ts'
import { keepPace, type Pace } from '../src/pace.ts'
import { LAST_TOPIC } from './counts.ts'
import { untilEnded } from './drain.ts'
import { Follower } from './follower.ts'
import { operationsIn } from './ledger.ts'
import { Observer, type Sample } from './observer.ts'
import { type Offer, offerAtDoor, offerToTopic } from './offer.ts'
import { type PerGroup, perGroup } from './processes.ts'
import { untilIdle } from './quiet.ts'
import type { Scene } from './scene.ts'
import { keepsUp, type RateFound, rateFound } from './throughput.ts'
import { makeWishes, type Wish, writePending } from './wishes.ts'

/**
 * One step of a measurement: so many operations come in at a fixed rate, or all at once, and the shop works until
 * the last has ended. Everything that only prepares is done before the clock starts.
 */
export type StepPlan = {
  operations: number
  /** Null: all at once. */
  perSecond: number | null
}

export type Step = {
  plan: StepPlan
  accepted: number
  refused: number
  unknown: number
  /** From the first offered to the last ended. */
  tookMs: number
  /** While it was offered; null for all at once. */
  rate: RateFound | null
  keepsUp: boolean
  /** By how much the load itself was late at its worst. */
  lateMsMax: number
  /** From due to accepted. */
  answerMs: Latencies | null
  /** From due (topic) or accepted (door) to ended, of some; null for all at once. */
  endToEndMs: Latencies | null
  cpuSeconds: PerGroup
  peakMb: PerGroup
  /** Operations accepted and not ended, at most. */
  backlogMax: number
  samples: Sample[]
}

/** Operations followed to their end per second; beyond, one in so many. */
const FOLLOWED_PER_SECOND = 100

export async function runStep(scene: Scene, plan: StepPlan): Promise<Step> {
  const wishes = makeWishes(plan.operations, `step-${scene.steps}`)
  scene.steps += 1
  if (scene.from === 'topic') await writePending(operationsIn(scene.client), wishes, scene.stop)
  await untilIdle(scene)

  const follower = new Follower(operationsIn(scene.client))
  const offer = offerOf(scene, plan, follower)
  const observer = new Observer(scene.counter, scene.members, () => offer.tally.accepted)
  const over = new AbortController()
  const stop = AbortSignal.any([over.signal, scene.stop])
  await observer.begin()
  const following = follower.watch(stop)
  try {
    const offering = offerAll(offer, wishes, plan, scene.stop)
    const last = await untilEnded(observer, offer, offering, scene)
    scene.unknown += offer.tally.unknown
    return stepOf({ plan, offer, samples: observer.samples, last, lateMsMax: await offering, follower })
  } finally {
    over.abort()
    await following
    await offer.close()
  }
}

function offerOf(scene: Scene, { operations, perSecond }: StepPlan, follower: Follower): Offer {
  const followedEvery = Math.ceil((perSecond ?? operations) / FOLLOWED_PER_SECOND)
  let count = 0
  const heard = (wish: Wish, acceptedAt: number, dueAt: number) => {
    scene.accepted.set(wish.operationId, wish)
    count += 1
    if (perSecond === null || count % followedEvery !== 0) return
    follower.follow(wish.operationId, scene.from === 'topic' ? dueAt : acceptedAt)
  }
  return scene.from === 'topic' ? offerToTopic(scene, heard) : offerAtDoor(scene.shop, heard)
}

/** Resolves with how late it was when all is offered and answered. */
async function offerAll(
  offer: Offer,
  wishes: readonly Wish[],
  { perSecond }: StepPlan,
  stop: AbortSignal,
): Promise<number> {
  const startedAt = performance.now()
  if (perSecond === null) {
    offer.send(wishes, () => startedAt)
    await offer.answered()
    return 0
  }
  const pace: Pace = { perSecond, count: wishes.length }
  const send = (first: number, end: number) =>
    offer.send(wishes.slice(first, end), (index) => startedAt + ((first + index) * 1000) / perSecond)
  const lateMs = await keepPace(pace, send, stop)
  await offer.answered()
  return lateMs
}

function stepOf(done: {
  plan: StepPlan
  offer: Offer
  samples: Sample[]
  last: Sample
  lateMsMax: number
  follower: Follower
}): Step {
  const { plan, offer, samples, last, lateMsMax, follower } = done
  const { accepted, refused, unknown, answerMs } = offer.tally
  const seen = samples.map((sample) => ({ ...sample, ended: endedIn(sample) }))
  const offered =
    plan.perSecond === null
      ? null
      : { perSecond: plan.perSecond, windowMs: (plan.operations * 1000) / plan.perSecond }
  const rate = offered === null ? null : rateFound(seen, offered)
  return {
    plan,
    accepted,
    refused,
    unknown,
    tookMs: last.atMs,
    rate,
    keepsUp: rate !== null && offered !== null && keepsUp(rate, offered),
    lateMsMax,
    answerMs: latencies(answerMs),
    endToEndMs: latencies(follower.tookMs),
    cpuSeconds: last.cpuSeconds,
    peakMb: perGroup((group) => Math.max(...samples.map(({ residentMb }) => residentMb[group]))),
    backlogMax: Math.max(...seen.map(({ accepted: promised, ended }) => promised - ended)),
    samples,
  }
}

function endedIn({ consumed }: Sample): number {
  return consumed[LAST_TOPIC] ?? 0
}
