import { Admin, Consumer, Producer } from '@platformatic/kafka'
import { KAFKA } from '@tideshop/cluster/backbone'
import { topics } from '@tideshop/contracts/topics'

/**
 * Run within the cluster's network, where its broker is: `node lag.ts make <count>` puts so many records into each topic,
 * and `node lag.ts clear` acknowledges all that waits. The records say nothing, so nobody may be there to hear them.
 */

const at = { clientId: 'test-lag', bootstrapBrokers: [KAFKA], retries: 3 }
const SEND_MAX = 1000

async function make(count: number): Promise<void> {
  const producer = new Producer(at)
  for (const { name } of topics) {
    for (let sent = 0; sent < count; sent += SEND_MAX) {
      const messages = Array.from({ length: Math.min(SEND_MAX, count - sent) }, () => ({
        topic: name,
        value: Buffer.from('{}'),
      }))
      await producer.send({ messages, acks: -1 })
    }
  }
  await producer.close()
}

async function clear(): Promise<void> {
  const admin = new Admin(at)
  const consumer = new Consumer({ ...at, groupId: 'test-lag' })
  for (const { name, listener } of topics) {
    const ends = (await consumer.listOffsets({ topics: [name] })).get(name) ?? []
    const partitionOffsets = ends.map((offset, partition) => ({ partition, offset }))
    await admin.alterConsumerGroupOffsets({
      groupId: `${listener}.${name}`,
      topics: [{ name, partitionOffsets }],
    })
  }
  await Promise.all([admin.close(), consumer.close(true)])
}

const [what, count] = process.argv.slice(2)
await (what === 'make' ? make(Number(count)) : clear())
