import { randomUUIDv7 } from 'node:crypto'
import type { Baskets } from '@tideshop/clients/baskets'
import type { Orders } from '@tideshop/clients/orders'
import { askNobody } from '@tideshop/clients/test/nobody'
import type { BasketChange, BasketView } from '@tideshop/contracts/basket'
import { type OrderView, ordersPage, type PlaceOrder } from '@tideshop/contracts/orders'
import { httpApp } from '@tideshop/kit/http'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { adminOrderPaths } from '../src/openapi/orders.ts'
import { runOrders } from '../src/orders.ts'
import { openSettings } from './open-settings.ts'

const customer = randomUUIDv7()
const cookie = `tideshop-customer=${customer}`
const wish = { contact: { name: 'Hans', address: ['Am Kai 1'] }, card: '4242424242424242' }
const filled: BasketView = { lines: [{ sku: 'LMP-0101', quantity: 2 }], voucherCodes: ['FIVER'] }

function view({ id, lines, voucherCodes, contact }: PlaceOrder): OrderView {
  return {
    id,
    status: 'reserving',
    placedAt: '2026-11-21T12:00:00.000Z',
    payBy: '2026-11-21T12:15:00.000Z',
    contact,
    card: '•••• 4242',
    lines,
    voucherCodes,
    quote: null,
    timeline: [{ step: 'placed', at: '2026-11-21T12:00:00.000Z' }],
    cancellable: true,
  }
}

/** A door before services that remember what they were asked. `taken` decides whether the basket can be changed. */
function door(basket = filled, isThere = () => true) {
  const asked: [string, unknown][] = []
  const changes: BasketChange[] = []
  const placed = new Map<string, OrderView>()
  const baskets: Baskets = {
    find: async () => basket,
    async change(_id, change) {
      if (!isThere()) throw new Refusal('uncertain', 'basket did not answer')
      changes.push(change)
      return { basket, keptS: 3600 }
    },
  }
  const some = (wanted: unknown) => view({ ...wish, ...filled, ...(wanted as PlaceOrder) })
  const orders: Orders = {
    async place(order) {
      asked.push(['place', order])
      const key = order.idempotencyKey ?? order.id
      if (order.lines.length === 0) throw new Refusal('conflict', 'the basket is empty')
      placed.set(key, placed.get(key) ?? view(order))
      return placed.get(key) as OrderView
    },
    async find(wanted) {
      asked.push(['find', wanted])
      return some(wanted)
    },
    async list(wanted) {
      asked.push(['list', wanted])
      return { orders: [], next: null }
    },
    async cancel(wanted) {
      asked.push(['cancel', wanted])
      return some(wanted)
    },
    async advance(wanted) {
      asked.push(['advance', wanted])
      return some(wanted)
    },
  }
  const parts = {
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    baskets,
    orders,
    newId: () => randomUUIDv7(),
  }
  const app = gatewayApp(parts)
  const admin = httpApp(parts, (behind) => runOrders(behind, parts))
  const place = () => request(app).post('/api/orders').set('cookie', cookie)
  return { app, admin, asked, changes, place }
}

test('a customer orders what is in the basket, which is empty then, and can look at it for a year', async () => {
  const { place, asked, changes } = door()
  const answer = await place().send({ ...wish, agreedTotalCents: 999 })
  expect(answer.status).toBe(202)
  expect(asked).toEqual([
    [
      'place',
      {
        ...wish,
        ...filled,
        agreedTotalCents: 999,
        id: answer.body.id,
        customerId: customer,
        traceparent: expect.any(String),
      },
    ],
  ])
  expect(changes).toEqual([{ kind: 'take-ordered', lines: filled.lines }])
  expect(answer.headers).toMatchObject({
    location: `/api/orders/${answer.body.id}`,
    'cache-control': 'private, no-store',
  })
  expect(String(answer.headers['set-cookie'])).toContain(`${cookie}; Max-Age=31536000;`)
})

test('a door that dies before the basket is empty: the customer sees it full, and the same key is the same order', async () => {
  let away = true
  const { place, changes, asked } = door(filled, () => !away)
  const key = 'k-1'
  const first = await place().set('idempotency-key', key).send(wish)
  expect(first.status).toBe(503)
  away = false
  const second = await place().set('idempotency-key', key).send(wish)
  expect(second.status).toBe(202)
  const [[, one], [, other]] = asked as [[string, PlaceOrder], [string, PlaceOrder]]
  expect([one.idempotencyKey, other.idempotencyKey]).toEqual([key, key])
  expect(second.body.id).toBe(one.id)
  expect(changes).toHaveLength(1)
})

