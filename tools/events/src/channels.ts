import { events } from '@tideshop/contracts/events'
import { DOWNSTREAM_QUEUE, INVOICE_QUEUE, invoiceIssued, issueInvoice } from '@tideshop/contracts/invoices'
import { topics } from '@tideshop/contracts/topics'
import { deadJob, deadJobs } from '@tideshop/kit/binding'
import { deadLetterData, deadLetterSettled, deadLetterTopic } from '@tideshop/kit/dead-letter'
import { z } from 'zod'

/** A place where something is said, as docs/events.md and docs/asyncapi.yaml show it. */
export type Channel = {
  /** Of the topic or the queue. */
  name: string
  server: 'kafka' | 'rabbitmq'
  /** App-ids; nobody where it leaves the shop, or waits for an operator. */
  tellers: readonly string[]
  listener: string | null
  /** Of what is said, with its version. */
  type: string
  summary: string
  /** JSON Schema of the message: on a topic of what stands in `data` of its CloudEvents envelope. */
  schema: JsonSchema
  /** Said in the same place of what stands there. */
  reply?: Pick<Channel, 'tellers' | 'type' | 'summary' | 'schema'>
}

export type JsonSchema = {
  /** Several where it may be null. */
  type?: string | readonly string[]
  const?: unknown
  enum?: readonly unknown[]
  format?: string
  pattern?: string
  description?: string
  properties?: Record<string, JsonSchema>
  required?: readonly string[]
  items?: JsonSchema
  oneOf?: readonly JsonSchema[]
  anyOf?: readonly JsonSchema[]
}

/** All topics and queues of the shop, each kind in the order in which it is used. */
export function channels(): Channel[] {
  return [...topicChannels(), ...queueChannels(), ...quarantines()]
}

function topicChannels(): Channel[] {
  return events.map(({ topic, source, type, summary, schema }) => ({
    name: topic,
    server: 'kafka',
    tellers: [source],
    listener: listenerOf(topic),
    type,
    summary,
    schema: schemaOf(schema).properties?.['data'] ?? {},
  }))
}

function queueChannels(): Channel[] {
  return [
    {
      name: INVOICE_QUEUE,
      server: 'rabbitmq',
      tellers: ['orders'],
      listener: 'invoices',
      type: issueInvoice.shape.type.value,
      summary: 'Asks for the invoice of an order. It may be asked again: an order has one invoice.',
      schema: schemaOf(issueInvoice),
    },
    {
      name: DOWNSTREAM_QUEUE,
      server: 'rabbitmq',
      tellers: ['invoices'],
      listener: null,
      type: invoiceIssued.shape.type.value,
      summary: 'An invoice was written. It may be said several times, with the same id.',
      schema: schemaOf(invoiceIssued),
    },
  ]
}

function quarantines(): Channel[] {
  return [
    ...topics.map(({ name, listener }) => ({
      name: deadLetterTopic(name),
      server: 'kafka' as const,
      tellers: [listener],
      listener: 'jobs',
      type: `${deadLetterTopic(name)}.v1`,
      summary: `What ${listener} could never handle of ${name}, with the reason. It waits for an operator.`,
      schema: schemaOf(deadLetterData),
      reply: {
        tellers: ['jobs', 'dead'],
        type: `${deadLetterTopic(name)}.settled.v1`,
        summary: 'It was put back, or given up: at the door (jobs), or by pnpm dead.',
        schema: schemaOf(deadLetterSettled),
      },
    })),
    {
      name: deadJobs(INVOICE_QUEUE),
      server: 'rabbitmq',
      tellers: ['invoices'],
      listener: null,
      type: deadJobs(INVOICE_QUEUE),
      summary: 'What invoices could never do, with the reason. It waits for an operator.',
      schema: schemaOf(deadJob),
    },
  ]
}

function listenerOf(topic: string): string {
  const found = topics.find(({ name }) => name === topic)
  if (found === undefined) throw new Error(`nobody hears ${topic}: add it to contracts/src/topics.ts`)
  return found.listener
}

function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return readable(rest as JsonSchema)
}

/** Where a format says what is meant, its pattern is only long. */
function readable(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    if (typeof value?.format !== 'string') return value
    const { pattern: __, ...rest } = value
    return rest
  })
}
