import type { OrderStockResponse, StockWish } from '@tideshop/contracts/catalog'
import { type OrderStock, orderStock } from '@tideshop/contracts/orders'
import { memoryBus, memoryRows } from '@tideshop/kit/memory'
import { actorSidecar } from '@tideshop/kit/test/actor-sidecar'
import { testDatabase } from '@tideshop/kit/test/database'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import type { Allocation } from '../src/allocation.ts'
import type { Allowance } from '../src/allowance.ts'
import { catalogApp } from '../src/app.ts'
import { assortment, categories } from '../src/assortment.ts'
import { stockTurns } from '../src/stock-turns.ts'
import { mongoAllocations, mongoAllowances } from '../src/store.ts'
import { memoryCatalog } from './memory-catalog.ts'

const customerId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'
const ttlMs = 60_000
const sale = {
  sku: 'LMP-0101',
  title: 'Lantern week',
  priceCents: 1000,
  startsAt: '2026-11-20T00:00:00.000Z',
  endsAt: '2026-11-30T00:00:00.000Z',
  perCustomerMax: 3,
}
const database = testDatabase()

async function inTheDatabase() {
  await database().dropDatabase()
  return { allocations: mongoAllocations(database()), allowances: mongoAllowances(database()) }
}

async function inMemory() {
  return { allocations: memoryRows<Allocation>(), allowances: memoryRows<Allowance>() }
}

async function shopWith(books: Awaited<ReturnType<typeof inMemory | typeof inTheDatabase>>) {
  const catalog = memoryCatalog()
  const few = assortment.map((row) => ({ ...row, body: { ...row.body, openingPieces: 10 } }))
  await catalog.open(few, [{ id: 'lanterns', version: 1, body: sale }])
  const bus = memoryBus()
  const clock = { now: noon }
  const states = actorSidecar()
  /** Goods whose stock does not answer. */
  const away = new Set<string>()
  const sidecar: typeof states = { ...states, send: (asked) => carry(asked) }
  const app = catalogApp({
    ...quietParts('catalog', bus),
    ...books,
    sidecar,
    catalog,
    categories,
    askStock: stockTurns(sidecar),
    now: () => clock.now,
  })

  /** As the sidecar does: a turn comes back to the app that hosts the actor. */
  async function carry(asked: Parameters<typeof states.send>[0]) {
    const [, sku = '', method] = /^\/v1.0\/actors\/StockActor\/(.+)\/method\/(.+)$/.exec(asked.path) ?? []
    if (method === undefined) return states.send(asked)
    if (away.has(sku)) return { status: 500, headers: {}, body: Buffer.from('nobody is there') }
    const { status, text } = await request(app)
      .put(`/actors/StockActor/${sku}/method/${method}`)
      .set('content-type', 'application/json')
      .send(String(asked.body))
    return { status, headers: {}, body: Buffer.from(text) }
  }

  async function stockOf(sku: string) {
    const { body } = await request(app).put(`/actors/StockActor/${sku}/method/read`).send({})
    return body.stock
  }

  /** The answers to these asks, in their order, with their ids. */
  async function hear(
    ...asks: OrderStock['data'][]
  ): Promise<(OrderStockResponse['data'] & { id: string })[]> {
    const before = bus.told.length
    const records = asks.map((data) => tell(data))
    const { body } = await request(app)
      .post('/events/order-stock')
      .send(delivery(...records))
    expect(body.statuses.filter(({ status }: { status: string }) => status !== 'SUCCESS')).toEqual([])
    return bus.told.slice(before).map(({ event }) => {
      return { ...(event.data as OrderStockResponse['data']), id: event.id }
    })
  }

  async function statuses(...asks: OrderStock['data'][]): Promise<string[]> {
    const { body } = await request(app)
      .post('/events/order-stock')
      .send(delivery(...asks.map(tell)))
    return body.statuses.map(({ status }: { status: string }) => status)
  }

  return { app, bus, clock, away, books, hear, statuses, stockOf }
}

function tell(data: OrderStock['data']) {
  return orderStock.tell({ subject: data.orderId, version: 1, time: noon.toISOString(), data }).event
}

