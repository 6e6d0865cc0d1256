import { randomUUIDv7 } from 'node:crypto'
import { orderStockResponse } from '@tideshop/contracts/catalog'
import { orderStock } from '@tideshop/contracts/orders'
import type { Process } from '@tideshop/run/process'
import { expect, test } from 'vitest'
import { deaths } from './deaths.ts'
import { openShop } from './open-shop.ts'
import { askerOf } from './saga-asks.ts'
import { putGood, stockOf } from './stock.ts'

const { env, dies } = deaths()
const shop = await openShop({ only: ['catalog'], env })
const stock = stockOf(shop)
const orders = askerOf(shop, orderStock, orderStockResponse)

const PIECES = 100
const ORDERS = 1000
const customerId = randomUUIDv7()
const ttlMs = 600_000
const WITHIN = { timeout: 60_000, interval: 20 }

function reserve(orderId: string, ...skus: string[]) {
  const lines = skus.map((sku) => ({ sku, quantity: 1 }))
  return { ask: 'reserve' as const, orderId, customerId, lines, ttlMs }
}
const confirm = (orderId: string) => ({ ask: 'confirm' as const, orderId })
const release = (orderId: string) => ({ ask: 'release' as const, orderId })
const newOrders = (count: number) => Array.from({ length: count }, () => randomUUIDv7())

test('of 1,000 orders for 100 pieces 100 get one, and what is cancelled is there for the next', async () => {
  const sku = 'SYS-0201'
  await putGood(shop, sku, PIECES)
  const ids = newOrders(ORDERS)
  const began = performance.now()
  await orders.ask(...ids.map((id) => reserve(id, sku)))
  const answers = await orders.answers(ids, 1)
  console.log(`1,000 orders of one good: ${Math.round(performance.now() - began)} ms`)
  const reserved = answers.filter(({ answer }) => answer === 'reserved').map(({ orderId }) => orderId)
  expect(reserved).toHaveLength(PIECES)
  expect(answers.filter(({ answer }) => answer === 'refused')).toHaveLength(ORDERS - PIECES)
  expect(await stock.read(sku)).toEqual({ free: 0, held: PIECES, sold: 0, received: PIECES })

  const [bought, left] = [reserved.slice(0, 60), reserved.slice(60)]
  await orders.ask(...bought.map(confirm), ...left.map(release))
  expect(new Set((await orders.answers(bought, 2)).map(({ answer }) => answer))).toEqual(
    new Set(['confirmed']),
  )
  await orders.answers(left, 3)
  expect(await stock.read(sku)).toEqual({ free: 40, held: 0, sold: 60, received: PIECES })

  // Sold ones come back, too, and once.
  const returned = bought.slice(0, 20)
  await orders.ask(...returned.map(release), ...returned.map(release))
  await orders.answers(returned, 3)
  expect(await stock.read(sku)).toEqual({ free: 60, held: 0, sold: 40, received: PIECES })
})

test('orders of several goods get all of them or nothing', async () => {
  const skus = ['SYS-0301', 'SYS-0302', 'SYS-0303']
  for (const [index, sku] of skus.entries()) await putGood(shop, sku, 20 - 5 * index)
  const ids = newOrders(60)
  await orders.ask(...ids.map((id) => reserve(id, ...skus)))
  const answers = await orders.answers(ids, 1)
  expect(answers.filter(({ answer }) => answer === 'reserved')).toHaveLength(10)
  const [no] = answers.filter(({ answer }) => answer === 'refused')
  expect(no).toMatchObject({ reason: expect.stringMatching(/^Good of a test SYS-030\d: sold out$/) })
  for (const sku of skus) expect(await stock.read(sku)).toMatchObject({ held: 10, sold: 0 })
})

test('and also while catalog is killed in the middle, app and sidecar: each order is answered once in effect', async () => {
  const skus = ['SYS-0401', 'SYS-0402']
  for (const sku of skus) await putGood(shop, sku, PIECES)
  const ids = newOrders(ORDERS)
  const [host] = shop.replicas('catalog')
  const begun = orders.heard()
  const killAt = async (pieces: number, victims: Process[]) => {
    await expect.poll(async () => (await heldOf(skus[0] as string)) >= pieces, WITHIN).toBe(true)
    await Promise.all(victims.map((victim) => victim.kill()))
    await Promise.all(victims.map((victim) => victim.start()))
  }
  if (host === undefined) throw new Error('catalog does not run')
  await orders.ask(...ids.map((id) => reserve(id, ...skus)))
  await killAt(3, [host.app])
  await killAt(30, [host.app, host.sidecar])
  expect(orders.heard() - begun).toBeLessThan(ORDERS)
  const reserved = (await orders.answers(ids, 1)).filter(({ answer }) => answer === 'reserved')
  expect(reserved).toHaveLength(PIECES)
  for (const sku of skus) expect(await stock.read(sku)).toMatchObject({ free: 0, held: PIECES })

  const all = reserved.map(({ orderId }) => orderId)
  await orders.ask(...all.map(confirm))
  await expect.poll(async () => (await stock.read(skus[0] as string)).sold > 10, WITHIN).toBe(true)
  await host.app.kill()
  await host.app.start()
  expect(new Set((await orders.answers(all, 2)).map(({ answer }) => answer))).toEqual(new Set(['confirmed']))
  for (const sku of skus) expect(await stock.read(sku)).toMatchObject({ free: 0, held: 0, sold: PIECES })

  await orders.ask(...all.map(release))
  await expect.poll(async () => (await stock.read(skus[0] as string)).free > 10, WITHIN).toBe(true)
  await host.app.kill()
  await host.app.start()
  await orders.answers(all, 3)
  for (const sku of skus)
    expect(await stock.read(sku)).toEqual({ free: PIECES, held: 0, sold: 0, received: PIECES })
})

test.each([
  ['reserve', 'allocation.intended'],
  ['reserve', 'allocation.asking'],
  ['reserve', 'allocation.asked'],
  ['confirm', 'allocation.asking'],
  ['release', 'allocation.asking'],
] as const)('catalog dies of a %s at %s, and goes on where it was', async (ask, point) => {
  const name = `${ask}-${point.replace('allocation.', '')}`.toUpperCase()
  const skus = [`SYS-${name}-A`, `SYS-${name}-B`]
  for (const sku of skus) await putGood(shop, sku, 5)
  const ids = newOrders(8)
  const [host] = shop.replicas('catalog')
  const maybeDies = async (now: string, cause: () => Promise<void>) =>
    now === ask ? dies(host?.app as Process, point, cause) : cause()

  await maybeDies('reserve', () => orders.ask(...ids.map((id) => reserve(id, ...skus))))
  const reserved = (await orders.answers(ids, 1)).filter(({ answer }) => answer === 'reserved')
  expect(reserved).toHaveLength(5)
  for (const sku of skus) expect(await stock.read(sku)).toMatchObject({ free: 0, held: 5 })
  const has = reserved.map(({ orderId }) => orderId)
  await maybeDies('confirm', () => orders.ask(...has.map(confirm)))
  await orders.answers(has, 2)
  for (const sku of skus) expect(await stock.read(sku)).toMatchObject({ held: 0, sold: 5 })
  await maybeDies('release', () => orders.ask(...has.map(release)))
  await orders.answers(has, 3)
  for (const sku of skus) expect(await stock.read(sku)).toEqual({ free: 5, held: 0, sold: 0, received: 5 })
})

/** As it stands in the store; 0 while its host is away. */
async function heldOf(sku: string): Promise<number> {
  const stored = await stock.stored(sku).catch(() => null)
  return stored?.held.length ?? 0
}
