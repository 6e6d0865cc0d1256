import { deadLetterTopic } from '@tideshop/kit/dead-letter'

/**
 * Every topic of the shop: who tells it and who hears it, so that tools can create and watch them.
 * A test holds this list and the components, subscriptions and compose file to one another.
 */
export type Topic = {
  name: string
  /** App-ids. The consumer group of a listener is `<listener>.<topic>`. */
  teller: string
  listener: string
}

export const topics: readonly Topic[] = [
  { name: 'user-create', teller: 'operations', listener: 'users' },
  { name: 'user-approve', teller: 'users', listener: 'approvals' },
  { name: 'user-approve-response', teller: 'approvals', listener: 'users' },
  { name: 'user-create-response', teller: 'users', listener: 'operations' },
  { name: 'order-stock', teller: 'orders', listener: 'catalog' },
  { name: 'order-stock-response', teller: 'catalog', listener: 'orders' },
  { name: 'order-payment', teller: 'orders', listener: 'payments' },
  { name: 'order-payment-response', teller: 'payments', listener: 'orders' },
]

/** Replicas of a listener can grow to this number; 12 divides evenly by 1, 2, 3, 4, 6 and 12. */
export const PARTITIONS = 12

/**
 * Bytes of what a producer sends to one partition at once, which is what Kafka's `max.message.bytes` bounds: not a
 * record but a batch of them. Less than the sidecar's own bound (1 MiB) makes whole batches fail.
 */
export const MESSAGE_BYTES_MAX = 1_048_588

/** How a topic is to be created. `config` are Kafka's own topic settings. */
export type TopicPlan = { name: string; partitions: number; config: Record<string, string> }

const DAY_MS = 86_400_000

/** Everything that has to exist in Kafka before the first service starts. */
export function topicPlans(partitions = PARTITIONS): TopicPlan[] {
  return topics.flatMap(({ name }) => [
    { name, partitions, config: { 'max.message.bytes': String(MESSAGE_BYTES_MAX) } },
    // An operator may be on holiday: dead letters wait for four weeks.
    { name: deadLetterTopic(name), partitions: 1, config: { 'retention.ms': String(28 * DAY_MS) } },
    // A front door asks here whether the road is open (kit/road); nobody listens.
    { name: `${name}.probe`, partitions: 1, config: { 'retention.ms': '60000' } },
  ])
}
