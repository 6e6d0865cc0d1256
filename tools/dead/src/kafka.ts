import { Admin, Consumer, ListOffsetTimestamps, Producer } from '@platformatic/kafka'

/**
 * Reading a topic from one place to another, and putting records back. Straight to the broker and not through a
 * sidecar: an operator needs it most when the services do not run.
 */

/** Milliseconds for one answer of the broker. */
const ANSWER_TIMEOUT_MS = 10_000
/** Milliseconds without a record although more are expected. */
const READ_STALLED_MS = 10_000

export type Place = { topic: string; partition: number; offset: bigint }
/** Offsets: the first, and the one behind the last. */
export type Range = { from: bigint; to: bigint }
export type Found = Place & { key: Buffer | null; value: Buffer }

export type Kafka = {
  /** From the first record that is still there to just before the next one to come. */
  held: (topic: string, partition: number) => Promise<Range>
  /** The same, from the first record that `group` has not committed. */
  open: (group: string, topic: string, partition: number) => Promise<Range>
  /** The records of `range`, one after the other: a quarantine can be larger than the memory. */
  read: (topic: string, partition: number, range: Range) => AsyncGenerator<Found>
  /** Resolves when all in-sync replicas have it. */
  put: (record: { topic: string; partition: number; key: string | null; value: Buffer }) => Promise<void>
  commit: (group: string, next: Place) => Promise<void>
  close: () => Promise<void>
}

export function kafkaAt(brokers: string): Kafka {
  const common = {
    clientId: 'tideshop-dead',
    bootstrapBrokers: brokers.split(','),
    timeout: ANSWER_TIMEOUT_MS,
    connectTimeout: ANSWER_TIMEOUT_MS,
    retries: 1,
  }
  const admin = new Admin(common)
  const producer = new Producer(common)

  async function offsetAt(topic: string, partitionIndex: number, timestamp: bigint): Promise<bigint> {
    const listed = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex, timestamp }] }],
    })
    return listed[0]?.partitions[0]?.offset ?? 0n
  }

  async function committed(group: string, topic: string, partition: number): Promise<bigint> {
    const asked = { groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] }
    const [found] = await admin.listConsumerGroupOffsets({ groups: [asked] })
    return found?.topics[0]?.partitions[0]?.committedOffset ?? -1n
  }

  async function held(topic: string, partition: number): Promise<Range> {
    const [from, to] = await Promise.all([
      offsetAt(topic, partition, ListOffsetTimestamps.EARLIEST),
      offsetAt(topic, partition, ListOffsetTimestamps.LATEST),
    ])
    return { from, to }
  }

  return {
    held,

    async open(group, topic, partition) {
      const [{ from, to }, done] = await Promise.all([
        held(topic, partition),
        committed(group, topic, partition),
      ])
      return { from: later(from, done), to }
    },

    async *read(topic, partition, range) {
      if (range.from >= range.to) return
      // A group of its own for each reading: nobody who looks disturbs somebody who works.
      const consumer = new Consumer({ ...common, groupId: `dead-read-${crypto.randomUUID()}` })
      try {
        yield* readRange(consumer, { topic, partition, offset: range.from }, range.to)
      } finally {
        await consumer.close(true)
      }
    },

    async put({ topic, partition, key, value }) {
      const message = { topic, partition, value, ...(key !== null && { key: Buffer.from(key) }) }
      await producer.send({ messages: [message], acks: -1 })
    },

    async commit(group, { topic, partition, offset }) {
      const partitionOffsets = [{ partition, offset }]
      await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] })
    },

    async close() {
      await Promise.all([admin.close(), producer.close()])
    },
  }
}

function later(one: bigint, other: bigint): bigint {
  if (one > other) return one
  return other
}

async function* readRange(
  consumer: Consumer,
  { topic, partition, offset }: Place,
  to: bigint,
): AsyncGenerator<Found> {
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'manual',
    offsets: [{ topic, partition, offset }],
    autocommit: false,
    maxWaitTime: 200,
  })
  const stalled = setTimeout(
    () => stream.destroy(new Error(`${topic} stopped in the middle`)),
    READ_STALLED_MS,
  )
  try {
    for await (const message of stream) {
      if (message.partition !== partition) continue
      yield { topic, partition, offset: message.offset, key: message.key, value: message.value }
      if (message.offset >= to - 1n) break
      stalled.refresh()
    }
  } finally {
    clearTimeout(stalled)
    await stream.close()
  }
}
