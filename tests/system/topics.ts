import { Admin, Consumer, ListOffsetTimestamps, type Offsets, Producer } from '@platformatic/kafka'
import type { Topic } from '@tideshop/contracts/topics'
import type { Shop } from '@tideshop/run/shop'

/** Milliseconds without a record although the end was not reached. */
const STALLED_MS = 15_000

export type Recorded = { topic: string; partition: number; offset: bigint; value: string }

/** Everything that stands in these topics now, read by a consumer of its own. */
export async function readTopics(shop: Shop, topics: string[]): Promise<Recorded[]> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  const recorded: Recorded[] = []
  try {
    let open = await held(consumer, topics)
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

/** How many stand in these topics now. */
export async function countRecords(shop: Shop, topics: string[]): Promise<number> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  try {
    return Number(await held(consumer, topics))
  } finally {
    await consumer.close(true)
  }
}

/** Records of the topic that its listener has not acknowledged. A sidecar does so once a second. */
export async function countWaiting(shop: Shop, { name, listener }: Topic): Promise<number> {
  const admin = new Admin(at(shop))
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  try {
    const ends = (await consumer.listOffsets({ topics: [name] })).get(name) ?? []
    const [group] = await admin.listConsumerGroupOffsets({ groups: [`${listener}.${name}`] })
    const places = group?.topics.find((topic) => topic.name === name)?.partitions ?? []
    const done = new Map(places.map((place) => [place.partitionIndex, place.committedOffset]))
    return ends.reduce((sum, end, partition) => sum + Number(end - (done.get(partition) ?? 0n)), 0)
  } finally {
    await Promise.all([admin.close(), consumer.close(true)])
  }
}

/** A log may have lost its beginning. */
async function held(consumer: Consumer, topics: string[]): Promise<bigint> {
  const sum = (offsets: Offsets) => [...offsets.values()].flat().reduce((total, offset) => total + offset, 0n)
  const [first, next] = await Promise.all([
    consumer.listOffsets({ topics, timestamp: ListOffsetTimestamps.EARLIEST }),
    consumer.listOffsets({ topics, timestamp: ListOffsetTimestamps.LATEST }),
  ])
  return sum(next) - sum(first)
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
