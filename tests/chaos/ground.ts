import { setTimeout as delay } from 'node:timers/promises'
import type { Process } from '@tideshop/run/process'
import type { Shop } from '@tideshop/run/shop'
import type { Target } from './fault.ts'

/** What every fault needs, and what it has to tell. */
export type Ground = {
  shop: Shop
  turns: Turns
  /** Ends what lasts: it is made good at once. */
  signal: AbortSignal
  /** Called when the next fault may come although this one is not over. */
  goOn: () => void
  /** Told when a process that was killed is to come back; recovery counts from here. */
  killed: (process: Process, part: Target['part']) => void
  /** Told when what all stand on is to come back after it was held down. */
  allowed: () => void
  /** A value that is put into a topic and can never be handled. */
  poisoned: (value: string) => void
}

/** The broker or the database may be away on purpose; Kubernetes would try for ever. */
const PERSIST_MS = 60_000
const TRY_EVERY_MS = 500

/** Tries again until it succeeds, a minute is over or the run is given up. */
export async function persist<T>({ signal }: Pick<Ground, 'signal'>, act: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PERSIST_MS
  while (true) {
    try {
      return await act()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(TRY_EVERY_MS, undefined, { signal })
    }
  }
}

/**
 * One fault at a time for each process. A schedule sees to that by its own clock, but does not know how long a start
 * takes: who comes while another is at work waits until the process is well again.
 */
export class Turns {
  readonly #last = new WeakMap<Process, Promise<unknown>>()

  /** Places are given out at once, for all processes together, so that no two can wait for each other. */
  take<T>(processes: readonly Process[], act: () => Promise<T>): Promise<T> {
    const before = processes.map((process) => this.#last.get(process))
    const mine = Promise.allSettled(before).then(act)
    for (const process of processes) this.#last.set(process, mine)
    return mine
  }
}