function reserve(orderId: string, ...lines: { sku: string; quantity: number }[]): OrderStock['data'] {
  return { ask: 'reserve', orderId, customerId, lines, ttlMs } satisfies OrderStock['data'] &
    Pick<StockWish<'reserve'>, 'ttlMs'>
}
const confirm = (orderId: string): OrderStock['data'] => ({ ask: 'confirm', orderId })
const release = (orderId: string): OrderStock['data'] => ({ ask: 'release', orderId })

function order(n: number): string {
  return `01a1fbf0-32ed-7f9a-b994-${String(n).padStart(12, '0')}`
}
const [first, second] = [order(1), order(2)]
const free = { free: 10, held: 0, sold: 0, received: 10 }

describe.each([
  ['in memory', inMemory],
  ['in the database', inTheDatabase],
])('the books %s', (_where, open) => {
  const shop = async () => shopWith(await open())

  test('an order gets all its pieces, with names and the prices of now, and asked again the same words', async () => {
    const here = await shop()
    const asked = reserve(first, { sku: 'TAB-0101', quantity: 2 }, { sku: 'LMP-0101', quantity: 3 })
    const [answer] = await here.hear(asked)
    expect(answer).toEqual({
      id: `${first}:1`,
      answer: 'reserved',
      orderId: first,
      lines: [
        { sku: 'TAB-0101', name: 'Breakwater Mug, chalk', unitPriceCents: 1490, quantity: 2 },
        { sku: 'LMP-0101', name: 'Harbour Lantern, brass', unitPriceCents: 1000, quantity: 3 },
      ],
    })
    expect(await here.hear(asked, asked)).toEqual([answer, answer])
    expect(await here.stockOf('LMP-0101')).toEqual({ free: 7, held: 3, sold: 0, received: 10 })

    const [confirmed] = await here.hear(confirm(first))
    expect(confirmed).toEqual({ id: `${first}:2`, answer: 'confirmed', orderId: first })
    expect(await here.hear(confirm(first), asked)).toEqual([confirmed, answer])
    expect(await here.stockOf('TAB-0101')).toEqual({ free: 8, held: 0, sold: 2, received: 10 })
  })

  test('all or nothing: one good that is not there gives back the others', async () => {
    const here = await shop()
    const [answer] = await here.hear(
      reserve(first, { sku: 'TAB-0101', quantity: 11 }, { sku: 'LMP-0101', quantity: 3 }),
    )
    expect(answer).toEqual({
      id: `${first}:1`,
      answer: 'refused',
      orderId: first,
      reason: 'Breakwater Mug, chalk: only 10 are left',
    })
    expect(await here.stockOf('LMP-0101')).toEqual(free)
    expect(await here.stockOf('TAB-0101')).toEqual(free)
    // The pieces of the sale are the customer's again.
    const [again] = await here.hear(reserve(second, { sku: 'LMP-0101', quantity: 3 }))
    expect(again).toMatchObject({ answer: 'reserved' })
  })

  test('a good that the shop does not have is refused, and nothing is asked of anybody', async () => {
    const here = await shop()
    const [answer] = await here.hear(
      reserve(first, { sku: 'LMP-0101', quantity: 1 }, { sku: 'LMP-9999', quantity: 1 }),
    )
    expect(answer).toMatchObject({ answer: 'refused', reason: 'there is no good LMP-9999' })
    expect(await here.stockOf('LMP-0101')).toEqual(free)
  })

  test('what was held and what was sold comes back, once, and nothing more of it is to be had', async () => {
    const here = await shop()
    await here.hear(reserve(first, { sku: 'TAB-0101', quantity: 2 }))
    await here.hear(reserve(second, { sku: 'TAB-0101', quantity: 3 }))
    await here.hear(confirm(second))
    const released = await here.hear(release(first), release(second))
    expect(released.map(({ id, answer }) => [id, answer])).toEqual([
      [`${first}:3`, 'released'],
      [`${second}:3`, 'released'],
    ])
    expect(await here.stockOf('TAB-0101')).toEqual(free)
    expect(await here.hear(release(first), release(second))).toEqual(released)
    expect(await here.hear(confirm(first))).toMatchObject([{ answer: 'lost' }])
    expect(await here.stockOf('TAB-0101')).toEqual(free)
  })

  test('a release that overtakes its reserve makes sure that it never holds', async () => {
    const here = await shop()
    const asked = reserve(first, { sku: 'TAB-0101', quantity: 2 })
    expect(await here.hear(release(first))).toMatchObject([{ answer: 'released', id: `${first}:3` }])
    expect(await here.hear(asked, asked)).toMatchObject([{ answer: 'refused' }, { answer: 'refused' }])
    expect(await here.stockOf('TAB-0101')).toEqual(free)
  })

  test('asks of one batch are heard in their order', async () => {
    const here = await shop()
    const answers = await here.hear(reserve(first, { sku: 'TAB-0101', quantity: 2 }), release(first))
    expect(answers).toMatchObject([{ answer: 'refused' }, { answer: 'released' }])
    expect(await here.stockOf('TAB-0101')).toEqual(free)
  })

  test('confirmed too late it is lost, and with it what was confirmed in time', async () => {
    const here = await shop()
    await here.hear(reserve(first, { sku: 'LMP-0101', quantity: 2 }, { sku: 'TAB-0101', quantity: 2 }))
    await request(here.app).put('/actors/StockActor/TAB-0101/method/release').send({ id: first })
    expect(await here.hear(confirm(first))).toEqual([
      {
        id: `${first}:2`,
        answer: 'lost',
        orderId: first,
        reason: 'Breakwater Mug, chalk: it was reserved for too long',
      },
    ])
    expect(await here.stockOf('LMP-0101')).toEqual(free)
    expect(await here.stockOf('TAB-0101')).toEqual(free)
  })

  test('a customer gets as many pieces of a sale as it allows, over all his orders', async () => {
    const here = await shop()
    await here.hear(reserve(first, { sku: 'LMP-0101', quantity: 2 }))
    const [refused] = await here.hear(reserve(second, { sku: 'LMP-0101', quantity: 2 }))
    expect(refused).toMatchObject({
      answer: 'refused',
      reason:
        'Harbour Lantern, brass: a customer may have 3 in the sale “Lantern week”, and 2 are yours already',
    })
    expect(await here.hear(reserve(order(3), { sku: 'LMP-0101', quantity: 1 }))).toMatchObject([
      { answer: 'reserved' },
    ])
    await here.hear(confirm(first))
    await here.hear(release(first))
    const four = [4, 5].map((n) => reserve(order(n), { sku: 'LMP-0101', quantity: 1 }))
    expect(await here.hear(...four)).toMatchObject([{ answer: 'reserved' }, { answer: 'reserved' }])
    expect(await here.stockOf('LMP-0101')).toEqual({ free: 7, held: 3, sold: 0, received: 10 })
  })

  test('an order whose stock does not answer comes again, the others do not wait for it', async () => {
    const here = await shop()
    here.away.add('TAB-0101')
    const asks = [
      reserve(first, { sku: 'LMP-0101', quantity: 1 }, { sku: 'TAB-0101', quantity: 2 }),
      reserve(second, { sku: 'LMP-0101', quantity: 1 }),
    ]
    expect(await here.statuses(...asks)).toEqual(['RETRY', 'SUCCESS'])
    expect(here.bus.told.map(({ event }) => event.id)).toEqual([`${second}:1`])
    here.away.clear()
    expect(await here.hear(...asks)).toMatchObject([{ answer: 'reserved' }, { answer: 'reserved' }])
    expect(await here.stockOf('LMP-0101')).toEqual({ free: 8, held: 2, sold: 0, received: 10 })
  })

  test('two replicas at the same orders come to one end', async () => {
    const here = await shop()
    const asks = Array.from({ length: 20 }, (_, n) => reserve(order(n), { sku: 'TAB-0101', quantity: 1 }))
    const both = await Promise.all([here.statuses(...asks), here.statuses(...asks)])
    expect([...new Set(both.flat())]).toEqual(['SUCCESS'])
    const words = new Map(here.bus.told.map(({ event }) => [event.id, JSON.stringify(event.data)]))
    const told = new Set(here.bus.told.map(({ event }) => `${event.id} ${JSON.stringify(event.data)}`))
    expect(told.size).toBe(words.size)
    expect([...words.values()].filter((text) => text.includes('"reserved"'))).toHaveLength(10)
    expect(await here.stockOf('TAB-0101')).toEqual({ free: 0, held: 10, sold: 0, received: 10 })
  })
})
