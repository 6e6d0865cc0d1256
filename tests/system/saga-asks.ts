import { Consumer, Producer } from '@platformatic/kafka'
import type { Event, EventContract } from '@tideshop/kit/event'
import type { Shop } from '@tideshop/run/shop'
import { afterAll, beforeAll, expect } from 'vitest'

/** Milliseconds for an answer, over deaths and restarts of whoever has to give it. */
const ANSWER = { timeout: 60_000, interval: 50 }

/** What was told of one order: the words by the id of the event, each once, and how often. */
export type Heard<A> = { data: A; times: number }

/**
 * Stands where `orders` stands in the saga: asks by one topic, and hears the answers on another, both past the sidecars, so
 * that a test sees each event as it lies in Kafka.
 */
export function askerOf<D extends { orderId: string }, A extends { orderId: string }>(
  shop: Shop,
  asks: EventContract<D>,
  answers: EventContract<A>,
) {
  // The broker makes its topic of groups when the first one comes, which on a busy machine takes seconds.
  const at = {
    clientId: 'test',
    bootstrapBrokers: shop.kafkaBrokers.split(','),
    retries: 30,
    retryDelay: 500,
  }
  const producer = new Producer(at)
  const consumer = new Consumer({ ...at, groupId: `test-${crypto.randomUUID()}` })
  const heard = new Map<string, Heard<A>>()
  // Not before: what fails while a file is read leaves its shop behind.
  beforeAll(async () => {
    const wanted = { topics: [answers.topic], autocommit: false, maxWaitTime: 200 }
    const stream = await consumer.consume({ ...wanted, mode: 'earliest' })
    stream.on('data', ({ value }) => {
      const { id, data } = answers.schema.parse(JSON.parse(String(value))) as Event<A>
      const before = heard.get(id)
      // The same id is the same words.
      if (before !== undefined) expect(data).toEqual(before.data)
      heard.set(id, { data, times: (before?.times ?? 0) + 1 })
    })
  })
  afterAll(async () => {
    await Promise.all([consumer.close(true), producer.close()])
  })

  return {
    async ask(...wishes: D[]): Promise<void> {
      const messages = wishes.map((data) => {
        const fact = { subject: data.orderId, version: 1, time: new Date().toISOString(), data }
        const value = Buffer.from(JSON.stringify(asks.tell(fact).event))
        return { topic: asks.topic, key: Buffer.from(data.orderId), value }
      })
      await producer.send({ messages, acks: -1 })
    },
    /** The answer with this number, when it has come. */
    async answer(orderId: string, version: number): Promise<A> {
      const id = `${orderId}:${version}`
      await expect.poll(() => heard.has(id), ANSWER).toBe(true)
      return (heard.get(id) as Heard<A>).data
    },
    times: (orderId: string, version: number) => heard.get(`${orderId}:${version}`)?.times ?? 0,
    /** What was answered to all of these with this number, when all have come. */
    async answers(orderIds: readonly string[], version: number): Promise<A[]> {
      const ids = orderIds.map((orderId) => `${orderId}:${version}`)
      await expect.poll(() => ids.filter((id) => !heard.has(id)).length, ANSWER).toBe(0)
      return ids.map((id) => (heard.get(id) as Heard<A>).data)
    },
    heard: () => heard.size,
  }
}
