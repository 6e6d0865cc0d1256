import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Ports } from '@tideshop/run/dapr-yaml'
import type { Process } from '@tideshop/run/process'
import { type Changes, type KafkaGround, serve } from './ground.ts'

/*
 * A tiny app that hears one topic and answers as the trap needs.
 */

const ROUTE = '/heard'

/** How long the sidecar gathers a batch; what stands in the topic when it comes is one. */
const GATHER_MS = 300

/** An HTTP status, or for a bulk delivery a word for each entry. */
export type Verdict = number | readonly ('SUCCESS' | 'RETRY')[]

export type Delivery = { texts: string[]; body: unknown }

export type ListenerPlan = {
  /** Default false; `by default` leaves the size and the wait to the sidecar. */
  bulk?: boolean | 'by default'
  /** Default true, as everywhere in the shop. */
  rawPayload?: boolean
  deadLetterTopic?: string
  /** To the shop's component. */
  changes?: Changes
  /** To the `nth` delivery, from 1. Default: accepts everything. */
  answer?: (texts: string[], nth: number) => Verdict
}

export type Listener = {
  /** Each delivery, in the order in which they came. */
  heard: Delivery[]
  /** All that was in them. */
  texts(): string[]
  sidecar: Process
  ports: Ports
}

export async function listen(ground: KafkaGround, topic: string, plan: ListenerPlan = {}): Promise<Listener> {
  const heard: Delivery[] = []
  const ports = await ground.ports()
  await serve(ports.appPort, async (request, response) => {
    if (request.url === '/dapr/subscribe') return say(response, 200, [subscription(topic, plan)])
    if (request.url !== ROUTE) return say(response, 404, {})
    const delivery = read(await text(request), plan)
    heard.push(delivery)
    answer(response, delivery, plan.answer?.(delivery.texts, heard.length) ?? 200)
  })

  const components = [ground.component(topic, plan.changes)]
  const sidecar = await ground.startSidecar({ appId: topic, ports, components })
  return { heard, texts: () => heard.flatMap(({ texts }) => texts), sidecar, ports }
}

function subscription(topic: string, { bulk = false, rawPayload = true, deadLetterTopic }: ListenerPlan) {
  const enabled = { enabled: true }
  return {
    pubsubname: topic,
    topic,
    route: ROUTE,
    metadata: { rawPayload: String(rawPayload) },
    ...(deadLetterTopic !== undefined && { deadLetterTopic }),
    ...(bulk === true && {
      bulkSubscribe: { ...enabled, maxMessagesCount: 1000, maxAwaitDurationMs: GATHER_MS },
    }),
    ...(bulk === 'by default' && { bulkSubscribe: enabled }),
  }
}

type Entry = { entryId: string; event: unknown }

function read(body: string, { bulk = false, rawPayload = true }: ListenerPlan): Delivery {
  const document = JSON.parse(body)
  if (!bulk) return { body: document, texts: [rawPayload ? fromBase64(document.data_base64) : body] }
  const entries = document.entries as Entry[]
  const texts = entries.map(({ event }) => (rawPayload ? fromBase64(event) : JSON.stringify(event)))
  return { body: document, texts }
}

function fromBase64(value: unknown): string {
  return Buffer.from(String(value), 'base64').toString('utf8')
}

function answer(response: ServerResponse, { body }: Delivery, verdict: Verdict): void {
  if (verdict !== 200 && typeof verdict === 'number') {
    say(response, verdict, {})
    return
  }
  const { entries = [] } = body as { entries?: Entry[] }
  const words = verdict === 200 ? entries.map(() => 'SUCCESS') : verdict
  say(response, 200, { statuses: entries.map(({ entryId }, index) => ({ entryId, status: words[index] })) })
}

function say(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
