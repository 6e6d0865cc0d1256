import { randomUUIDv7 } from 'node:crypto'
import type { Prices } from '@tideshop/clients/prices'
import { orderStockResponse } from '@tideshop/contracts/catalog'
import {
  type OrderView,
  orderStatistics,
  ordersPage,
  orderView,
  type PlaceOrder,
} from '@tideshop/contracts/orders'
import { orderPaymentResponse } from '@tideshop/contracts/payments'
import { memoryBindings, memoryBus } from '@tideshop/kit/memory'
import { outboxOf } from '@tideshop/kit/outbox'
import { Refusal } from '@tideshop/kit/refusal'
import { roadTo } from '@tideshop/kit/road'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { ordersApp } from '../src/app.ts'
import { type Order, placeOrder } from '../src/order.ts'
import type { Answer } from '../src/saga.ts'
import { memoryOrders } from './memory-orders.ts'
import { customerId, PAY_WITHIN_MS, priceOf, reservedFor, wish } from './wishes.ts'

function shop({
  bus = memoryBus(),
  bindings = memoryBindings(),
  quote = async (asked: Parameters<Prices['quote']>[0]) => priceOf(asked).quote,
} = {}) {
  const parts = { ...quietParts('orders', bus), now: () => clock.now }
  const clock = { now: noon }
  const orders = memoryOrders()
  const asked: unknown[] = []
  const outbox = outboxOf(orders.outbox, bus, parts.log, parts.now)
  const app = ordersApp({
    ...parts,
    orders,
    outbox,
    road: roadTo('order-stock', 'orders', bus, parts.now),
    bindings,
    prices: {
      quote: async (basket) => {
        asked.push(basket)
        return quote(basket)
      },
    },
    payWithinMs: PAY_WITHIN_MS,
  })
  const told = () => bus.told.filter(({ topic }) => /^order-(stock|payment)$/.test(topic))
  const asks = () => told().map(({ topic, event }) => `${topic} ${(event.data as { ask: string }).ask}`)
  return { app, orders, outbox, bindings, asked, clock, told, asks }
}
type Shop = ReturnType<typeof shop>

const post = ({ app }: Shop, path: string, body: object) => request(app).post(path).send(body)
const place = (here: Shop, order: PlaceOrder) => post(here, '/order/place', order)

async function look({ app }: Shop, id: string): Promise<OrderView> {
  return orderView.parse((await request(app).get('/order').query({ id })).body)
}

/** Returns what the sidecar is told of each. */
async function hear({ app }: Shop, ...answers: Answer[]): Promise<string[]> {
  const isMoney = answers.some(({ answer }) => ['paid', 'declined', 'refunded'].includes(answer))
  const contract = isMoney ? orderPaymentResponse : orderStockResponse
  const events = answers.map(
    (data) =>
      contract.tell({ subject: data.orderId, version: 1, time: noon.toISOString(), data: data as never })
        .event,
  )
  const { body } = await request(app)
    .post(`/events/${contract.topic}`)
    .send(delivery(...events))
  return body.statuses.map(({ status }: { status: string }) => status)
}

async function placed(here: Shop, more: Partial<PlaceOrder> = {}): Promise<Order> {
  const order = wish(more)
  expect((await place(here, order)).status).toBe(200)
  return (await here.orders.findAll([order.id]))[0] as Order
}

async function confirmed(here: Shop): Promise<Order> {
  const order = await placed(here)
  await hear(here, reservedFor(order))
  await hear(here, { answer: 'paid', orderId: order.id, cents: priceOf(order).quote.totalCents })
  expect(await hear(here, { answer: 'confirmed', orderId: order.id })).toEqual(['SUCCESS'])
  return order
}

test('an order goes from its place to its confirmation, and asks for its invoice', async () => {
  const here = shop()
  const { id } = await confirmed(here)
  expect(here.asks()).toEqual(['order-stock reserve', 'order-payment charge', 'order-stock confirm'])
  expect(here.told()[0]?.event.traceparent).toBe('trace')
  expect(here.asked).toMatchObject([{ at: noon.toISOString(), voucherCodes: ['FIVER'] }])
  const view = await look(here, id)
  expect(view).toMatchObject({ status: 'confirmed', card: '•••• 4242', lines: [{ name: 'Lantern' }] })
  expect(here.bindings.taken).toMatchObject([{ binding: 'queue.ask', data: { orderId: id } }])
})

