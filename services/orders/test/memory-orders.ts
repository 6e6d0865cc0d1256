import { changeAll, changeOne } from '@tideshop/kit/aggregates'
import { memoryRows } from '@tideshop/kit/memory'
import type { Order } from '../src/order.ts'
import type { Count, OrderStore } from '../src/store.ts'

/** The store in memory; test/store.test.ts holds it and the real one to the same promises. */
export function memoryOrders(): OrderStore {
  const rows = memoryRows<Order>()
  const bodies = () => rows.all().map(({ body }) => structuredClone(body))

  return {
    async create(order, tell, since) {
      const { id, callerKey } = order
      const byKey = bodies().find((one) => callerKey !== undefined && one.callerKey === callerKey)
      const standing = byKey ?? bodies().find((one) => one.id === id)
      if (standing !== undefined) return standing
      // Nothing awaits between the look and the write, so nobody can come between.
      const outbox = tell.map((one) => ({ ...one, since }))
      void rows.write([{ id, was: 0, version: 1, body: order, outbox }])
      return null
    },
    async findAll(ids) {
      const byId = new Map((await rows.read(ids)).map(({ id, body }) => [id, body]))
      return ids.map((id) => byId.get(id) ?? null)
    },
    findByKey: async (callerKey) => bodies().find((one) => one.callerKey === callerKey) ?? null,
    async list({ customerId, status, after, max }) {
      return bodies()
        .filter((one) => customerId === undefined || one.customerId === customerId)
        .filter((one) => status === undefined || one.status === status)
        .filter((one) => after === undefined || one.id < after)
        .toSorted((one, other) => (one.id < other.id ? 1 : -1))
        .slice(0, max)
    },
    changeAll: (messages, decide) => changeAll(rows, messages, ({ data }) => data.orderId, decide),
    change: (id, decide, now) => changeOne(rows, id, decide, now),
    changeMany: (ids, decide, now) => changeAll(rows, ids, (id) => id, decide, now),
    async unpaid(now, max) {
      return bodies()
        .filter(({ status, payBy }) => /^(reserving|paying)$/.test(status) && payBy < now.toISOString())
        .toSorted((one, other) => (one.payBy < other.payBy ? -1 : 1))
        .map(({ id }) => id)
        .slice(0, max)
    },
    async count(from, until) {
      const placed = bodies().filter(
        ({ placedAt }) => placedAt >= from.toISOString() && placedAt < until.toISOString(),
      )
      return [...Map.groupBy(placed, ({ status }) => status)].map(([status, all]): Count => {
        const cents = all.reduce((sum, { quote }) => sum + (quote?.totalCents ?? 0), 0)
        return { status, orders: all.length, cents }
      })
    },
    outbox: rows.outbox,
  }
}
