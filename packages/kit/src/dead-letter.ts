import { z } from 'zod'
import type { Event, Outgoing } from './event.ts'

/**
 * A message that can never be handled. Its topic `<topic>.dead` is the quarantine: durable, in order, and readable
 * without the service (`pnpm dead list`). The payload is kept byte for byte, so that a redrive puts back what came.
 */
const place = { topic: z.string(), partition: z.int(), offset: z.string() }

export const deadLetterData = z.object({
  ...place,
  /** Null when the record had no key. */
  key: z.string().nullable(),
  /** App-id of the service that could not handle it. */
  listener: z.string(),
  reason: z.string(),
  /** The record's value, base64; null when it is too large to be copied, and then it is read where it lies. */
  payload: z.string().nullable(),
})
export type DeadLetter = z.infer<typeof deadLetterData>

/** Where a record stood: what a letter is about, and all that tells it from the others. */
export type DeadPlace = Pick<DeadLetter, 'topic' | 'partition' | 'offset'>

export const becomes = z.enum(['redriven', 'discarded'])
export type Becomes = z.infer<typeof becomes>

/**
 * Stands in the quarantine behind the letters that it is about: the one who put it back, or gave it up, has done so. A log cannot
 * lose a record from its middle, so this is what tells an open letter from one that is settled, to everybody who reads.
 */
export const deadLetterSettled = z.object({ ...place, became: becomes })
export type DeadLetterSettled = z.infer<typeof deadLetterSettled>

/** What stands in `data` of anything in a quarantine. */
export const quarantineData = z.union([deadLetterData, deadLetterSettled])
export type QuarantineData = z.infer<typeof quarantineData>

/** A reason can quote a whole document; this much of it is enough to understand. Characters. */
const REASON_MAX = 500

/** Characters of base64 that fit into one record beside the rest. */
const PAYLOAD_MAX = 700_000

/** The quarantine of a topic. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead`
}

export function isQuarantine(topic: string): boolean {
  return topic.endsWith('.dead')
}

/** The same for all letters about one record: a batch that came twice leaves two. */
export function deadPlace({ topic, partition, offset }: DeadPlace): string {
  return `${topic}/${partition}/${offset}`
}

/** `metadata` is what the sidecar's Kafka component adds to each entry. */
export function deadLetter(found: {
  topic: string
  listener: string
  reason: string
  at: Date
  event?: string | null
  metadata?: Record<string, string> | null
}): Outgoing {
  const { topic, listener, reason, at, event, metadata } = found
  const payload = (event ?? '').length <= PAYLOAD_MAX ? (event ?? '') : null
  const partition = Number(metadata?.['__partition'] ?? -1)
  const offset = metadata?.['__offset'] ?? ''
  const key = metadata?.['__key'] ?? null
  const quarantine = deadLetterTopic(topic)
  const subject = deadPlace({ topic, partition, offset })
  const data: DeadLetter = {
    topic,
    partition,
    offset,
    key,
    listener,
    reason: reason.slice(0, REASON_MAX),
    payload,
  }
  return {
    topic: quarantine,
    event: {
      specversion: '1.0',
      id: `${subject}:1`,
      source: listener,
      type: `${quarantine}.v1`,
      subject,
      time: at.toISOString(),
      data,
    },
  }
}

/** `source`: whoever settled it. */
export function letterSettled(
  { topic, partition, offset }: DeadPlace,
  became: Becomes,
  source: string,
  at: Date,
): { topic: string; event: Event<DeadLetterSettled> } {
  const quarantine = deadLetterTopic(topic)
  const subject = deadPlace({ topic, partition, offset })
  return {
    topic: quarantine,
    event: {
      specversion: '1.0',
      id: `${subject}:${became}`,
      source,
      type: `${quarantine}.settled.v1`,
      subject,
      time: at.toISOString(),
      data: { topic, partition, offset, became },
    },
  }
}
