import { randomUUIDv7 } from 'node:crypto'
import { testDatabase } from '@tideshop/kit/test/database'
import { noon } from '@tideshop/kit/test/parts'
import { describe, expect, test } from 'vitest'
import { type Order, placeOrder } from '../src/order.ts'
import { askedBy, cancelOrder, expireOrder, hearAnswer } from '../src/saga.ts'
import { mongoOrders, type OrderStore } from '../src/store.ts'
import { memoryOrders } from './memory-orders.ts'
import { PAY_WITHIN_MS, priceOf, reservedFor, wish } from './wishes.ts'

const database = testDatabase()
const later = new Date(noon.getTime() + 10_000)
const tooLate = new Date(noon.getTime() + PAY_WITHIN_MS + 1)

async function emptyMongo(): Promise<OrderStore> {
  await database().dropDatabase()
  const orders = mongoOrders(database())
  await orders.prepare()
  return orders
}

async function put(orders: OrderStore, more: Parameters<typeof wish>[0] = {}, at = noon) {
  const order = placeOrder(wish(more), PAY_WITHIN_MS, at)
  return { order, standing: await orders.create(order, askedBy(order), at) }
}

async function hear(orders: OrderStore, order: Order, data: Parameters<typeof hearAnswer>[1]['data']) {
  const heard = { data, price: priceOf(order), hasInvoices: true }
  return orders.changeAll([heard], (current, one) => hearAnswer(current, one, later))
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => memoryOrders()],
  ['in the database', emptyMongo],
])('orders %s', (_where, open) => {
  test('a new one is written with what it has to tell', async () => {
    const orders = await open()
    const { order, standing } = await put(orders)
    expect(standing).toBe(null)
    expect(await orders.findAll([randomUUIDv7(), order.id])).toEqual([null, order])
    expect(await orders.outbox.waiting(later, 10)).toEqual([{ id: order.id, outgoing: askedBy(order) }])
  })

  test('the same id, or the same key of the same customer, meets the one that stands', async () => {
    const orders = await open()
    const { order } = await put(orders, { idempotencyKey: 'k-1' })
    expect((await put(orders, { id: order.id })).standing).toEqual(order)
    expect((await put(orders, { id: order.id, idempotencyKey: 'k-1' })).standing).toEqual(order)
    expect((await put(orders, { idempotencyKey: 'k-1' })).standing).toEqual(order)
    expect((await put(orders, { idempotencyKey: 'k-1', customerId: randomUUIDv7() })).standing).toBe(null)
    expect(await orders.findByKey(order.callerKey ?? '')).toEqual(order)
    expect(await orders.findByKey('nobody k-1')).toBe(null)
  })

  test('orders without a key do not stand in each other’s way', async () => {
    const orders = await open()
    expect([(await put(orders)).standing, (await put(orders)).standing]).toEqual([null, null])
  })

  test('what an answer changes is written, and a cancellation waits to be told beside what waits already', async () => {
    const orders = await open()
    const { order } = await put(orders)
    const [result] = await hear(orders, order, reservedFor(order))
    expect(result).toMatchObject({ outcome: 'done', tell: [{ topic: 'order-payment' }] })
    const { next, tell } = await orders.change(order.id, (one) => cancelOrder(one, order, later), later)
    expect(await orders.findAll([order.id])).toEqual([next])
    expect(next.status).toBe('refunding')
    const [waiting] = await orders.outbox.waiting(tooLate, 10)
    expect(waiting?.outgoing).toEqual([...askedBy(order), ...tell])
  })

  test('what is unpaid is found once its time is over, the longest ago first, and expires together', async () => {
    const orders = await open()
    const old = (await put(orders, {}, new Date(noon.getTime() - 1000))).order
    const { order } = await put(orders)
    const paying = (await put(orders, {}, new Date(noon.getTime() - 500))).order
    await hear(orders, paying, reservedFor(paying))
    const gone = (await put(orders)).order
    await hear(orders, gone, { answer: 'refused', orderId: gone.id, reason: 'sold out' })
    await put(orders, {}, later)
    expect(await orders.unpaid(new Date(order.payBy), 10)).toEqual([old.id, paying.id])
    const ids = await orders.unpaid(tooLate, 10)
    expect(ids).toEqual([old.id, paying.id, order.id])
    expect(await orders.unpaid(tooLate, 2)).toEqual([old.id, paying.id])
    const results = await orders.changeMany(ids, (one) => expireOrder(one, tooLate), tooLate)
    const topics = results.map((one) => one.outcome === 'done' && one.tell.map(({ topic }) => topic))
    expect(topics).toEqual([['order-stock'], ['order-payment'], ['order-stock']])
    expect(await orders.unpaid(tooLate, 10)).toEqual([])
    const waiting = await orders.outbox.waiting(new Date(tooLate.getTime() + 1), 10)
    const both = waiting.find(({ id }) => id === old.id)?.outgoing
    expect(both?.map(({ event }) => event.id.slice(-2))).toEqual([':1', ':5'])
  })

  test('they are listed newest first, of a customer, of a status, and page by page', async () => {
    const orders = await open()
    const [one, other] = [randomUUIDv7(), randomUUIDv7()]
    const mine: Order[] = []
    for (let count = 0; count < 3; count += 1) {
      mine.unshift((await put(orders, { customerId: one })).order)
      await put(orders, { customerId: other })
    }
    const [newest, middle, oldest] = mine as [Order, Order, Order]
    await hear(orders, middle, { answer: 'refused', orderId: middle.id, reason: 'sold out' })
    const list = async (wanted: Partial<Parameters<OrderStore['list']>[0]>) =>
      (await orders.list({ max: 10, ...wanted })).map(({ id }) => id)
    expect(await list({})).toHaveLength(6)
    expect(await list({ customerId: one })).toEqual(mine.map(({ id }) => id))
    expect(await list({ customerId: one, max: 2 })).toEqual([newest.id, middle.id])
    expect(await list({ customerId: one, after: middle.id })).toEqual([oldest.id])
    expect(await list({ status: 'cancelled' })).toEqual([middle.id])
    expect(await list({ customerId: one, status: 'reserving' })).toEqual([newest.id, oldest.id])
  })

  test('a day is counted by status, from its first moment to its last', async () => {
    const orders = await open()
    const day = new Date('2026-11-21T00:00:00.000Z')
    const next = new Date('2026-11-22T00:00:00.000Z')
    for (const at of [day, new Date(next.getTime() - 1)]) await put(orders, {}, at)
    for (const at of [next, new Date(day.getTime() - 1)]) await put(orders, {}, at)
    const { order } = await put(orders)
    await hear(orders, order, reservedFor(order))
    const counts = await orders.count(day, next)
    expect(counts.toSorted((one, other) => one.orders - other.orders)).toEqual([
      { status: 'paying', orders: 1, cents: priceOf(order).quote.totalCents },
      { status: 'reserving', orders: 2, cents: 0 },
    ])
  })
})
