import { randomUUIDv7 } from 'node:crypto'
import { expiredOrders, type OrderView, ordersPage, orderView } from '@tideshop/contracts/orders'
import type { TestCard } from '@tideshop/contracts/payments'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Checkout, Customer, moneyOf, steps } from './customer.ts'
import { openShop } from './open-shop.ts'
import { putGood, stockOf } from './stock.ts'

const WITHIN = { timeout: 60_000, interval: 50 }
const PIECES = 1000
const GOODS = ['ORD-0001', 'ORD-0002'] as const
const UNIT_CENTS = 1000

const shop = await openShop({ only: ['orders', 'catalog', 'pricing', 'payments', 'basket'] })
const stock = stockOf(shop)
const client = new MongoClient(shop.mongodbUri)
afterAll(() => client.close())
beforeAll(async () => {
  for (const sku of GOODS) await putGood(shop, sku, PIECES)
  await putGood(shop, 'ORD-0003', 1)
})

type Wish = Checkout & { quantity?: number; sku?: string }

/** Asks again where a busy machine makes a call wait too long. */
class Hans extends Customer {
  constructor() {
    super(shop)
  }

  /** A change says how it shall be. */
  async fill(sku: string, quantity: number): Promise<void> {
    await expect.poll(async () => (await this.put(sku, quantity)).status, WITHIN).toBe(200)
  }

  /** Whoever is refused, because the machine is busy or somebody is away, says it again with the same key. */
  async placed(wish: Wish): Promise<OrderView> {
    const keyed = { key: randomUUIDv7(), ...wish }
    let answer = await this.place(keyed)
    const again = async () => {
      if (answer.status === 503) answer = await this.place(keyed)
      return answer
    }
    await expect.poll(again, WITHIN).toMatchObject({ status: 202 })
    return orderView.parse(answer.body)
  }

  async order(wish: Wish = {}): Promise<OrderView> {
    await this.fill(wish.sku ?? GOODS[0], wish.quantity ?? 2)
    return this.placed(wish)
  }

  async until(id: string, status: OrderView['status']): Promise<OrderView> {
    await expect.poll(async () => (await this.look(id)).status, WITHIN).toBe(status)
    return this.look(id)
  }
}

function expire() {
  const [orders] = shop.replicas('orders')
  return fetch(`http://127.0.0.1:${orders?.appPort}/orders/expire`, { method: 'POST' })
}

test('a customer orders, pays, and sees each step; the basket is empty, and the same key is the same order', async () => {
  const hans = new Hans()
  const before = await stock.read(GOODS[0])
  const { id } = await hans.order({ key: 'k-1', agreedTotalCents: 2 * UNIT_CENTS })
  const order = await hans.until(id, 'confirmed')
  // Nobody writes invoices in this shop: it has no RabbitMQ.
  expect(steps(order)).toEqual(['placed', 'stock-reserved', 'priced', 'paid', 'stock-confirmed'])
  expect(order).toMatchObject({
    card: '•••• 4242',
    lines: [{ sku: GOODS[0], quantity: 2, name: expect.stringContaining(GOODS[0]) }],
    cancellable: true,
  })
  expect(order.quote?.totalCents).toBeLessThanOrEqual(2 * UNIT_CENTS)
  expect(await moneyOf(client, [id])).toBe(order.quote?.totalCents)
  const after = await stock.read(GOODS[0])
  expect(after).toEqual({ ...before, free: before.free - 2, sold: before.sold + 2 })
  expect((await hans.ask('GET', '/api/basket')).body).toMatchObject({ lines: [] })

  expect((await hans.place({ key: 'k-1', agreedTotalCents: 2 * UNIT_CENTS })).body).toMatchObject({ id })
  expect((await hans.place({ key: 'k-1' })).status).toBe(422)
  expect((await hans.place()).status).toBe(409)
  const { orders } = ordersPage.parse((await hans.ask('GET', '/api/orders')).body)
  expect(orders.map((one) => one.id)).toEqual([id])
  expect((await new Hans().ask('GET', `/api/orders/${id}`)).status).toBe(404)
})

test.each<[string, Wish, string]>([
  ['declined', { card: '4000000000000002' }, 'declined'],
  ['dearer than agreed', { agreedTotalCents: 1 }, 'price-refused'],
  ['of more than there is', { sku: 'ORD-0003', quantity: 2 }, 'stock-refused'],
  ['of what nobody sells', { sku: 'NONE-0001' }, 'stock-refused'],
])('an order that is %s is cancelled, and nothing is held or paid', async (_, wish, step) => {
  const hans = new Hans()
  const before = await stock.read(GOODS[0])
  const { id } = await hans.order(wish)
  const order = await hans.until(id, 'cancelled')
  expect(steps(order)).toContain(step)
  expect(await moneyOf(client, [id])).toBe(0)
  expect(await stock.read(GOODS[0])).toEqual(before)
})

