import { Consumer, Producer } from '@platformatic/kafka'
import type { Shop } from '@tideshop/run/shop'

/** Milliseconds without a record although the end was not reached. */
const STALLED_MS = 15_000

export type Recorded = { topic: string; partition: number; offset: bigint; value: string }

/** Everything that stands in these topics now, read by a consumer of its own. */
export async function readTopics(shop: Shop, topics: string[]): Promise<Recorded[]> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  const recorded: Recorded[] = []
  try {
    const ends = await consumer.listOffsets({ topics })
    let open = [...ends.values()].flat().reduce((sum, offset) => sum + offset, 0n)
    if (open === 0n) return []
    const stream = await consumer.consume({ topics, mode: 'earliest', autocommit: false, maxWaitTime: 200 })
    const stalled = setTimeout(
      () => stream.destroy(new Error(`${topics} stopped before their end`)),
      STALLED_MS,
    )
    for await (const { topic, partition, offset, value } of stream) {
      stalled.refresh()
      recorded.push({ topic, partition, offset, value: value?.toString() ?? '' })
      open -= 1n
      if (open === 0n) break
    }
    clearTimeout(stalled)
    await stream.close()
    return recorded
  } finally {
    await consumer.close(true)
  }
}

/** Puts records into a topic past the sidecars, as a stranger could. */
export async function produce(shop: Shop, topic: string, values: (string | Buffer)[]): Promise<void> {
  const producer = new Producer(at(shop))
  try {
    await producer.send({ messages: values.map((value) => ({ topic, value: Buffer.from(value) })), acks: -1 })
  } finally {
    await producer.close()
  }
}

function at(shop: Shop) {
  return { clientId: 'test', bootstrapBrokers: shop.kafkaBrokers.split(','), retries: 3 }
}
