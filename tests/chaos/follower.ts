import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'

/**
 * Follows every promise to its end while the shop is being hit, and so knows how long it took to recover: from a kill
 * until an operation ended that was promised after it.
 */

const LOOK_EVERY_MS = 100
/** Operations looked up at once: the newest, since they tell first that the shop is well again. */
const LOOKED_UP_MAX = 2000
/** A database that is away is asked again soon. */
const ANSWER_TIMEOUT_MS = 1500

export type Recovery = { what: string; at: number; tookMs: number | null }

export class Follower {
  readonly recoveries: Recovery[] = []
  accepted = 0
  ended = 0
  readonly #open = new Map<string, number>()
  readonly #client: MongoClient

  constructor(mongodbUri: string) {
    this.#client = new MongoClient(mongodbUri, {
      serverSelectionTimeoutMS: ANSWER_TIMEOUT_MS,
      connectTimeoutMS: ANSWER_TIMEOUT_MS,
      socketTimeoutMS: ANSWER_TIMEOUT_MS,
    })
  }

  get open(): number {
    return this.#open.size
  }

  promised(uuid: string): void {
    this.accepted += 1
    this.#open.set(uuid, performance.now())
  }

  killed(what: string): void {
    this.recoveries.push({ what, at: performance.now(), tookMs: null })
  }

  /** Until `stop` fires. */
  async follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      // What cannot be looked up now has not ended for anybody.
      await this.#look().catch(() => undefined)
      await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
    await this.#client.close()
  }

  async #look(): Promise<void> {
    const uuids = [...this.#open.keys()].slice(-LOOKED_UP_MAX)
    if (uuids.length === 0) return
    const operations = this.#client
      .db('operations')
      .collection<{ _id: string; body: { status: string } }>('operations')
    const rows = await operations
      .find({ _id: { $in: uuids } }, { projection: { 'body.status': 1 } })
      .toArray()
    for (const { _id, body } of rows) if (body.status !== 'pending') this.#end(_id)
  }

  #end(uuid: string): void {
    const acceptedAt = this.#open.get(uuid) ?? 0
    if (!this.#open.delete(uuid)) return
    this.ended += 1
    for (const recovery of this.recoveries) {
      if (recovery.tookMs === null && acceptedAt > recovery.at) {
        recovery.tookMs = Math.round(performance.now() - recovery.at)
      }
    }
  }
}
