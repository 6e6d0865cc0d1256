import { changeAll, type Decide } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import type { Result } from '@tideshop/kit/inbox'
import { atTheDoor, duplicates, type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import { mongoOutbox, OUTBOX_INDEX, type OutboxRows } from '@tideshop/kit/outbox'
import type { Collection, Db } from 'mongodb'
import type { Operation } from './operation.ts'

/** Milliseconds of the database's share in the one second that the door gives a call. */
const DOOR_TIMEOUT_MS = 700

/** A new operation and what it has to tell. */
export type Begun = { operation: Operation; tell: Outgoing }

export type OperationStore = {
  /**
   * Writes all that are new, each with its event in its outbox, in one go. One answer per entry: null when it was
   * written, else the operation that stood there before, by id or by idempotency key.
   */
  createAll: (begun: readonly Begun[], now: Date) => Promise<readonly (Operation | null)[]>
  /** In the order of their ids; null where there is none. */
  findAll: (ids: readonly string[]) => Promise<readonly (Operation | null)[]>
  /** Applies each message to its operation. `decide` may run more than once, so it must be pure. */
  changeAll: <M extends { data: { operationId: string } }>(
    messages: readonly M[],
    decide: Decide<Operation, M>,
  ) => Promise<readonly Result[]>
  outbox: OutboxRows
}

export function mongoOperations(db: Db): OperationStore & { prepare: () => Promise<void> } {
  const collection = db.collection<MongoRow<Operation>>('operations')
  const rows = mongoRows(collection)

  return {
    async prepare() {
      await collection.createIndexes([
        OUTBOX_INDEX,
        { key: { 'body.idempotencyKey': 1 }, name: 'key', unique: true, sparse: true },
      ])
    },

    async createAll(begun, since) {
      const documents = begun.map(({ operation, tell }) => ({
        _id: operation.id,
        version: 1,
        body: operation,
        outbox: [{ ...tell, since }],
      }))
      try {
        await atTheDoor(collection.insertMany(documents, { ordered: false }), DOOR_TIMEOUT_MS, true)
        return begun.map(() => null)
      } catch (error) {
        const standing = await standingFor(collection, begun, duplicates(error))
        return begun.map((_, index) => standing.get(index) ?? null)
      }
    },

    async findAll(ids) {
      const found = await atTheDoor(rows.read(ids), DOOR_TIMEOUT_MS, false)
      const byId = new Map(found.map(({ id, body }) => [id, body]))
      return ids.map((id) => byId.get(id) ?? null)
    },

    changeAll: (messages, decide) => changeAll(rows, messages, ({ data }) => data.operationId, decide),
    outbox: mongoOutbox(collection),
  }
}

/** Who stands in the way of each entry that met an existing id or key. */
async function standingFor(
  collection: Collection<MongoRow<Operation>>,
  begun: readonly Begun[],
  indexes: readonly number[],
): Promise<Map<number, Operation>> {
  const asked = indexes.map((index) => ({ index, operation: (begun[index] as Begun).operation }))
  const ids = asked.map(({ operation }) => operation.id)
  const keys = asked.flatMap(({ operation }) => operation.idempotencyKey ?? [])
  const found = collection
    .find({ $or: [{ _id: { $in: ids } }, { 'body.idempotencyKey': { $in: keys } }] })
    .map(({ body }) => body)
    .toArray()
  const operations = await atTheDoor(found, DOOR_TIMEOUT_MS, true)
  return new Map(asked.map(({ index, operation }) => [index, standingIn(operations, operation)]))
}

function standingIn(found: readonly Operation[], { id, idempotencyKey }: Operation): Operation {
  const byKey = found.find((one) => idempotencyKey !== undefined && one.idempotencyKey === idempotencyKey)
  const standing = byKey ?? found.find((one) => one.id === id)
  if (standing === undefined) throw new Error(`operation ${id} was refused as a duplicate of nothing`)
  return standing
}
