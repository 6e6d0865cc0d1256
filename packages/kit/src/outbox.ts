import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection } from 'mongodb'
import type { Pending } from './aggregates.ts'
import type { Bus } from './bus.ts'
import { crashPoint } from './crash-point.ts'
import type { Outgoing } from './event.ts'
import type { MongoRow } from './mongo.ts'
import { Refusal } from './refusal.ts'
import type { Log } from './telemetry.ts'

/**
 * The outbox of an HTTP edge. A request has no broker behind it that would deliver it again, so what it has to tell
 * is written inside the document that it changes, in the same write. It is published at once; a crash in between
 * leaves it in the document, and a sweep publishes what has waited too long. A crash between publishing and
 * forgetting tells it twice, with the same id.
 */

/** Milliseconds that an event may wait before a sweep takes it: longer than a publish takes. */
const SWEEP_AFTER_MS = 3000
/** Milliseconds between sweeps while there is reason to look, and for how long there is; and otherwise. */
const SWEEP_EVERY_MS = 1000
const WATCHFUL_MS = 15_000
const SWEEP_SELDOM_MS = 10_000
/** Documents per sweep step. */
const SWEEP_MAX = 500
/** Posts on their way at once; more would only queue in the sidecar. */
const POSTS_MAX = 8
/** Milliseconds that a caller waits for one of them to be free. */
const ROOM_TIMEOUT_MS = 300

export type PendingRow = { id: string; outgoing: readonly Outgoing[] }

/** What a database has to offer for it. */
export type OutboxRows = {
  /** Rows with an event that has waited since before `before`, oldest first, at most `max`. */
  waiting: (before: Date, max: number) => Promise<readonly PendingRow[]>
  /** Forgets the events of these rows, if they still wait. */
  forget: (sent: readonly PendingRow[]) => Promise<void>
}

export type Outbox = {
  /** To be asked before anything is written. Throws a refusal while too much is on its way. */
  room: () => Promise<void>
  /**
   * Publishes and forgets, beside the caller. Nothing is thrown: what does not get through waits for the sweep.
   * `went` hears whether all got through.
   */
  post: (rows: readonly PendingRow[], went: (well: boolean) => void) => void
  /** Sweeps until `stop` fires. Any number of replicas may do so: the id makes the repeat harmless. */
  sweep: (stop: AbortSignal) => Promise<void>
  /** Resolves when nothing is on its way. */
  idle: () => Promise<void>
}

export function outboxOf(rows: OutboxRows, bus: Bus, log: Log, now: () => Date): Outbox {
  const onTheirWay = new Set<Promise<void>>()
  // A replica that has just started may stand where another fell; one that could not tell has something to repeat.
  let watchfulUntil = performance.now() + WATCHFUL_MS

  async function send(pending: readonly PendingRow[]): Promise<boolean> {
    try {
      const lost = await bus.publish(pending.flatMap(({ outgoing }) => outgoing))
      crashPoint('outbox.published')
      const sent = pending.filter(({ outgoing }) => !outgoing.some((one) => lost.has(one)))
      if (lost.size > 0) watchfulUntil = performance.now() + WATCHFUL_MS
      if (sent.length > 0) await rows.forget(sent)
      return sent.length === pending.length
    } catch (error) {
      watchfulUntil = performance.now() + WATCHFUL_MS
      log.warn({ err: error, rows: pending.length }, 'the outbox keeps what could not be told')
      return false
    }
  }

  /** Returns whether more may be waiting. */
  async function sweepStep(): Promise<boolean> {
    const waiting = await rows.waiting(new Date(now().getTime() - SWEEP_AFTER_MS), SWEEP_MAX)
    if (waiting.length === 0) return false
    crashPoint('outbox.found')
    const told = await send(waiting)
    log.info({ rows: waiting.length, told }, 'outbox swept')
    return told && waiting.length === SWEEP_MAX
  }

  async function sweepSafely(): Promise<boolean> {
    return sweepStep().catch((error) => {
      log.warn({ err: error }, 'outbox not swept')
      return false
    })
  }

  async function pause(stop: AbortSignal): Promise<void> {
    const ms = performance.now() < watchfulUntil ? SWEEP_EVERY_MS : SWEEP_SELDOM_MS
    await sleep(ms, undefined, { signal: stop }).catch(() => undefined)
  }

  return {
    async room() {
      if (onTheirWay.size < POSTS_MAX) return
      const late = AbortSignal.timeout(ROOM_TIMEOUT_MS)
      while (onTheirWay.size >= POSTS_MAX) {
        if (late.aborted) throw new Refusal('unavailable', 'the message broker is slow')
        await Promise.race([...onTheirWay, once(late, 'abort')])
      }
    },
    post(pending, went) {
      if (pending.length === 0) return
      const posted = send(pending)
        .then(went)
        .finally(() => onTheirWay.delete(posted))
      onTheirWay.add(posted)
    },
    async idle() {
      while (onTheirWay.size > 0) await Promise.all(onTheirWay)
    },
    async sweep(stop) {
      while (!stop.aborted) {
        const more = await sweepSafely()
        if (!more) await pause(stop)
      }
    },
  }
}

/** The sweep finds its rows by this; documents without an outbox are not in it. */
export const OUTBOX_INDEX = { key: { 'outbox.since': 1 as const }, name: 'outbox', sparse: true }

export function mongoOutbox<S>(collection: Collection<MongoRow<S>>): OutboxRows {
  return {
    async waiting(before, max) {
      const found = await collection
        .find({ 'outbox.since': { $lt: before } } as never)
        .sort({ 'outbox.since': 1 })
        .limit(max)
        .toArray()
      return found.map((row) => ({
        id: row._id,
        outgoing: (row.outbox ?? []).map(({ topic, event }: Pending) => ({ topic, event })),
      }))
    },

    async forget(sent) {
      const ids = sent.map(({ id }) => id)
      const events = sent.flatMap(({ outgoing }) => outgoing.map(({ event }) => event.id))
      await collection.updateMany(
        { _id: { $in: ids } } as never,
        {
          $pull: { outbox: { 'event.id': { $in: events } } },
        } as never,
      )
    },
  }
}
