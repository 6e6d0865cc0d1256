import { slopeOf } from './statistics.ts'

/** What a shop did with a fixed rate. Pure, so that the judgement can be tested without a shop. */

/** `ended` and `accepted` count from the beginning of the step. */
export type Seen = { atMs: number; accepted: number; ended: number }

export type Offered = { perSecond: number; windowMs: number }

export type RateFound = {
  /** Operations ended per second, without the first quarter of the window: the first ones are still on their way. */
  endedPerSecond: number
  acceptedPerSecond: number
  /** By how many operations the backlog grew per second. */
  backlogGrowsPerSecond: number
  /** Accepted and not ended when the last was offered. */
  backlog: number
}

/** Parts of the window that are not judged, since the shop is only filling. */
const FILLING = 0.25
/** A shop keeps up when it ends this part of what is offered, */
const KEPT_UP = 0.95
/** and when its backlog grows by less than this part of what is offered, */
const GROWTH_MAX = 0.05
/** and holds no more than what is offered in so many seconds. */
const BACKLOG_S_MAX = 1

export function rateFound(seen: readonly Seen[], { windowMs }: Offered): RateFound {
  const from = windowMs * FILLING
  const within = seen.filter(({ atMs }) => atMs >= from && atMs <= windowMs)
  const points = within.map(({ atMs, accepted, ended }) => ({ at: atMs / 1000, value: accepted - ended }))
  const rateOf = (count: (one: Seen) => number) =>
    ((countAt(seen, windowMs, count) - countAt(seen, from, count)) * 1000) / (windowMs - from)
  return {
    endedPerSecond: rateOf(({ ended }) => ended),
    acceptedPerSecond: rateOf(({ accepted }) => accepted),
    backlogGrowsPerSecond: slopeOf(points),
    backlog: countAt(seen, windowMs, ({ accepted, ended }) => accepted - ended),
  }
}

export function keepsUp(found: RateFound, { perSecond }: Offered): boolean {
  return (
    found.endedPerSecond >= KEPT_UP * perSecond &&
    found.backlogGrowsPerSecond <= GROWTH_MAX * perSecond &&
    found.backlog <= BACKLOG_S_MAX * perSecond
  )
}

/** Between two looks the count is taken to grow evenly. */
export function countAt(seen: readonly Seen[], atMs: number, count: (one: Seen) => number): number {
  const after = seen.findIndex((one) => one.atMs >= atMs)
  const next = seen[after]
  if (next === undefined) {
    const last = seen.at(-1)
    return last === undefined ? 0 : count(last)
  }
  const before = seen[after - 1] ?? { atMs: 0, accepted: 0, ended: 0 }
  const part = next.atMs === before.atMs ? 1 : (atMs - before.atMs) / (next.atMs - before.atMs)
  return count(before) + (count(next) - count(before)) * part
}
