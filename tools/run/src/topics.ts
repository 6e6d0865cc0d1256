import { Admin } from '@platformatic/kafka'
import { deadLetterTopic, MESSAGE_BYTES_MAX, PARTITIONS, topics } from '@tideshop/contracts/topics'

/** A dead letter waits for a person, who may be on holiday: 90 days. */
const DEAD_RETENTION_MS = 90 * 24 * 60 * 60 * 1000

/** Bytes of one record batch of dead letters: the original as base64, with what went wrong. */
const DEAD_BYTES_MAX = 1024 * 1024

/** Milliseconds that one question to the broker may take. */
const ANSWER_MS = 5000

type NewTopic = { name: string; partitions: number; configs: Record<string, string> }

/** Creates every topic of the shop and its place for dead letters; what is there already is left as it is. */
export async function ensureTopics(brokers: string): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const missing = wantedTopics().filter((topic) => !existing.has(topic.name))
    await Promise.all(missing.map((topic) => create(admin, topic)))
  })
}

export function wantedTopics(): NewTopic[] {
  return topics.flatMap(({ name }) => [
    { name, partitions: PARTITIONS, configs: { 'max.message.bytes': String(MESSAGE_BYTES_MAX) } },
    {
      name: deadLetterTopic(name),
      partitions: 1,
      configs: { 'max.message.bytes': String(DEAD_BYTES_MAX), 'retention.ms': String(DEAD_RETENTION_MS) },
    },
  ])
}

/** Whether a broker answers: an open port alone can belong to one that still reads its log. */
export async function kafkaAnswers(brokers: string): Promise<boolean> {
  try {
    await withAdmin(brokers, (admin) => admin.listTopics())
    return true
  } catch {
    return false
  }
}

async function create(admin: Admin, topic: NewTopic): Promise<void> {
  const configs = Object.entries(topic.configs).map(([name, value]) => ({ name, value }))
  try {
    // A replication factor of -1 is the broker's own default, right for one node and for a cluster.
    await admin.createTopics({ topics: [topic.name], partitions: topic.partitions, replicas: -1, configs })
  } catch (error) {
    // Somebody else was faster.
    const existing = await admin.listTopics()
    if (!existing.includes(topic.name)) throw error
  }
}

async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: 'tideshop-runner',
    bootstrapBrokers: brokers.split(','),
    connectTimeout: ANSWER_MS,
    timeout: ANSWER_MS,
    retries: 0,
  })
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}