test('an order comes once, by its id and by its key, and tells once', async () => {
  const here = shop()
  const first = wish({ idempotencyKey: 'k-1' })
  const { body } = await place(here, first)
  expect((await place(here, first)).body).toEqual(body)
  const again = { ...first, id: randomUUIDv7() }
  expect((await place(here, again)).body).toEqual(body)
  expect((await place(here, { ...again, lines: [], voucherCodes: [] })).body).toEqual(body)
  expect(here.asks()).toEqual(['order-stock reserve'])
  for (const lines of [first.lines, []]) {
    const other = await place(here, { ...again, lines, card: '4000000000000002' })
    expect([other.status, other.body.title]).toEqual([422, 'key-reused'])
  }
})

test.each([
  ['an empty basket', wish({ lines: [] }), 409, 'conflict'],
  ['an empty basket under a new key', wish({ lines: [], idempotencyKey: 'k-2' }), 409, 'conflict'],
  ['a good twice', wish({ lines: ['a', 'b'].map(() => ({ sku: 'LMP-0101', quantity: 1 })) }), 400, 'invalid'],
  ['a real card', { ...wish(), card: '4111111111111111' }, 400, 'invalid'],
  ['no address', { ...wish(), contact: { name: 'Hans', address: [] } }, 400, 'invalid'],
])('%s is refused and leaves nothing', async (_, order, status, title) => {
  const here = shop()
  const answer = await place(here, order as PlaceOrder)
  expect([answer.status, answer.body.title]).toEqual([status, title])
  expect(await here.orders.list({ max: 10 })).toEqual([])
})

test('a broker that is away is a refusal with nothing done', async () => {
  const here = shop({ bus: memoryBus(() => true) })
  const order = wish()
  expect((await place(here, order)).status).toBe(503)
  expect((await request(here.app).get('/order').query({ id: order.id })).status).toBe(404)
})

test('what a dead process left in the outbox waits there: the question of a new order, and of a cancelled one', async () => {
  let away = false
  const here = shop({ bus: memoryBus(({ topic }) => away && !topic.endsWith('.probe')) })
  away = true
  const { id } = await placed(here)
  await here.outbox.idle()
  expect((await post(here, '/order/cancel', { id, traceparent: 'trace' })).status).toBe(200)
  await here.outbox.idle()
  const [waiting] = await here.orders.outbox.waiting(new Date(noon.getTime() + 1), 10)
  expect(waiting?.outgoing.map(({ event }) => event.id)).toEqual([`${id}:1`, `${id}:5`])
  expect(waiting?.outgoing.map(({ event }) => event.traceparent)).toEqual(['trace', 'trace'])
})

describe('a price', () => {
  test('is asked for an order that waits for it, and for no other', async () => {
    const here = shop()
    const order = await placed(here)
    await hear(here, reservedFor(order), reservedFor(order))
    await hear(here, reservedFor(order))
    const cancelled = await placed(here)
    await post(here, '/order/cancel', { id: cancelled.id, traceparent: 't' })
    await hear(here, reservedFor(cancelled))
    // Both of the first batch found it waiting.
    expect(here.asked).toHaveLength(2)
    expect((await look(here, order.id)).timeline.map(({ step }) => step)).toEqual([
      'placed',
      'stock-reserved',
      'priced',
    ])
  })

  test('that cannot be had now brings the message again, and holds up no other', async () => {
    let away = true
    const here = shop({
      quote: async ({ lines }) => {
        if (away && lines[0]?.quantity === 7) throw new Refusal('unavailable', 'pricing does not answer')
        return priceOf({ lines }).quote
      },
    })
    const slow = await placed(here, { lines: [{ sku: 'LMP-0101', quantity: 7 }] })
    const other = await placed(here)
    expect(await hear(here, reservedFor(slow), reservedFor(other))).toEqual(['RETRY', 'SUCCESS'])
    expect([(await look(here, slow.id)).status, (await look(here, other.id)).status]).toEqual([
      'reserving',
      'paying',
    ])
    away = false
    expect(await hear(here, reservedFor(slow))).toEqual(['SUCCESS'])
    expect((await look(here, slow.id)).status).toBe('paying')
  })

  test('that pricing refuses cancels the order, and one of other goods is put aside', async () => {
    const here = shop({ quote: () => Promise.reject(new Refusal('invalid', 'no such price')) })
    const order = await placed(here)
    expect(
      await hear(here, {
        ...reservedFor(order),
        lines: [{ ...reservedFor(order).lines[0], sku: 'TAB-0101' }],
      } as never),
    ).toEqual(['SUCCESS'])
    expect((await look(here, order.id)).status).toBe('reserving')
    await hear(here, reservedFor(order))
    expect(await look(here, order.id)).toMatchObject({ status: 'releasing', quote: null })
    expect(here.asks()).toEqual(['order-stock reserve', 'order-stock release'])
  })
})

