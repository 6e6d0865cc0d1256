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
]

/** Where the poison of a topic waits for an operator. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead`
}

/** Replicas of a listener can grow to this number; 12 divides evenly by 1, 2, 3, 4, 6 and 12. */
export const PARTITIONS = 12

/** Bytes of one record. Above, the broker refuses it; as base64 within a dead letter it still fits 1 MiB. */
export const MESSAGE_BYTES_MAX = 128 * 1024
