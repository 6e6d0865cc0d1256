import type { Event, Outgoing } from './event.ts'
import type { Sidecar } from './sidecar.ts'
import type { Log, Metrics } from './telemetry.ts'

/** Events in one bulk publish, and their bytes: quoted once more, in the worst case, they fit the 4 MiB that the sidecar takes. */
const BATCH_MAX = 1000
const BATCH_BYTES_MAX = 1_900_000
/** Longer than the sidecar's own tries against a broker that is restarting would only hold a batch up. */
const PUBLISH_TIMEOUT_MS = 10_000
/** Characters of the sidecar's own words in a log line. */
const REASON_MAX = 300

export type Bus = {
  /** Publishes all and returns those that did not arrive for certain. Never throws: a caller decides per event. */
  publish: (outgoing: readonly Outgoing[], timeoutMs?: number) => Promise<Set<Outgoing>>
}

/**
 * The bus behind the sidecar. A topic's pub/sub component has the topic's name (components/), so a dead letter
 * travels by the component of the topic it came from. Events go as `text/plain` strings with `rawPayload`: the
 * sidecar then passes the bytes on instead of parsing and wrapping them. `component`: the one by which all of them travel.
 */
export function daprBus(sidecar: Sidecar, log: Log, metrics: Metrics, component?: string): Bus {
  async function publishBatch(
    topic: string,
    batch: readonly Entry[],
    timeoutMs: number,
  ): Promise<Outgoing[]> {
    const entries = batch.map(({ outgoing, text }, index) => ({
      entryId: String(index),
      event: text,
      contentType: 'text/plain',
      metadata: { partitionKey: outgoing.event.subject },
    }))
    const path = `/v1.0/publish/bulk/${component ?? componentOf(topic)}/${topic}?metadata.rawPayload=true`
    const { failed, reason } = await failedEntries(sidecar, path, JSON.stringify(entries), timeoutMs)
    const lost = failed === 'all' ? batch : batch.filter((_, index) => failed.has(String(index)))
    metrics.published.inc({ topic, outcome: 'sent' }, batch.length - lost.length)
    if (lost.length > 0) {
      metrics.published.inc({ topic, outcome: 'failed' }, lost.length)
      log.warn({ topic, failed: lost.length, of: batch.length, reason }, 'publish failed')
    }
    return lost.map(({ outgoing }) => outgoing)
  }

  return {
    async publish(outgoing, timeoutMs = PUBLISH_TIMEOUT_MS) {
      const topics = [...Map.groupBy(outgoing, ({ topic }) => topic)]
      const lost = await Promise.all(
        topics.map(async ([topic, events]) => {
          // One after the other: batches in parallel could overtake each other within one aggregate.
          const lostHere: Outgoing[] = []
          for (const batch of inBatches(events))
            lostHere.push(...(await publishBatch(topic, batch, timeoutMs)))
          return lostHere
        }),
      )
      return new Set(lost.flat())
    },
  }
}

type Entry = { outgoing: Outgoing; text: string }

function inBatches(events: readonly Outgoing[]): Entry[][] {
  const batches: Entry[][] = []
  let bytes = 0
  for (const outgoing of events) {
    const text = JSON.stringify(outgoing.event satisfies Event)
    bytes += Buffer.byteLength(text)
    const last = batches.at(-1)
    if (last === undefined || last.length === BATCH_MAX || bytes > BATCH_BYTES_MAX) {
      batches.push([{ outgoing, text }])
      bytes = Buffer.byteLength(text)
    } else {
      last.push({ outgoing, text })
    }
  }
  return batches
}

type Answer = { failed: 'all' | ReadonlySet<string>; reason?: string }

/** What the sidecar says did not arrive. No answer and an answer without a list both mean: none did for certain. */
async function failedEntries(
  sidecar: Sidecar,
  path: string,
  body: string,
  timeoutMs: number,
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  try {
    const response = await sidecar.send({ method: 'POST', path, headers, body, timeoutMs })
    if (response.status === 204 || response.status === 200) return { failed: new Set() }
    return readFailures(response.body.toString())
  } catch (error) {
    return { failed: 'all', reason: String(error) }
  }
}

function readFailures(text: string): Answer {
  const { failedEntries } = JSON.parse(text) as { failedEntries?: { entryId: string; error?: string }[] }
  if (failedEntries === undefined) return { failed: 'all', reason: text.slice(0, REASON_MAX) }
  const reason = failedEntries[0]?.error ?? text.slice(0, REASON_MAX)
  return { failed: new Set(failedEntries.map(({ entryId }) => entryId)), reason }
}

function componentOf(topic: string): string {
  return topic.replace(/\.(dead|probe)$/, '')
}
