import type { OrderStatus } from '@tideshop/contracts/orders'
import { changeAll, changeOne, type Decide, type Decision, type Rows } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import type { Result } from '@tideshop/kit/inbox'
import { atTheDoor, type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import { mongoOutbox, OUTBOX_INDEX, type OutboxRows } from '@tideshop/kit/outbox'
import type { Collection, Db, Filter } from 'mongodb'
import type { In, Order } from './order.ts'

/** Milliseconds of the database's share in the one second that a caller gives a call. */
const DOOR_TIMEOUT_MS = 700

/** What is wanted of a list: up to `max`, older than `after`. */
export type Wanted = {
  customerId?: string | undefined
  status?: OrderStatus | undefined
  after?: string | undefined
  max: number
}

/** How many orders of one status, and what they come to. */
export type Count = { status: OrderStatus; orders: number; cents: number }

export type OrderStore = {
  /** Writes it with its events in its outbox. Null when it was written, else the order that stood there before, by id or by key. */
  create: (order: In<'reserving'>, tell: readonly Outgoing[], now: Date) => Promise<Order | null>
  /** In the order of their ids; null where there is none. */
  findAll: (ids: readonly string[]) => Promise<readonly (Order | null)[]>
  findByKey: (callerKey: string) => Promise<Order | null>
  /** The newest first. */
  list: (wanted: Wanted) => Promise<readonly Order[]>
  /** Applies each message to its order. `decide` may run more than once, so it must be pure. */
  changeAll: <M extends { data: { orderId: string } }>(
    messages: readonly M[],
    decide: Decide<Order, M>,
  ) => Promise<readonly Result[]>
  /** For a caller who waits: what it tells stands in the outbox with the same write. */
  change: (
    id: string,
    decide: (current: Order | null) => Decision<Order>,
    now: Date,
  ) => Promise<Decision<Order>>
  /** The same for many at once. */
  changeMany: (
    ids: readonly string[],
    decide: (current: Order | null) => Decision<Order>,
    now: Date,
  ) => Promise<readonly Result[]>
  /** Ids of those that wait for stock or for money and whose time was over before `now`, the longest ago first. */
  unpaid: (now: Date, max: number) => Promise<readonly string[]>
  /** Of the orders placed from the one time until just before the other. */
  count: (from: Date, until: Date) => Promise<readonly Count[]>
  outbox: OutboxRows
}

export function mongoOrders(db: Db): OrderStore & { prepare: () => Promise<void> } {
  const collection = db.collection<MongoRow<Order>>('orders')
  const rows = mongoRows(collection)

  return {
    async prepare() {
      await collection.createIndexes([
        OUTBOX_INDEX,
        { key: { 'body.callerKey': 1 }, name: 'key', unique: true, sparse: true },
        { key: { 'body.customerId': 1, _id: -1 }, name: 'customer' },
        { key: { 'body.status': 1, _id: -1 }, name: 'status' },
        { key: { 'body.status': 1, 'body.payBy': 1 }, name: 'unpaid' },
        { key: { 'body.placedAt': 1 }, name: 'day' },
      ])
    },

    async create(order, tell, since) {
      const outbox = tell.map((one) => ({ ...one, since }))
      const lost = await inTime(rows).write([{ id: order.id, was: 0, version: 1, body: order, outbox }])
      return lost.size === 0 ? null : standingFor(collection, order)
    },

    async findAll(ids) {
      const found = await atTheDoor(rows.read(ids), DOOR_TIMEOUT_MS, false)
      const byId = new Map(found.map(({ id, body }) => [id, body]))
      return ids.map((id) => byId.get(id) ?? null)
    },

    async findByKey(callerKey) {
      const [order = null] = await bodies(collection, { 'body.callerKey': callerKey }, 1)
      return order
    },

    list({ customerId, status, after, max }) {
      const filter = {
        ...(customerId !== undefined && { 'body.customerId': customerId }),
        ...(status !== undefined && { 'body.status': status }),
        ...(after !== undefined && { _id: { $lt: after } }),
      }
      return bodies(collection, filter, max)
    },

    changeAll: (messages, decide) => changeAll(rows, messages, ({ data }) => data.orderId, decide),
    change: (id, decide, now) => changeOne(inTime(rows), id, decide, now),
    changeMany: (ids, decide, now) => changeAll(inTime(rows), ids, (id) => id, decide, now),

    async unpaid(now, max) {
      const late = {
        'body.status': { $in: ['reserving', 'paying'] },
        'body.payBy': { $lt: now.toISOString() },
      }
      const found = collection
        .find(late as Filter<MongoRow<Order>>, { projection: { _id: 1 } })
        .sort({ 'body.payBy': 1 })
        .limit(max)
        .toArray()
      return (await atTheDoor(found, DOOR_TIMEOUT_MS, false)).map(({ _id }) => _id)
    },

    async count(from, until) {
      const placed = { 'body.placedAt': { $gte: from.toISOString(), $lt: until.toISOString() } }
      const counted = collection
        .aggregate<{ _id: OrderStatus; orders: number; cents: number }>([
          { $match: placed },
          { $group: { _id: '$body.status', orders: { $sum: 1 }, cents: { $sum: '$body.quote.totalCents' } } },
        ])
        .toArray()
      const groups = await atTheDoor(counted, DOOR_TIMEOUT_MS, false)
      return groups.map(({ _id: status, orders, cents }) => ({ status, orders, cents }))
    },

    outbox: mongoOutbox(collection),
  }
}

/** Who stands in the way of an order: its first try, or another one with its key. */
async function standingFor(
  collection: Collection<MongoRow<Order>>,
  { id, callerKey }: Order,
): Promise<Order> {
  const either = [{ _id: id }, ...(callerKey === undefined ? [] : [{ 'body.callerKey': callerKey }])]
  const found = await bodies(collection, { $or: either }, either.length)
  const standing = found.find((one) => one.id !== id) ?? found[0]
  if (standing === undefined) throw new Error(`order ${id} was refused as a duplicate of nothing`)
  return standing
}

/** The newest first. */
async function bodies(
  collection: Collection<MongoRow<Order>>,
  filter: object,
  max: number,
): Promise<Order[]> {
  const found = collection
    .find(filter as Filter<MongoRow<Order>>)
    .sort({ _id: -1 })
    .limit(max)
    .toArray()
  const rows = await atTheDoor(found, DOOR_TIMEOUT_MS, false)
  return rows.map(({ body }) => body as Order)
}

/** For callers who wait. */
function inTime(rows: Rows<Order>): Rows<Order> {
  return {
    read: (ids) => atTheDoor(rows.read(ids), DOOR_TIMEOUT_MS, false),
    write: (writes) => atTheDoor(rows.write(writes), DOOR_TIMEOUT_MS, true),
  }
}
