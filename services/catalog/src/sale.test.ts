import { expect, test } from 'vitest'
import { bestBySku, putSale, type Sale, viewSale } from './sale.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const lamp = { priceCents: 5000 }
const wish = {
  sku: 'LMP-0101',
  title: 'Dark season',
  priceCents: 3900,
  startsAt: '2026-11-21T12:00:00Z',
  endsAt: '2026-11-22T12:00:00Z',
  perCustomerMax: 2,
}
const sale: Sale = putSale(null, wish, lamp)
const row = { id: 'dark-season', version: 1, body: sale }

test('a sale runs from its start until just before its end', () => {
  const at = (time: string) => viewSale(row, new Date(time)).state
  expect(at('2026-11-21T11:59:59.999Z')).toBe('upcoming')
  expect(at('2026-11-21T12:00:00.000Z')).toBe('running')
  expect(at('2026-11-22T11:59:59.999Z')).toBe('running')
  expect(at('2026-11-22T12:00:00.000Z')).toBe('ended')
})

test('a sale is of a good that is there, and cheaper than it', () => {
  expect(() => putSale(null, wish, null)).toThrow(/no good/)
  expect(() => putSale(null, { ...wish, priceCents: 5000 }, lamp)).toThrow(/cheaper/)
})

test('who saw an older version changes nothing', () => {
  expect(putSale(row, { ...wish, perCustomerMax: 5, version: 1 }, lamp)).toMatchObject({ perCustomerMax: 5 })
  expect(() => putSale({ ...row, version: 2 }, { ...wish, perCustomerMax: 5, version: 1 }, lamp)).toThrow(
    /version 2/,
  )
  expect(() => putSale(row, { ...wish, perCustomerMax: 5 }, lamp)).toThrow(/version 1/)
  expect(() => putSale(null, { ...wish, version: 3 }, lamp)).toThrow(/nothing of that version/)
})

test('putting the same again changes nothing, whatever version was seen', () => {
  expect(putSale(row, wish, lamp)).toBe(row.body)
})

test('of several sales of a good the cheapest counts', () => {
  const cheap = { ...row, id: 'cheap', body: { ...sale, priceCents: 100 } }
  expect(bestBySku([row, cheap, row]).get(wish.sku)).toBe(cheap)
  expect(viewSale(cheap, noon)).toMatchObject({ id: 'cheap', state: 'running', version: 1 })
})