test('a change of mind after the confirmation gives back the money, then the pieces', async () => {
  const hans = new Hans()
  const before = await stock.read(GOODS[0])
  const { id } = await hans.order()
  await hans.until(id, 'confirmed')
  for (const _ of ['once', 'twice']) {
    expect((await hans.ask('POST', `/api/orders/${id}/cancel`)).status).toBe(200)
  }
  const order = await hans.until(id, 'cancelled')
  expect(steps(order).slice(-4)).toEqual(['cancel-asked', 'refunded', 'stock-released', 'cancelled'])
  expect(await moneyOf(client, [id])).toBe(0)
  expect(await stock.read(GOODS[0])).toEqual(before)
  expect((await new Hans().ask('POST', `/api/orders/${id}/cancel`)).status).toBe(404)
})

test('an order whose provider says nothing expires, and a change of mind in the first moment is no loss', async () => {
  const hans = new Hans()
  const before = await stock.read(GOODS[0])
  const { id } = await hans.order({ card: '4000000000000119' })
  await hans.until(id, 'paying')
  expect(expiredOrders.parse(await (await expire()).json())).toEqual({ expired: 0 })
  // A quarter of an hour later.
  const past = new Date(Date.now() - 1000).toISOString()
  const collection = client.db('orders').collection<{ _id: string }>('orders')
  await collection.updateOne({ _id: id }, { $set: { 'body.payBy': past } })
  await expire()
  const order = await hans.until(id, 'cancelled')
  expect(steps(order).slice(-4)).toEqual(['expired', 'refunded', 'stock-released', 'cancelled'])

  const early = await hans.order()
  await hans.ask('POST', `/api/orders/${early.id}/cancel`)
  await hans.until(early.id, 'cancelled')
  expect(await moneyOf(client, [id, early.id])).toBe(0)
  expect(await stock.read(GOODS[0])).toEqual(before)
})

test('no path with which anybody calls for an order names it', async () => {
  const hans = new Hans()
  const { id } = await hans.order()
  await hans.until(id, 'confirmed')
  for (const appId of ['apigateway', 'orders']) {
    const [replica] = shop.replicas(appId)
    const metrics = await (await fetch(`http://127.0.0.1:${replica?.metricsPort}/metrics`)).text()
    const lines = metrics.split('\n').filter((line) => line.startsWith('dapr_http_server_request_count'))
    expect(lines.join('\n')).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7/)
  }
})

test.each(['orders', 'payments', 'catalog'])(
  '%s is killed in the middle of fifty orders: every one ends, and no piece and no cent is lost or doubled',
  async (appId) => {
    const before = await stock.read(GOODS[1])
    const cards: TestCard[] = ['4242424242424242', '4000000000000002', '4000000000000341', '4242424242424242']
    const customers = Array.from({ length: 50 }, () => new Hans())
    await Promise.all(customers.map((customer) => customer.fill(GOODS[1], 2)))
    const place = async (customer: Hans, nth: number): Promise<string> =>
      (await customer.placed({ card: cards[nth % cards.length] as TestCard })).id
    const placing = Promise.all(customers.map(place))
    const [replica] = shop.replicas(appId)
    if (replica === undefined) throw new Error(`${appId} does not run`)
    const isUnderWay = async () => {
      const moved = await client
        .db('orders')
        .collection('orders')
        .countDocuments({
          'body.lines.sku': GOODS[1],
          'body.status': { $nin: ['reserving', 'confirmed', 'cancelled'] },
        })
      return moved > 0
    }
    await expect.poll(isUnderWay, { timeout: 30_000, interval: 5 }).toBe(true)
    await Promise.all([replica.app.kill(), appId === 'orders' && replica.sidecar.kill()])
    await replica.app.start()
    if (appId === 'orders') await replica.sidecar.start()
    const ids = await placing
    const ended = async () => {
      const orders = await Promise.all(customers.map((customer, nth) => customer.look(ids[nth] ?? '')))
      return orders.filter(({ status }) => status === 'confirmed' || status === 'cancelled')
    }
    await expect.poll(async () => (await ended()).length, WITHIN).toBe(ids.length)
    const orders = await ended()
    expect(new Set(orders.map(({ id }) => id)).size).toBe(customers.length)
    const confirmed = orders.filter(({ status }) => status === 'confirmed')
    expect(confirmed.length).toBeGreaterThan(0)
    const cents = confirmed.reduce((sum, { quote }) => sum + (quote?.totalCents ?? 0), 0)
    expect(await moneyOf(client, ids)).toBe(cents)
    const sold = 2 * confirmed.length
    expect(await stock.read(GOODS[1])).toEqual({
      ...before,
      free: before.free - sold,
      sold: before.sold + sold,
    })
    const mine = { 'body.customerId': { $in: customers.map(({ id }) => id) } }
    expect(await client.db('orders').collection('orders').countDocuments(mine)).toBe(customers.length)
  },
)