test('no basket is no order: who is nobody yet wakes nobody', async () => {
  const { app, place, asked } = door({ lines: [], voucherCodes: [] })
  const nobody = await request(app).post('/api/orders').send(wish)
  expect([nobody.status, nobody.body.title]).toEqual([409, 'conflict'])
  const id = randomUUIDv7()
  expect((await request(app).get('/api/orders')).body).toEqual({ orders: [], next: null })
  expect((await request(app).get(`/api/orders/${id}`)).status).toBe(404)
  expect((await request(app).post(`/api/orders/${id}/cancel`)).status).toBe(404)
  expect(asked).toEqual([])
  expect((await place().send(wish)).status).toBe(409)
})

test('a customer sees and cancels what is his, and nothing else is asked for', async () => {
  const { app, asked } = door()
  const id = randomUUIDv7()
  for (const answer of [
    await request(app).get(`/api/orders/${id}`).set('cookie', cookie),
    await request(app).get('/api/orders').query({ limit: 5 }).set('cookie', cookie),
    await request(app).post(`/api/orders/${id}/cancel`).set('cookie', cookie),
  ]) {
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('private, no-store')
  }
  expect(asked).toEqual([
    ['find', { id, customerId: customer }],
    ['list', { limit: 5, customerId: customer }],
    ['cancel', { id, customerId: customer, traceparent: expect.any(String) }],
  ])
})

test.each([
  [{ ...wish, card: '4111111111111111' }, 'card'],
  [{ ...wish, contact: { name: '', address: ['x'] } }, 'contact.name'],
  [{ ...wish, contact: { name: 'Hans', address: [] } }, 'contact.address'],
  [{ ...wish, agreedTotalCents: -1 }, 'agreedTotalCents'],
  [{ ...wish, lines: filled.lines }, ''],
  [{}, 'contact'],
])('%j is refused before it wakes anybody', async (body, field) => {
  const { place, asked, changes } = door()
  const answer = await place().send(body)
  expect([answer.status, answer.body.errors[0].path]).toEqual([400, field])
  expect([asked, changes]).toEqual([[], []])
})

test('rubbish is refused as elsewhere', async () => {
  const { app, place, asked } = door()
  expect((await place().type('text').send('x')).status).toBe(415)
  expect((await place().type('json').send('{')).status).toBe(400)
  expect((await place().set('idempotency-key', 'a key').send(wish)).status).toBe(400)
  const own = (method: 'get' | 'post', path: string) => request(app)[method](path).set('cookie', cookie)
  expect((await own('get', '/api/orders/1')).status).toBe(400)
  expect((await own('post', '/api/orders/..%2f1/cancel')).status).toBe(400)
  expect((await own('get', '/api/orders?limit=101')).status).toBe(400)
  expect((await own('get', `/api/orders?customerId=${randomUUIDv7()}`)).status).toBe(400)
  expect(asked).toEqual([])
})

test('the shop’s own routes are for the shop’s own people', async () => {
  const { app } = door()
  expect((await request(app).get('/api/admin/orders')).status).toBe(401)
  expect((await request(app).post(`/api/admin/orders/${randomUUIDv7()}/packed`)).status).toBe(401)
})

test('who may sees all orders, cancels any, and says how far they are', async () => {
  const { admin, asked } = door()
  const id = randomUUIDv7()
  const list = await request(admin).get('/api/admin/orders').query({ status: 'confirmed' })
  expect(ordersPage.parse(list.body).orders).toEqual([])
  for (const step of ['packed', 'shipped', 'delivered', 'cancel']) {
    expect((await request(admin).post(`/api/admin/orders/${id}/${step}`)).status).toBe(200)
  }
  expect(asked).toEqual([
    ['list', { status: 'confirmed', limit: 20 }],
    ...['packed', 'shipped', 'delivered'].map((step) => ['advance', { id, step }]),
    ['cancel', { id, traceparent: expect.any(String) }],
  ])
  expect((await request(admin).post(`/api/admin/orders/${id}/lost`)).status).toBe(404)
  expect((await request(admin).post('/api/admin/orders/1/packed')).status).toBe(400)
  expect((await request(admin).get('/api/admin/orders?status=gone')).status).toBe(400)
})

test('the contract knows every route of orders', async () => {
  const { paths } = (await request(door().app).get('/openapi.json')).body
  const routesOf = (all: object) =>
    Object.entries(all).map(([path, methods]) => `${path} ${Object.keys(methods)}`)
  expect(routesOf(paths).filter((route) => /orders/.test(route))).toEqual([
    '/api/orders post,get',
    '/api/orders/{id} get',
    '/api/orders/{id}/cancel post',
    ...routesOf(adminOrderPaths),
  ])
  expect(routesOf(adminOrderPaths)).toEqual([
    '/api/admin/orders get',
    '/api/admin/orders/{id}/packed post',
    '/api/admin/orders/{id}/shipped post',
    '/api/admin/orders/{id}/delivered post',
    '/api/admin/orders/{id}/cancel post',
  ])
})
