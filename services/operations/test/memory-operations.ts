import { changeAll } from '@tideshop/kit/aggregates'
import { memoryRows } from '@tideshop/kit/memory'
import type { PendingRow } from '@tideshop/kit/outbox'
import type { Operation } from '../src/operation.ts'
import type { OperationStore } from '../src/store.ts'

/** The store in memory; test/store.test.ts holds it and the real one to the same promises. */
export function memoryOperations(): OperationStore {
  const rows = memoryRows<Operation>()
  const outbox = new Map<string, { row: PendingRow; since: Date }>()

  function standing({ id, idempotencyKey }: Operation): Operation | undefined {
    const bodies = rows.all().map(({ body }) => body)
    const byKey = bodies.find((one) => idempotencyKey !== undefined && one.idempotencyKey === idempotencyKey)
    return byKey ?? bodies.find((one) => one.id === id)
  }

  return {
    async createAll(begun, since) {
      return begun.map(({ operation, tell }) => {
        const stood = standing(operation)
        if (stood !== undefined) return stood
        // Nothing awaits between the look and the write, so nobody can come between.
        void rows.write([{ id: operation.id, was: 0, version: 1, body: operation }])
        outbox.set(operation.id, { row: { id: operation.id, outgoing: [tell] }, since })
        return null
      })
    },
    async findAll(ids) {
      const byId = new Map((await rows.read(ids)).map(({ id, body }) => [id, body]))
      return ids.map((id) => byId.get(id) ?? null)
    },
    changeAll: (messages, decide) => changeAll(rows, messages, ({ data }) => data.operationId, decide),
    outbox: {
      async waiting(before, max) {
        const old = [...outbox.values()].filter(({ since }) => since < before)
        return old.map(({ row }) => row).slice(0, max)
      },
      async forget(sent) {
        for (const { id } of sent) outbox.delete(id)
      },
    },
  }
}
