import { Admin } from '@platformatic/kafka'
import { type TopicPlan, topicPlans } from '@tideshop/contracts/topics'

/** Milliseconds that one question to the broker may take. */
const ANSWER_MS = 5000

/** Creates every topic of the shop and its place for dead letters; what is there already is left as it is. `partitions` other than the shop's own are for measuring. */
export async function ensureTopics(brokers: string, partitions?: number): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const missing = topicPlans(partitions).filter((topic) => !existing.has(topic.name))
    await Promise.all(missing.map((topic) => create(admin, topic)))
  })
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

async function create(admin: Admin, topic: TopicPlan): Promise<void> {
  const configs = Object.entries(topic.config).map(([name, value]) => ({ name, value }))
  try {
    // A replication factor of -1 is the broker's own default, right for one node and for a cluster.
    await admin.createTopics({ topics: [topic.name], partitions: topic.partitions, replicas: -1, configs })
  } catch (error) {
    // Somebody else was faster.
    const existing = await admin.listTopics()
    if (!existing.includes(topic.name)) throw error
  }
}

/** `brokers`: addresses with commas between. A question that is not answered in five seconds rejects. */
export async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
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
