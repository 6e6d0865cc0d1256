import { type ZodType, z } from 'zod'

/**
 * What stands in Kafka: a CloudEvents 1.0 envelope, written by us and passed through untouched by the sidecar.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
export type Event<D = unknown> = {
  specversion: '1.0'
  /** `<subject>:<version of the aggregate>`. With `source` unique; a repeat of the same fact carries the same id. */
  id: string
  /** App-id of the speaker. */
  source: string
  /** What happened and the version of its shape, as in `user-create.v1`. */
  type: string
  /** Id of the aggregate it is about, which is also its partition key: facts about one thing stay in order. */
  subject: string
  /** When it happened, UTC, ISO 8601. */
  time: string
  /** W3C trace context of what caused it. */
  traceparent?: string | undefined
  data: D
}

/** An event on its way to a topic. */
export type Outgoing = { topic: string; event: Event }

/** What one speaker says on one topic: its name, its shape, and how to say it. */
export type EventContract<D> = {
  topic: string
  source: string
  type: string
  /** What is said with it, in words for people: docs/events.md shows them. */
  summary: string
  schema: ZodType<Event<D>>
  /** The event for version `version` of aggregate `subject`, ready for the bus. */
  tell: (fact: { subject: string; version: number; time: string; data: D }) => Outgoing
}

export function defineEvent<D>(said: {
  topic: string
  source: string
  version: number
  summary: string
  data: ZodType<D>
}): EventContract<D> {
  const { topic, source, summary } = said
  const type = `${topic}.v${said.version}`
  const schema = z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).max(200),
    source: z.literal(source),
    type: z.literal(type),
    subject: z.string().min(1).max(100),
    time: z.iso.datetime(),
    // Not checked further: a bad trace must never cost a message (dapr 1.18.3 fixed a crash on just that).
    traceparent: z.string().optional().catch(undefined),
    data: said.data,
  })
  return {
    topic,
    source,
    type,
    summary,
    schema,
    tell: ({ subject, version, time, data }) => ({
      topic,
      event: { specversion: '1.0', id: `${subject}:${version}`, source, type, subject, time, data },
    }),
  }
}
