import { setTimeout as delay } from 'node:timers/promises'
import type { Collection } from 'mongodb'
import type { StoredOperation } from './wishes.ts'

/**
 * Follows some of the operations to their end, by looking into the store: the time that it finds is at most one
 * `LOOK_EVERY_MS` and the look itself too long, never too short. A look asks for the oldest that are open, and for
 * few of them, so that looking costs the database next to nothing: operations end about in the order they came.
 */
export const LOOK_EVERY_MS = 20
const LOOKED_UP_MAX = 50

export class Follower {
  /** Milliseconds from begin to end of those that have ended. */
  readonly tookMs: number[] = []
  readonly #open = new Map<string, number>()
  readonly #collection: Collection<StoredOperation>

  constructor(collection: Collection<StoredOperation>) {
    this.#collection = collection
  }

  /** `beganAt` is a time of `performance.now()`. */
  follow(operationId: string, beganAt: number): void {
    this.#open.set(operationId, beganAt)
  }

  /** Until `stop` fires. */
  async watch(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#look()
      await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const ids = firstOf(this.#open.keys(), LOOKED_UP_MAX)
    if (ids.length === 0) return
    const found = this.#collection.find({ _id: { $in: ids } }, { projection: { 'body.status': 1 } })
    const rows = await found.toArray()
    const at = performance.now()
    for (const { _id, body } of rows) {
      if (body.status === 'pending') continue
      this.tookMs.push(at - (this.#open.get(_id) ?? at))
      this.#open.delete(_id)
    }
  }
}

function firstOf(ids: Iterable<string>, max: number): string[] {
  const first: string[] = []
  for (const id of ids) {
    if (first.length === max) break
    first.push(id)
  }
  return first
}
