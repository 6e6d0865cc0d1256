import { Admin, Consumer, ListOffsetTimestamps, type Offsets, Producer } from '@platformatic/kafka'
import { topics as shopTopics, type Topic } from '@tideshop/contracts/topics'
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

/** One record as it lies in its topic. */
export type Taken = { topic: string; partition: number; key: Buffer | null; value: Buffer }

/** A record of this topic, which one is decided by `place`, any number; null when there is none. */
export async function takeOne(shop: Shop, topic: string, place: number): Promise<Taken | null> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  try {
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? []
    const filled = ends.flatMap((end, partition) => (end > 0n ? { end, partition } : []))
    const { end, partition } = filled[place % filled.length] ?? { end: 0n, partition: 0 }
    if (end === 0n) return null
    const offset = BigInt(place) % end
    const offsets = [{ topic, partition, offset }]
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets,
      autocommit: false,
      maxWaitTime: 200,
    })
    const stalled = setTimeout(() => stream.destroy(new Error(`${topic} gave no record`)), STALLED_MS)
    try {
      for await (const message of stream) {
        if (message.partition !== partition || message.offset !== offset) continue
        return { topic, partition, key: message.key, value: message.value }
      }
      return null
    } finally {
      clearTimeout(stalled)
      await stream.close()
    }
  } finally {
    await consumer.close(true)
  }
}

/** Puts a record where `taken` was, with its key. */
export async function put(shop: Shop, { key, ...taken }: Taken): Promise<void> {
  const producer = new Producer(at(shop))
  try {
    await producer.send({ messages: [{ ...taken, ...(key !== null && { key }) }], acks: -1 })
  } finally {
    await producer.close()
  }
}

/** Records that the services have not acknowledged yet. */
export async function backlog(shop: Shop): Promise<bigint> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  const admin = new Admin(at(shop))
  try {
    let open = 0n
    for (const { name, listener } of shopTopics) {
      const ends = (await consumer.listOffsets({ topics: [name] })).get(name) ?? []
      const asked = { groupId: `${listener}.${name}`, topics: [{ name, partitionIndexes: [...ends.keys()] }] }
      const [group] = await admin.listConsumerGroupOffsets({ groups: [asked] })
      for (const { partitionIndex, committedOffset } of group?.topics[0]?.partitions ?? []) {
        const done = committedOffset < 0n ? 0n : committedOffset
        open += (ends[partitionIndex] ?? 0n) - done
      }
    }
    return open
  } finally {
    await Promise.all([consumer.close(true), admin.close()])
  }
}

function at(shop: Shop) {
  return { clientId: 'test', bootstrapBrokers: shop.kafkaBrokers.split(','), retries: 3 }
}
