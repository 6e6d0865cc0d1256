import { randomUUIDv7 } from 'node:crypto'
import { userCreate } from '@tideshop/contracts/operations'
import { continueTrace } from '@tideshop/kit/trace'
import type { Collection } from 'mongodb'

/** One operation that is offered. Of those that go by the door the ids are known when it has answered. */
export type Wish = { operationId: string; userId: string | null; name: string }

/** One in so many has the name on the deny list, so that both ends of the saga are walked. */
const DENIED_EVERY = 100
export const DENIED_NAME = 'mallory'

/** Documents of one insert. */
const INSERT_MAX = 1000

export function makeWishes(count: number, label: string): Wish[] {
  return Array.from({ length: count }, (_, index) => ({
    operationId: randomUUIDv7(),
    userId: randomUUIDv7(),
    name: index % DENIED_EVERY === DENIED_EVERY - 1 ? DENIED_NAME : `${label}-${index}`,
  }))
}

type KafkaRecord = { topic: string; key: Buffer; value: Buffer }

/** An operation as the store of `operations` holds it. */
export type StoredOperation = {
  _id: string
  version: number
  body: { id: string; kind: string; name: string; userId: string; status: string }
  outbox?: unknown[]
}

/** As `operations` leaves them: written, told, the outbox empty. */
export async function writePending(
  collection: Collection<StoredOperation>,
  wishes: readonly Wish[],
  stop: AbortSignal,
): Promise<void> {
  for (let first = 0; first < wishes.length; first += INSERT_MAX) {
    stop.throwIfAborted()
    const documents = wishes.slice(first, first + INSERT_MAX).map(pendingDocument)
    await collection.insertMany(documents, { ordered: false })
  }
}

function pendingDocument({ operationId, userId, name }: Wish): StoredOperation {
  const body = { id: operationId, kind: 'user-create', name, userId: userId ?? '', status: 'pending' }
  return { _id: operationId, version: 1, body, outbox: [] }
}

/**
 * What `operations` would tell of it now. Padding is an extension attribute of the envelope: those who hear read past it,
 * as CloudEvents demands of them.
 */
export function recordOf({ operationId, userId, name }: Wish, paddingBytes = 0): KafkaRecord {
  const subject = userId ?? ''
  const { topic, event } = userCreate.tell({
    subject,
    version: 1,
    time: new Date().toISOString(),
    data: { operationId, userId: subject, name },
  })
  const padding = paddingBytes === 0 ? {} : { padding: 'p'.repeat(paddingBytes) }
  const value = JSON.stringify({ ...event, traceparent: continueTrace(undefined), ...padding })
  return { topic, key: Buffer.from(subject), value: Buffer.from(value) }
}
