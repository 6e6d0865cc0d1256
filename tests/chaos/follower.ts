import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import type { Target } from './fault.ts'

/**
 * Follows every promise to its end while the shop is being hit, and so knows how long it took to recover: from a kill
 * until an operation ended that was promised after it. What was held down counts from the moment that it is started
 * again; and where that is the broker or the database, so does whoever was killed before and has not recovered: until
 * then nobody could.
 */

const LOOK_EVERY_MS = 100
/** Operations looked up at once: the newest, since they tell first that the shop is well again. */
const LOOKED_UP_MAX = 2000
/** A database that is away is asked again soon. */
const ANSWER_TIMEOUT_MS = 1500

export type Recovery = {
  /** The process, and which part of a shop it is. */
  what: string
  part: Target['part']
  killedAt: Date
  /** Later than the kill where the shop was not allowed to recover at once. */
  countedFrom: Date
  /** Null: it never did. */
  tookMs: number | null
  /** Other faults of processes that were under way in that time, and may have made it longer. */
  beside: string[]
}

export class Follower {
  readonly recoveries: Recovery[] = []
  accepted = 0
  ended = 0
  readonly #open = new Map<string, number>()
  readonly #client: MongoClient
  readonly #underWay = new Set<string>()

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
    this.#open.set(uuid, Date.now())
  }

  /** `by` is the fault, which is not beside itself. */
  killed(what: string, part: Target['part'], by: string): void {
    const beside = [...this.#underWay].filter((one) => one !== by)
    const killedAt = new Date()
    this.recoveries.push({ what, part, killedAt, countedFrom: killedAt, tookMs: null, beside })
  }

  /** The broker or the database was held down, and is to come back now. */
  allowed(): void {
    for (const recovery of this.recoveries) if (recovery.tookMs === null) recovery.countedFrom = new Date()
  }

  /** A fault that may be in the way of recoveries, until what is returned is called. */
  began(fault: string): () => void {
    for (const { tookMs, beside } of this.recoveries) if (tookMs === null) beside.push(fault)
    this.#underWay.add(fault)
    return () => this.#underWay.delete(fault)
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
      const from = recovery.countedFrom.getTime()
      if (recovery.tookMs === null && acceptedAt > from) recovery.tookMs = Date.now() - from
    }
  }
}
