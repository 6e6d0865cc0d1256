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

/** Records of this topic that follow each other in a partition, `count` at most; `place`, any number, decides which. */
export async function take(shop: Shop, topic: string, place: number, count = 1): Promise<Taken[]> {
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  try {
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? []
    const filled = ends.flatMap((end, partition) => (end > 0n ? { end: Number(end), partition } : []))
    const { end, partition } = filled[place % filled.length] ?? { end: 0, partition: 0 }
    if (end === 0) return []
    const first = place % Math.max(end - count + 1, 1)
    return await readRun(consumer, { topic, partition, first }, Math.min(count, end - first))
  } finally {
    await consumer.close(true)
  }
}

async function readRun(
  consumer: Consumer,
  { topic, partition, first }: { topic: string; partition: number; first: number },
  count: number,
): Promise<Taken[]> {
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'manual',
    offsets: [{ topic, partition, offset: BigInt(first) }],
    autocommit: false,
    maxWaitTime: 200,
  })
  const stalled = setTimeout(() => stream.destroy(new Error(`${topic} gave no record`)), STALLED_MS)
  const taken: Taken[] = []
  try {
    for await (const message of stream) {
      if (message.partition !== partition || message.offset < BigInt(first)) continue
      taken.push({ topic, partition, key: message.key, value: message.value })
      if (taken.length === count) break
    }
    return taken
  } finally {
    clearTimeout(stalled)
    await stream.close()
  }
}

/** Puts records where they were taken, with their keys and in this order. */
export async function put(shop: Shop, records: readonly Taken[]): Promise<void> {
  const producer = new Producer(at(shop))
  try {
    // One by one: a few that are nearly as large as one may be are too much for one batch.
    for (const { key, ...taken } of records) {
      await producer.send({ messages: [{ ...taken, ...(key !== null && { key }) }], acks: -1 })
    }
  } finally {
    await producer.close()
  }
}

/**
 * Takes the group of a topic's listener back by about so many records, or to the beginning where there are fewer.
 * Kafka refuses while the group has a member.
 */
export async function goBack(
  shop: Shop,
  { name, listener }: Pick<Topic, 'name' | 'listener'>,
  records: number,
): Promise<void> {
  const admin = new Admin(at(shop))
  const consumer = new Consumer({ ...at(shop), groupId: `test-${crypto.randomUUID()}` })
  try {
    const [firsts, ends] = await Promise.all(
      [ListOffsetTimestamps.EARLIEST, ListOffsetTimestamps.LATEST].map(async (timestamp) => {
        return (await consumer.listOffsets({ topics: [name], timestamp })).get(name) ?? []
      }),
    )
    const each = BigInt(Math.ceil(records / (ends?.length || 1)))
    const partitionOffsets = (ends ?? []).map((end, partition) => {
      const first = firsts?.[partition] ?? 0n
      return { partition, offset: end - each > first ? end - each : first }
    })
    await admin.alterConsumerGroupOffsets({
      groupId: `${listener}.${name}`,
      topics: [{ name, partitionOffsets }],
    })
  } finally {
    await Promise.all([admin.close(), consumer.close(true)])
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
