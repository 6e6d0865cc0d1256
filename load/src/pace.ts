import { setTimeout as delay } from 'node:timers/promises'

/**
 * A fixed arrival rate that waits for nobody: an open model. A shop that is slow meets the same rate, and its slowness
 * shows as a backlog, where callers in a closed loop would have slowed down with it.
 */

/** Milliseconds between two looks at what is due: what is offered may be so much late. */
export const TICK_MS = 10

/** Who wait at once for an answer; more would only fill the memory of this process. */
const WAITING_MAX = 4000

export type Pace = { perSecond: number; count: number }

/** When the one with this index is due, in milliseconds after the start. */
export function dueAtMs({ perSecond }: Pace, index: number): number {
  return (index * 1000) / perSecond
}

/** How many are due so many milliseconds after the start. */
export function dueBy({ perSecond, count }: Pace, ms: number): number {
  return Math.min(count, Math.floor((ms * perSecond) / 1000) + 1)
}

/**
 * Calls `offer` with the range of those that have become due until all are offered, and returns by how many
 * milliseconds the worst was late: far above a tick, it was this process that could not keep up.
 */
export async function keepPace(
  pace: Pace,
  offer: (first: number, end: number) => void,
  stop: AbortSignal,
): Promise<number> {
  const startedAt = performance.now()
  let offered = 0
  let lateMsMax = 0
  while (offered < pace.count) {
    const ms = performance.now() - startedAt
    const due = dueBy(pace, ms)
    if (due > offered) {
      lateMsMax = Math.max(lateMsMax, ms - dueAtMs(pace, offered))
      offer(offered, due)
      offered = due
    }
    await delay(TICK_MS, undefined, { signal: stop })
  }
  return lateMsMax
}

/** Resolves when all have come in and are answered, with how late it was. Who finds too many waiting does not come in. */
export async function atRate(
  pace: Pace,
  one: (dueAt: number, index: number) => Promise<void>,
  stop: AbortSignal,
): Promise<number> {
  const startedAt = performance.now()
  const waiting = new Set<Promise<void>>()
  const offer = (first: number, end: number) => {
    for (let index = first; index < end && waiting.size < WAITING_MAX; index += 1) {
      const asked = one(startedAt + dueAtMs(pace, index), index).finally(() => waiting.delete(asked))
      waiting.add(asked)
    }
  }
  const lateMs = await keepPace(pace, offer, stop).catch((error) => {
    if (!stop.aborted) throw error
    return 0
  })
  await Promise.all(waiting)
  return lateMs
}