describe('an invoice', () => {
  test('that could not be asked for is asked when the message comes again, wherever the order is by then', async () => {
    let away = true
    const here = shop({ bindings: memoryBindings(() => away) })
    const order = await placed(here)
    await hear(here, reservedFor(order))
    await hear(here, { answer: 'paid', orderId: order.id, cents: priceOf(order).quote.totalCents })
    const answer: Answer = { answer: 'confirmed', orderId: order.id }
    expect(await hear(here, answer)).toEqual(['RETRY'])
    await post(here, '/order/logistics', { id: order.id, step: 'packed' })
    away = false
    expect(await hear(here, answer)).toEqual(['SUCCESS'])
    expect(await hear(here, answer)).toEqual(['SUCCESS'])
    const [first, second] = here.bindings.taken
    expect(here.bindings.taken).toHaveLength(2)
    expect(second).toEqual(first)
  })

  test('is not asked for where nobody writes them', async () => {
    const here = shop({ bindings: { ...memoryBindings(() => true), has: async () => false } })
    const { id } = await confirmed(here)
    expect((await look(here, id)).timeline.at(-1)?.step).toBe('stock-confirmed')
  })
})

test('unpaid orders expire, as often as somebody asks, and the others stay', async () => {
  const here = shop()
  const [reserving, paying] = [await placed(here), await placed(here)]
  await hear(here, reservedFor(paying))
  const { id } = await confirmed(here)
  const expire = async () => (await request(here.app).post('/orders/expire')).body
  expect(await expire()).toEqual({ expired: 0 })
  here.clock.now = new Date(noon.getTime() + PAY_WITHIN_MS + 1)
  expect(await expire()).toEqual({ expired: 2 })
  expect(await expire()).toEqual({ expired: 0 })
  expect((await look(here, reserving.id)).status).toBe('releasing')
  expect((await look(here, paying.id)).status).toBe('refunding')
  expect((await look(here, id)).status).toBe('confirmed')
  // His money was on its way.
  const late: Answer = { answer: 'paid', orderId: paying.id, cents: priceOf(paying).quote.totalCents }
  expect(await hear(here, late)).toEqual(['SUCCESS'])
  expect((await look(here, paying.id)).status).toBe('refunding')
})

test('of many that are unpaid five hundred expire at once at most, and the others with the next call', async () => {
  const here = shop()
  for (let count = 0; count < 510; count += 1) {
    const order = placeOrder(wish(), PAY_WITHIN_MS, noon)
    await here.orders.create(order, [], noon)
  }
  here.clock.now = new Date(noon.getTime() + PAY_WITHIN_MS + 1)
  let expired = 0
  const once = async () => {
    const { body } = await request(here.app).post('/orders/expire')
    expect(body.expired).toBeLessThanOrEqual(500)
    expired += body.expired
    return body.expired
  }
  // A busy machine may need more calls than two.
  expect(await once()).toBeGreaterThan(0)
  while (expired < 510) expect(await once()).toBeGreaterThan(0)
  expect(await once()).toBe(0)
  await here.outbox.idle()
  expect(here.asks()).toHaveLength(510)
})

