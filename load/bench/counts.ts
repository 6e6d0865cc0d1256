import { Consumer, type Offsets } from '@platformatic/kafka'
import { SAGA_TOPICS, type Shop } from '@tideshop/run/shop'
import { Pool } from 'undici'

/**
 * How many events were produced to and consumed from each topic. Produced: the sum of Kafka's end offsets, one
 * question to the broker. Consumed: what the services themselves count after a batch was written and told
 * (`tideshop_messages_total`), because an offset is committed only once a second and says nothing in between.
 * A record that was delivered twice counts twice, so a run with repeats is looked at again (drain.ts).
 */
export type Counts = { produced: PerTopic; consumed: PerTopic }
export type PerTopic = Record<string, number>

export const topicNames = SAGA_TOPICS.map(({ name }) => name)
/** What is consumed from here has ended. */
export const LAST_TOPIC = 'user-create-response'
export const FIRST_TOPIC = 'user-create'

const ANSWER_MS_MAX = 5000

export class Counter {
  readonly #consumer: Consumer
  readonly #services: { topics: string[]; pool: Pool }[]

  constructor(shop: Shop) {
    this.#consumer = new Consumer({
      clientId: 'bench',
      groupId: `bench-${crypto.randomUUID()}`,
      bootstrapBrokers: shop.kafkaBrokers.split(','),
    })
    const listeners = Map.groupBy(SAGA_TOPICS, ({ listener }) => listener)
    this.#services = [...listeners].flatMap(([appId, heard]) =>
      shop.replicas(appId).map(({ appPort }) => ({
        topics: heard.map(({ name }) => name),
        pool: new Pool(`http://127.0.0.1:${appPort}`, { connections: 1, headersTimeout: ANSWER_MS_MAX }),
      })),
    )
  }

  async look(): Promise<Counts> {
    const [offsets, handled] = await Promise.all([
      this.#consumer.listOffsets({ topics: topicNames }),
      Promise.all(this.#services.map(({ pool }) => ask(pool))),
    ])
    const consumed = (topic: string) => handled.reduce((sum, one) => sum + (one.get(topic) ?? 0), 0)
    return { produced: perTopic((topic) => endOf(offsets, topic)), consumed: perTopic(consumed) }
  }

  async close(): Promise<void> {
    await Promise.all([this.#consumer.close(true), ...this.#services.map(({ pool }) => pool.close())])
  }
}

function endOf(offsets: Offsets, topic: string): number {
  return Number((offsets.get(topic) ?? []).reduce((sum, offset) => sum + offset, 0n))
}

async function ask(pool: Pool): Promise<Map<string, number>> {
  const { body } = await pool.request({ method: 'GET', path: '/metrics' })
  return handledIn(await body.text())
}

/** Messages that will not come again, by topic, from a service's `/metrics`. */
export function handledIn(metrics: string): Map<string, number> {
  const handled = new Map<string, number>()
  for (const [, labels = '', count] of metrics.matchAll(/^tideshop_messages_total\{([^}]*)\} (\S+)$/gm)) {
    if (labels.includes('outcome="again"')) continue
    const topic = /topic="([^"]*)"/.exec(labels)?.[1] ?? ''
    handled.set(topic, (handled.get(topic) ?? 0) + Number(count))
  }
  return handled
}

export function perTopic(of: (topic: string) => number): PerTopic {
  return Object.fromEntries(topicNames.map((topic) => [topic, of(topic)]))
}

/** What came to it since. */
export function countsSince(before: Counts, now: Counts): Counts {
  return {
    produced: perTopic((topic) => countOf(now.produced, topic) - countOf(before.produced, topic)),
    consumed: perTopic((topic) => countOf(now.consumed, topic) - countOf(before.consumed, topic)),
  }
}

export function sumOfTopics(counts: PerTopic): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0)
}

function countOf(counts: PerTopic, topic: string): number {
  return counts[topic] ?? 0
}
