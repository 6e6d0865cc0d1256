import express, { type Express } from 'express'
import type { ZodType } from 'zod'
import type { Bus } from './bus.ts'
import { crashPoint } from './crash-point.ts'
import { deadLetter, isQuarantine } from './dead-letter.ts'
import type { Event, EventContract, Outgoing } from './event.ts'
import { parse, Refusal } from './refusal.ts'
import type { Log, Metrics } from './telemetry.ts'
import { continueTrace, traceIdOf } from './trace.ts'

/**
 * How a message is handled: at-least-once in, exactly-once in effect.
 *
 * The sidecar delivers a batch. Each entry is read (or found to be poison), the service handles all of them at once
 * and writes what it decided, then everything it has to tell is published, and only then is the batch answered.
 * A crash on any line brings the batch back, and because effects are keyed by ids the repeat changes nothing and
 * tells the same. So redelivery is the outbox of a consumer.
 *
 * The HTTP answer is always 200 with a status per entry: the sidecar reads HTTP codes its own way, and drops a
 * message that was answered with 404.
 */

/** Messages in one batch at most. The sidecar's own default is 80. */
const BATCH_MAX = 1000
/** Far above what a sidecar gathers within the wait: a batch that is refused would come for ever. */
const BODY_MAX = '180mb'
/** A quiet shop shows each message; a busy one a line per batch. */
const LOGGED_ONE_BY_ONE_MAX = 5

/** What became of one message. */
export type Result =
  | { outcome: 'done'; tell: readonly Outgoing[] }
  /** Not now: deliver it again. */
  | { outcome: 'again' }
  /** Never: it cannot be right, so it goes to the dead letters. */
  | { outcome: 'dead'; reason: string }

export type Subscription<D = unknown> = {
  topic: string
  /** Pub/sub component that brings it; by itself the one with the name of the topic. */
  component?: string
  schema: ZodType<Event<D>>
  /** One result per event, in their order. Throwing means: all again. Must be idempotent. */
  handle: (events: readonly Event<D>[]) => Promise<readonly Result[]>
}

/** Binds what is heard to what is done about it. */
export function on<D>(heard: EventContract<D>, handle: Subscription<D>['handle']): Subscription {
  return { topic: heard.topic, schema: heard.schema, handle: handle as Subscription['handle'] }
}

/** One entry of a bulk delivery with `rawPayload`: the record's bytes as base64, whatever they are; none for an empty record. */
export type Entry = { entryId: string; event?: string | null; metadata?: Record<string, string> | null }
export type Status = { entryId: string; status: 'SUCCESS' | 'RETRY' }

export type InboxParts = {
  appId: string
  bus: Bus
  log: Log
  metrics: Metrics
  now: () => Date
  /** How long the sidecar waits for a batch to grow. What is right depends on the sidecar: docs/dapr-notes.md. */
  batchWaitMs: number
}

/** Tells the sidecar what this app hears and adds one route per topic. Call it before any other body parser. */
export function subscribe(app: Express, parts: InboxParts, subscriptions: readonly Subscription[]): void {
  app.get('/dapr/subscribe', (_request, response) => {
    response.json(subscriptions.map((subscription) => subscriptionOf(subscription, parts.batchWaitMs)))
  })

  for (const subscription of subscriptions) {
    const { topic } = subscription
    app.post(
      `/events/${topic}`,
      express.json({ limit: BODY_MAX, type: () => true }),
      async (request, response) => {
        const { entries } = request.body as { entries: Entry[] }
        const stop = parts.metrics.batchSeconds.startTimer({ topic })
        response.json({ statuses: await receive(parts, subscription, entries) })
        stop()
      },
    )
  }
}

function subscriptionOf({ topic, component = topic }: Subscription, batchWaitMs: number) {
  return {
    pubsubname: component,
    topic,
    route: `/events/${topic}`,
    metadata: { rawPayload: 'true' },
    bulkSubscribe: { enabled: true, maxMessagesCount: BATCH_MAX, maxAwaitDurationMs: batchWaitMs },
  }
}

