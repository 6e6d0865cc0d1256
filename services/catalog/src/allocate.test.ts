import { setImmediate as turn } from 'node:timers/promises'
import type { GoodView, StockMethod, StockWish } from '@tideshop/contracts/catalog'
import { type OrderStock, orderStock } from '@tideshop/contracts/orders'
import { memoryRows } from '@tideshop/kit/memory'
import { Refusal } from '@tideshop/kit/refusal'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AllocateParts, allocate } from './allocate.ts'
import { type Allocation, goodsOf, isIntent } from './allocation.ts'
import type { Allowance } from './allowance.ts'
import { confirm, expire, openStock, release, reserve, type Stock, viewStock } from './stock.ts'

const { log } = quietParts('catalog')
const OPENING = 6
const MAX = 3
const customers = ['01a1fbf0-32dc-7ab1-a12d-318ea341d975', '01a1fbf0-32dc-7ab1-a12d-318ea341d976']
const ids = Array.from({ length: 5 }, (_, n) => `01a1fbf0-32ed-7f9a-b994-00000000000${n}`)
const skus = ['AAA-1', 'BBB-2', 'CCC-3']

/** The first of them is on sale. */
const goods = skus.map((sku, index) => {
  const sale = { id: 'a-sale', title: 'Sale', priceCents: 50, perCustomerMax: MAX }
  return { sku, name: sku, priceCents: 100, ...(index === 0 && { sale }) } as GoodView
})

/** Stock that fails as the dice fall, before or after it did what it was asked. */
function world(falls: readonly number[]) {
  const stocks = new Map<string, Stock>(skus.map((sku) => [sku, openStock(OPENING)]))
  const allocations = memoryRows<Allocation>()
  const allowances = memoryRows<Allowance>()
  const clock = { ms: 0 }
  const now = () => new Date(noon.getTime() + clock.ms)
  let fallen = 0
  let fair = false
  const fall = () => (fair ? 9 : (falls[fallen++ % falls.length] ?? 9))

  function asked(sku: string, method: StockMethod, wish: never) {
    const stock = stocks.get(sku) as Stock
    const decide = { reserve, confirm, release }[method as 'reserve']
    try {
      const { next, answer } = decide(stock, wish as StockWish<'reserve'>, now())
      stocks.set(sku, next)
      return answer
    } catch (error) {
      if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } }
      throw error
    }
  }

  const parts: AllocateParts = {
    allocations,
    allowances,
    log,
    now,
    goodsNamed: async () => goods,
    async askStock(sku, method, wish) {
      await turn()
      const dice = fall()
      if (dice === 0) throw new Error('not asked')
      const answer = asked(sku, method, wish as never)
      if (dice === 1) throw new Error('no answer')
      return answer
    },
  }
  return {
    parts,
    clock,
    rolled: () => {
      fair = true
    },
    books: () => allocations.all().map(({ body }) => body),
    allowance: (customer: string) =>
      allowances.all().find(({ id }) => id === `a-sale/${customer}`)?.body.orders ?? [],
    stock: (sku: string) => viewStock(expire(stocks.get(sku) as Stock, now())),
  }
}

const line = fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 3 }) })
const step = fc.record({
  order: fc.nat(ids.length - 1),
  ask: fc.constantFrom('reserve', 'confirm', 'release', 'again'),
  waitMs: fc.constantFrom(0, 0, 0, 400, 700),
  /** Replicas that are at it at the same time. */
  replicas: fc.constantFrom(1, 1, 2),
})

function eventOf(order: number, ask: string, lines: { sku: string; quantity: number }[]): OrderStock {
  const orderId = ids[order] as string
  const customerId = customers[order % 2] as string
  const data = ask === 'reserve' ? { ask, orderId, customerId, lines, ttlMs: 1000 } : { ask, orderId }
  return orderStock.tell({
    subject: orderId,
    version: 1,
    time: noon.toISOString(),
    data: data as OrderStock['data'],
  }).event as OrderStock
}

test('whatever fails, comes twice or at once, stock is conserved, and one ask has one answer', async () => {
  const baskets = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), {
    minLength: ids.length,
    maxLength: ids.length,
  })
  const falls = fc.array(fc.nat(9), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(baskets, fc.array(step, { maxLength: 25 }), falls, async (lines, steps, dice) => {
      const here = world(dice)
      const { parts, clock, rolled } = here
      const told = new Map<string, string>()
      const asked: OrderStock[] = []
      const hear = async (events: readonly OrderStock[]) => {
        for (const result of await allocate(parts, events)) noteTold(told, result)
      }

      for (const { order, ask, waitMs, replicas } of steps) {
        clock.ms += waitMs
        if (ask !== 'again') asked.push(eventOf(order, ask, lines[order] as never))
        const batch = ask === 'again' ? asked.slice(-3) : asked.slice(-1)
        await Promise.all(Array.from({ length: replicas }, () => hear(batch)))
      }
      // The broker does not rest until all are answered.
      rolled()
      await hear(asked)
      expectConserved(here)
    }),
    { numRuns: 3000 },
  )
}, 30_000)

function expectConserved({ books, stock, allowance }: ReturnType<typeof world>): void {
  expect(books().filter(isIntent)).toEqual([])
  for (const sku of skus) {
    const { free, held, sold, received } = stock(sku)
    expect(free + held + sold).toBe(received)
    expect(received).toBe(OPENING)
    expect(sold).toBe(pieces(books(), sku, 'confirmed'))
    expect(held).toBeLessThanOrEqual(pieces(books(), sku, 'reserved'))
  }
  const live = books().filter(({ stage }) => stage === 'reserved' || stage === 'confirmed')
  for (const customer of customers) {
    const taken = allowance(customer).reduce((sum, order) => sum + order.pieces, 0)
    expect(taken).toBeLessThanOrEqual(MAX)
    const theirs = live.filter(({ id }) => customers[ids.indexOf(id) % 2] === customer)
    expect(taken).toBe(pieces(theirs, skus[0] as string))
  }
}

type Told = Awaited<ReturnType<typeof allocate>>[number]

function noteTold(told: Map<string, string>, result: Told): void {
  if (result.outcome !== 'done') return
  for (const { event } of result.tell) {
    const before = told.get(event.id)
    const words = JSON.stringify(event)
    if (before !== undefined) expect(words).toBe(before)
    told.set(event.id, words)
  }
}

function pieces(books: readonly Allocation[], sku: string, stage?: Allocation['stage']): number {
  return books
    .filter((one) => stage === undefined || one.stage === stage)
    .flatMap(goodsOf)
    .filter((good) => good.sku === sku)
    .reduce((sum, { count }) => sum + count, 0)
}