test('a customer sees and cancels what is his', async () => {
  const here = shop()
  const { id } = await placed(here)
  const other = randomUUIDv7()
  const get = (path: string, query: object) => request(here.app).get(path).query(query)
  expect((await get('/order', { id, customerId })).status).toBe(200)
  expect((await get('/order', { id, customerId: other })).status).toBe(404)
  const cancel = (who: string) => post(here, '/order/cancel', { id, customerId: who, traceparent: 'trace' })
  expect((await cancel(other)).status).toBe(404)
  for (const _ of ['once', 'twice']) {
    const { status, body } = await cancel(customerId)
    expect({ status, order: body.status, cancellable: body.cancellable }).toEqual({
      status: 200,
      order: 'releasing',
      cancellable: false,
    })
  }
  await here.outbox.idle()
  expect(here.asks()).toEqual(['order-stock reserve', 'order-stock release'])
  expect((await get('/orders', { customerId: other })).body).toEqual({ orders: [], next: null })
})

test('what was shipped is not cancelled, and logistics go one after the other', async () => {
  const here = shop()
  const { id } = await confirmed(here)
  const say = async (step: string) => (await post(here, '/order/logistics', { id, step })).status
  expect(await say('shipped')).toBe(409)
  expect([await say('packed'), await say('packed'), await say('shipped')]).toEqual([200, 200, 200])
  const { status, body } = await post(here, '/order/cancel', { id, traceparent: 'trace' })
  expect([status, body.title]).toEqual([409, 'conflict'])
  expect(await say('delivered')).toBe(200)
  expect((await post(here, '/order/logistics', { id: randomUUIDv7(), step: 'packed' })).status).toBe(404)
})

test('orders are shown page by page, and a page of large ones is shorter', async () => {
  const here = shop()
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.unshift((await placed(here)).id)
  const list = async (query: object) =>
    ordersPage.parse((await request(here.app).get('/orders').query(query)).body)
  const first = await list({ limit: 2 })
  expect(first.orders.map(({ id }) => id)).toEqual(ids.slice(0, 2))
  expect(first.next).toBe(ids[1])
  const rest = await list({ limit: 100, after: first.next })
  expect([rest.orders.map(({ id }) => id), rest.next]).toEqual([ids.slice(2), null])

  const large = Array.from({ length: 100 }, (_, nth) => ({ sku: `LMP-${1000 + nth}`, quantity: 1 }))
  for (let count = 0; count < 5; count += 1) {
    const order = await placed(here, { lines: large, contact: { name: 'Hans', address: ['1 Quay'] } })
    const { lines } = reservedFor(order)
    await hear(here, {
      answer: 'reserved',
      orderId: order.id,
      lines: lines.map((line) => ({ ...line, name: '€'.repeat(120) })),
    })
  }
  const whole = await list({ limit: 100 })
  expect(whole.orders).toHaveLength(10)
})

test('a day’s orders are counted, with what the shop keeps of them', async () => {
  const here = shop()
  const order = await confirmed(here)
  await placed(here)
  const { body } = await request(here.app).get('/orders/statistics').query({ day: '2026-11-21' })
  expect(orderStatistics.parse(body)).toEqual({
    day: '2026-11-21',
    placed: 2,
    byStatus: { confirmed: 1, reserving: 1 },
    turnoverCents: priceOf(order).quote.totalCents,
  })
  const none = await request(here.app).get('/orders/statistics').query({ day: '2026-11-22' })
  expect(none.body).toEqual({ day: '2026-11-22', placed: 0, byStatus: {}, turnoverCents: 0 })
  expect((await request(here.app).get('/orders/statistics').query({ day: 'today' })).status).toBe(400)
})

test('an answer about no order is put aside', async () => {
  const bus = memoryBus()
  const here = shop({ bus })
  expect(await hear(here, { answer: 'released', orderId: randomUUIDv7() })).toEqual(['SUCCESS'])
  expect(await hear(here, { answer: 'refunded', orderId: randomUUIDv7(), cents: 0 })).toEqual(['SUCCESS'])
  expect(bus.told.map(({ topic }) => topic)).toEqual([
    'order-stock-response.dead',
    'order-payment-response.dead',
  ])
})
