import type { Process } from '@tideshop/run/process'
import { expect, test } from 'vitest'
import { openShop } from './open-shop.ts'
import { putGood, stockOf } from './stock.ts'

const shop = await openShop({ only: ['catalog'] })
const stock = stockOf(shop)

const PIECES = 100
const BUYERS = 1000
/** Long enough that nobody's reservation is over before he has his answer. */
const ttlMs = 600_000
const WITHIN = { timeout: 60_000, interval: 20 }

const sold = { free: 0, held: 0, sold: PIECES, received: PIECES }

/** Comes for one piece, and again with the same id until he is told something. Whether he has it. */
async function buy(sku: string, id: string, done: () => void): Promise<boolean> {
  const answer = await stock.ask(sku, 'reserve', { id, count: 1, ttlMs })
  if ('refusal' in answer) expect(answer.refusal).toEqual({ code: 'conflict', message: 'sold out' })
  const bought = 'reservation' in answer
  if (bought) {
    const confirmed = await stock.ask(sku, 'confirm', { id })
    expect(confirmed).toEqual({ reservation: { id, count: 1, state: 'confirmed' } })
  }
  done()
  return bought
}

/** All at once. `done` counts those who have an answer. */
function crowd(sku: string): { done: () => number; bought: Promise<number> } {
  let answered = 0
  const buyers = Array.from({ length: BUYERS }, (_, index) =>
    buy(sku, `buyer-${index}`, () => {
      answered += 1
    }),
  )
  const bought = Promise.all(buyers).then((all) => all.filter(Boolean).length)
  return { done: () => answered, bought }
}

test('of 1,000 who want one of 100 pieces at once, 100 have it', async () => {
  const sku = 'SYS-0001'
  await putGood(shop, sku, PIECES)
  const began = performance.now()
  expect(await crowd(sku).bought).toBe(PIECES)
  console.log(`1,000 buyers, 1,100 turns of one actor: ${Math.round(performance.now() - began)} ms`)
  expect(await stock.read(sku)).toEqual(sold)
})

test('and also while the host of the actor is killed, app and sidecar, and comes back', async () => {
  const sku = 'SYS-0002'
  await putGood(shop, sku, PIECES)
  const [host] = shop.replicas('catalog')
  const { done, bought } = crowd(sku)
  const killAt = async (pieces: number, victims: (Process | undefined)[]) => {
    await expect.poll(() => soldOf(sku), WITHIN).toBeGreaterThanOrEqual(pieces)
    await Promise.all(victims.map((victim) => victim?.kill()))
    await Promise.all(victims.map((victim) => victim?.start()))
  }
  await killAt(5, [host?.app])
  await killAt(25, [host?.sidecar])
  await killAt(50, [host?.app, host?.sidecar])
  expect(done()).toBeLessThan(BUYERS)
  expect(await bought).toBe(PIECES)
  expect(await stock.read(sku)).toEqual(sold)
})

/** As it stands in the store; 0 while its host is away. */
async function soldOf(sku: string): Promise<number> {
  const stored = await stock.stored(sku).catch(() => null)
  return stored?.finished.length ?? 0
}

test('and also while a second host comes, and the first one goes', async () => {
  const skus = Array.from({ length: 6 }, (_, index) => `SYS-010${index}`)
  for (const sku of skus) await putGood(shop, sku, PIECES / 10)
  const buying = skus.map((sku) =>
    Promise.all(Array.from({ length: BUYERS / 10 }, (_, index) => buy(sku, `buyer-${index}`, () => {}))),
  )
  await shop.addReplica('catalog')
  await shop.removeReplica('catalog', 0)
  for (const [index, sku] of skus.entries()) {
    expect((await buying[index])?.filter(Boolean)).toHaveLength(PIECES / 10)
    expect(await stock.read(sku)).toMatchObject({ free: 0, held: 0, sold: PIECES / 10 })
  }
})

test('a reservation that nobody confirms gives its piece back, though nobody asks', async () => {
  const sku = 'SYS-0003'
  await putGood(shop, sku, 1)
  await stock.ask(sku, 'reserve', { id: 'r-1', count: 1, ttlMs: 1500 })
  expect(await stock.ask(sku, 'reserve', { id: 'r-2', count: 1, ttlMs })).toMatchObject({
    refusal: { message: 'sold out' },
  })
  await expect
    .poll(() => stock.stored(sku), WITHIN)
    .toMatchObject({ held: [], finished: [{ id: 'r-1', state: 'expired' }] })
  expect(await stock.ask(sku, 'confirm', { id: 'r-1' })).toMatchObject({ refusal: { code: 'conflict' } })
  expect(await stock.ask(sku, 'reserve', { id: 'r-2', count: 1, ttlMs })).toMatchObject({
    reservation: { state: 'held' },
  })
})

test('also when its host was killed meanwhile', async () => {
  const sku = 'SYS-0004'
  await putGood(shop, sku, 1)
  await stock.ask(sku, 'reserve', { id: 'r-1', count: 1, ttlMs: 1500 })
  const [host] = shop.replicas('catalog')
  await Promise.all([host?.app.kill(), host?.sidecar.kill()])
  await Promise.all([host?.app.start(), host?.sidecar.start()])
  await expect
    .poll(() => stock.stored(sku), WITHIN)
    .toMatchObject({ held: [], finished: [{ id: 'r-1', state: 'expired' }] })
})

test('stock that was asked for is there after the whole shop’s host was away', async () => {
  const sku = 'SYS-0005'
  await putGood(shop, sku, 5)
  await stock.ask(sku, 'restock', { id: 'd-1', count: 5 })
  const [host] = shop.replicas('catalog')
  await host?.app.kill()
  await host?.app.start()
  await stock.ask(sku, 'restock', { id: 'd-1', count: 5 })
  expect(await stock.read(sku)).toEqual({ free: 10, held: 0, sold: 0, received: 10 })
})

// The last one: a scheduler that was killed keeps no reminders for the next twenty seconds (docs/dapr-notes.md).
test('of 1,000 who want one of 100 pieces 100 have it also while placement and the scheduler are killed, and come back', async () => {
  const sku = 'SYS-0006'
  await putGood(shop, sku, PIECES)
  const { bought } = crowd(sku)
  for (const [name, pieces] of [
    ['placement', 10],
    ['scheduler', 40],
  ] as const) {
    const victim = shop.processes().find((process) => process.name === name)
    await expect.poll(() => soldOf(sku), WITHIN).toBeGreaterThanOrEqual(pieces)
    await victim?.kill()
    await victim?.start()
  }
  expect(await bought).toBe(PIECES)
  expect(await stock.read(sku)).toEqual(sold)
})
