import { Admin, Consumer, ListOffsetTimestamps, Producer } from '@platformatic/kafka'
import type { LineOf } from './file.ts'

/** Logs as a backup sees them: all of their records, in order, and how far each group is. */

/** Milliseconds for one answer of the broker. */
const ANSWER_TIMEOUT_MS = 10_000
/** Milliseconds without a record although more are expected. */
const READ_STALLED_MS = 15_000
/**
 * Bytes that the broker hands over at once, and records that wait to be written to the file. Small records become
 * many objects: at 8 MiB they took more than 100 MB.
 */
const FETCH_BYTES_MAX = 1024 ** 2
const READ_AHEAD_MAX = 256
/** Of a broker whose leaders have just been chosen. */
const SEND_TRIES = 5

/** Offsets by partition: the first record, and the one behind the last. */
export type Log = { topic: string; from: bigint[]; to: bigint[] }
/** Next offsets by partition; null where nothing was ever acknowledged. */
export type Progress = { group: string; topic: string; next: (bigint | null)[] }

export type Kafka = {
  logs: (topics: readonly string[]) => Promise<Log[]>
  progress: (groups: readonly { group: string; topic: string }[]) => Promise<Progress[]>
  /** Every record of these logs; those of one partition in their order. */
  read: (logs: readonly Log[]) => AsyncGenerator<LineOf<'record'>>
  /** Resolves when all in-sync replicas have them; records of one partition stay in their order. */
  send: (records: readonly LineOf<'record'>[]) => Promise<void>
  acknowledge: (progress: Progress) => Promise<void>
  /** Those of `groups` that have members. */
  listening: (groups: readonly string[]) => Promise<string[]>
  close: () => Promise<void>
}

export function kafkaAt(brokers: string): Kafka {
  const common = {
    clientId: 'tideshop-backup',
    bootstrapBrokers: brokers.split(','),
    timeout: ANSWER_TIMEOUT_MS,
    connectTimeout: ANSWER_TIMEOUT_MS,
    retries: 1,
  }
  const admin = new Admin(common)
  // Idempotent: a batch that is sent again after a lost answer does not stand there twice, in a log that is counted.
  const producer = new Producer({ ...common, idempotent: true, retries: SEND_TRIES })

  return {
    async logs(topics) {
      const [from, to] = await Promise.all([
        offsetsAt(admin, topics, ListOffsetTimestamps.EARLIEST),
        offsetsAt(admin, topics, ListOffsetTimestamps.LATEST),
      ])
      return topics.map((topic) => ({ topic, from: from.get(topic) ?? [], to: to.get(topic) ?? [] }))
    },

    progress: (groups) => Promise.all(groups.map((one) => progressOf(admin, one))),

    async *read(logs) {
      if (logs.every(({ from, to }) => to.every((end, partition) => end === from[partition]))) return
      // A group of its own: nobody who works is disturbed.
      const consumer = new Consumer({ ...common, groupId: `backup-${crypto.randomUUID()}` })
      try {
        yield* readAll(consumer, logs)
      } finally {
        await consumer.close(true)
      }
    },

    async send(records) {
      await producer.send({ messages: records.map(messageOf), acks: -1 })
    },

    async acknowledge({ group, topic, next }) {
      const partitionOffsets = next.flatMap((offset, partition) =>
        offset === null ? [] : [{ partition, offset }],
      )
      if (partitionOffsets.length === 0) return
      await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] })
    },

    async listening(groups) {
      const known = await admin.listGroups()
      return groups.filter((group) => !/^(empty|dead)$/i.test(known.get(group)?.state ?? 'empty'))
    },

    async close() {
      await Promise.all([admin.close(), producer.close()])
    },
  }
}

