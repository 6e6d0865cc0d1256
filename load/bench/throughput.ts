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
/** A shop keeps up when it ends all but this part of what is offered, and its backlog grows by no more than that, */
const BEHIND_MAX = 0.05
/** or by what is offered in so many seconds: in a short step one batch more or less is not a trend. */
const JITTER_S = 0.25
/** And at the end of the window no more is open than what is offered in so many seconds. */
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

export function keepsUp(found: RateFound, { perSecond, windowMs }: Offered): boolean {
  const judgedSeconds = (windowMs * (1 - FILLING)) / 1000
  const behindMax = perSecond * Math.max(BEHIND_MAX, JITTER_S / judgedSeconds)
  return (
    found.endedPerSecond >= perSecond - behindMax &&
    found.backlogGrowsPerSecond <= behindMax &&
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
