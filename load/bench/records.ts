import { Admin, Consumer, type Offsets } from '@platformatic/kafka'
import type { Shop } from '@tideshop/run/shop'
import { topicNames } from './counts.ts'

/** Bytes that all four topics, of `count` partitions each, take in the broker's log: keys, values, headers and the frames around them. */
export async function bytesOfTopics(shop: Shop, count: number): Promise<number> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: shop.kafkaBrokers.split(',') })
  try {
    const partitions = Array.from({ length: count }, (_, index) => index)
    const brokers = await admin.describeLogDirs({
      topics: topicNames.map((name) => ({ name, partitions })),
    })
    const dirs = brokers.flatMap(({ results }) => results)
    const kept = dirs.flatMap(({ topics }) => topics.flatMap((topic) => topic.partitions))
    return Number(kept.reduce((sum, { partitionSize }) => sum + partitionSize, 0n))
  } finally {
    await admin.close()
  }
}

/** How many records were ever put into these topics. */
export async function recordsIn(shop: Shop, names: string[]): Promise<number> {
  const at = { clientId: 'bench', bootstrapBrokers: shop.kafkaBrokers.split(',') }
  const consumer = new Consumer({ ...at, groupId: `bench-${crypto.randomUUID()}` })
  try {
    return sumOfOffsets(await consumer.listOffsets({ topics: names }))
  } finally {
    await consumer.close(true)
  }
}

/** Of all partitions of all topics that were asked for. */
export function sumOfOffsets(offsets: Offsets): number {
  return Number([...offsets.values()].flat().reduce((sum, offset) => sum + offset, 0n))
}
