import { categoryId, putGood, putSale, sku } from '@tideshop/contracts/catalog'
import { expect, test } from 'vitest'
import { assortment, categories, weeklySales } from './assortment.ts'

const saturday = new Date('2026-11-21T12:00:00Z')

test('the shop opens with more than 200 goods on ten shelves, each one different', () => {
  expect(assortment.length).toBeGreaterThanOrEqual(200)
  expect(categories).toHaveLength(10)
  expect(new Set(assortment.map(({ id }) => id)).size).toBe(assortment.length)
  expect(new Set(assortment.map(({ body }) => body.name)).size).toBe(assortment.length)
  expect(new Set(assortment.map(({ body }) => body.description)).size).toBe(assortment.length)
})

test('whatever is on a shelf could have been put there by an administrator', () => {
  for (const { id, body } of assortment) {
    const { words, ...wish } = body
    expect(sku.parse(id)).toBe(id)
    expect(putGood.parse(wish)).toEqual(wish)
    expect(words).toContain(wish.name.split(/\P{L}+/u)[0]?.toLowerCase())
  }
  for (const { id } of categories) expect(categoryId.parse(id)).toBe(id)
})

test('a week has its sales, the same all week long, and the next ones are known', () => {
  const sales = weeklySales(saturday)
  expect(sales).toEqual(weeklySales(new Date('2026-11-16T00:00:00Z')))
  expect(new Set(sales.map(({ id }) => id)).size).toBe(8)
  const running = sales.filter(({ body }) => body.startsAt <= saturday.toISOString())
  expect(running).toHaveLength(4)
  for (const { body } of running) {
    expect(putSale.parse(body)).toEqual(body)
    expect([body.startsAt, body.endsAt]).toEqual(['2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'])
    const good = assortment.find(({ id }) => id === body.sku)
    expect(body.priceCents).toBeLessThan(good?.body.priceCents ?? 0)
  }
  expect(new Set(running.map(({ body }) => body.sku.slice(0, 3))).size).toBe(4)
})