/** One batch, from the sidecar's entries to the status of each. */
export async function receive(
  parts: InboxParts,
  { topic, schema, handle }: Subscription,
  entries: readonly Entry[],
): Promise<Status[]> {
  crashPoint('inbox.received')
  const letters = entries.map((entry) => open(entry, schema))
  const readable = letters.filter((letter) => letter.event !== undefined)
  const results = await handled(parts, topic, handle, readable)
  crashPoint('inbox.handled')

  const outgoing = letters.map((letter) => {
    const result = results.get(letter) ?? { outcome: 'dead', reason: letter.reason ?? 'unreadable' }
    return { letter, result, tell: toTell(parts, topic, letter, result) }
  })
  const lost = await parts.bus.publish(outgoing.flatMap(({ tell }) => tell))
  crashPoint('inbox.published')

  const outcomes = outgoing.map(({ letter, result, tell }) => {
    const outcome = tell.some((one) => lost.has(one)) ? 'again' : result.outcome
    return { letter, result, outcome }
  })
  account(parts, topic, outcomes)
  return outcomes.map(({ letter, outcome }) => ({
    entryId: letter.entry.entryId,
    status: outcome === 'again' ? 'RETRY' : 'SUCCESS',
  }))
}

/** An entry and what was found in it. */
type Letter = { entry: Entry; event?: Event; reason?: string }

function open(entry: Entry, schema: ZodType<Event>): Letter {
  try {
    return {
      entry,
      event: parse(schema, JSON.parse(Buffer.from(entry.event ?? '', 'base64').toString('utf8'))),
    }
  } catch (error) {
    if (error instanceof Refusal) return { entry, reason: error.message }
    return { entry, reason: 'not JSON' }
  }
}

async function handled(
  { log }: InboxParts,
  topic: string,
  handle: Subscription['handle'],
  letters: readonly Letter[],
): Promise<Map<Letter, Result>> {
  if (letters.length === 0) return new Map()
  try {
    const results = await handle(letters.map(({ event }) => event as Event))
    return new Map(letters.map((letter, index) => [letter, results[index] ?? { outcome: 'again' }]))
  } catch (error) {
    log.error({ err: error, topic, batch: letters.length }, 'a batch failed and will come again')
    return new Map(letters.map((letter) => [letter, { outcome: 'again' }]))
  }
}

/** What has to be in Kafka before the message may be acknowledged. */
function toTell(parts: InboxParts, topic: string, letter: Letter, result: Result): Outgoing[] {
  if (result.outcome === 'again') return []
  if (result.outcome === 'dead') {
    // It is put aside already, and stays where it is: a quarantine has none of its own.
    if (isQuarantine(topic)) return []
    return [
      deadLetter({ topic, listener: parts.appId, reason: result.reason, at: parts.now(), ...letter.entry }),
    ]
  }
  return result.tell.map((outgoing) => ({
    ...outgoing,
    event: { ...outgoing.event, traceparent: continueTrace(letter.event?.traceparent) },
  }))
}

type Account = { letter: Letter; result: Result; outcome: Result['outcome'] }

function account(parts: InboxParts, topic: string, accounts: readonly Account[]): void {
  const { log, metrics } = parts
  metrics.batchSize.observe({ topic }, accounts.length)
  const count = { done: 0, again: 0, dead: 0 }
  for (const { outcome } of accounts) count[outcome] += 1
  for (const outcome of ['done', 'again', 'dead'] as const) {
    if (count[outcome] > 0) metrics.messages.inc({ topic, outcome }, count[outcome])
  }

  const level = accounts.length <= LOGGED_ONE_BY_ONE_MAX ? 'info' : 'debug'
  if (level === 'debug') {
    log.info({ topic, ...count, trace: traceIdOf(accounts[0]?.letter.event?.traceparent) }, 'batch')
  }
  if (level === 'info' || count.dead > 0 || log.isLevelEnabled('debug')) {
    for (const one of accounts) note(log, topic, level, one)
  }
}

function note(log: Log, topic: string, level: 'info' | 'debug', { letter, result, outcome }: Account): void {
  if (result.outcome === 'dead') {
    const { __partition: partition, __offset: offset } = letter.entry.metadata ?? {}
    log.warn({ topic, partition, offset, reason: result.reason }, 'dead letter')
    return
  }
  const { data, traceparent } = letter.event ?? {}
  log[level]({ topic, ...idsIn(data), trace: traceIdOf(traceparent), outcome }, 'handled')
}

/** What an operator would search for: `operationId`, `userId` and their like. */
function idsIn(data: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data ?? {}).filter(([name]) => name.endsWith('Id')))
}