/** By topic and partition: the first or the next, as `timestamp` asks. */
async function offsetsAt(
  admin: Admin,
  topics: readonly string[],
  timestamp: bigint,
): Promise<Map<string, bigint[]>> {
  const { topics: known } = await admin.metadata({ topics: [...topics] })
  const asked = topics.map((name) => {
    const count = known.get(name)?.partitionsCount ?? 0
    return {
      name,
      partitions: Array.from({ length: count }, (_, index) => ({ partitionIndex: index, timestamp })),
    }
  })
  const listed = await admin.listOffsets({ topics: asked })
  return new Map(
    listed.map(({ name, partitions }) => {
      const inOrder = partitions.toSorted((one, other) => one.partitionIndex - other.partitionIndex)
      return [name, inOrder.map(({ offset }) => offset)]
    }),
  )
}

async function progressOf(
  admin: Admin,
  { group, topic }: { group: string; topic: string },
): Promise<Progress> {
  const { topics } = await admin.metadata({ topics: [topic] })
  const partitionIndexes = [...Array(topics.get(topic)?.partitionsCount ?? 0).keys()]
  const asked = { groupId: group, topics: [{ name: topic, partitionIndexes }] }
  const [found] = await admin.listConsumerGroupOffsets({ groups: [asked] })
  const offsets = new Map(
    found?.topics[0]?.partitions.map((one) => [one.partitionIndex, one.committedOffset]),
  )
  return { group, topic, next: partitionIndexes.map((partition) => acknowledged(offsets.get(partition))) }
}

function acknowledged(offset: bigint | undefined): bigint | null {
  return offset === undefined || offset < 0n ? null : offset
}

async function* readAll(consumer: Consumer, logs: readonly Log[]): AsyncGenerator<LineOf<'record'>> {
  const next = new Map(logs.map(({ topic, from }) => [topic, [...from]]))
  const ends = new Map(logs.map(({ topic, to }) => [topic, to]))
  let open = logs.reduce((sum, { from, to }) => sum + count({ from, to }), 0)
  const stream = await consumer.consume({
    topics: logs.map(({ topic }) => topic),
    mode: 'manual',
    offsets: logs.flatMap(({ topic, from }) =>
      from.map((offset, partition) => ({ topic, partition, offset })),
    ),
    autocommit: false,
    maxWaitTime: 200,
    maxBytes: FETCH_BYTES_MAX,
    highWaterMark: READ_AHEAD_MAX,
  })
  const stalled = setTimeout(() => stream.destroy(new Error('Kafka stopped in the middle')), READ_STALLED_MS)
  try {
    for await (const { topic, partition, offset, timestamp, key, value, headerEntries } of stream) {
      const places = next.get(topic) as bigint[]
      // What came behind the end that was set at the beginning is not part of it.
      if (offset >= (ends.get(topic)?.[partition] ?? 0n)) continue
      if (offset !== places[partition]) throw new Error(gapAt(topic, partition, places[partition]))
      places[partition] = offset + 1n
      yield {
        kind: 'record',
        ...{ topic, partition, offset: String(offset), time: String(timestamp) },
        ...{ key: base64(key), value: base64(value) },
        headers: headerEntries.map(([name, content]) => [base64(name), base64(content)]),
      }
      stalled.refresh()
      open -= 1
      if (open === 0) break
    }
  } finally {
    clearTimeout(stalled)
    await stream.close()
  }
}

/** The places in a restored log are counted, which is right as long as every offset has a record. */
function gapAt(topic: string, partition: number, offset: bigint | undefined): string {
  return `${topic} has no record at ${partition}/${offset}: somebody wrote to it in transactions or compacted it, which the shop never does`
}

/** Records in a log. */
export function count({ from, to }: Pick<Log, 'from' | 'to'>): number {
  return to.reduce((sum, end, partition) => sum + Number(end - (from[partition] ?? end)), 0)
}

function messageOf({ topic, partition, time, key, value, headers }: LineOf<'record'>) {
  return {
    topic,
    partition,
    timestamp: BigInt(time),
    // A record without a key or a value is not one with an empty one; the client takes null, though its types do not.
    ...(key !== null && { key: Buffer.from(key, 'base64') }),
    value: bytes(value) as Buffer,
    headers: new Map(headers.map(([name, content]) => [bytes(name) as Buffer, bytes(content) as Buffer])),
  }
}

function base64(found: Buffer | null | undefined): string | null {
  return found?.toString('base64') ?? null
}

function bytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64')
}
