import type { Basket, Quote } from '@tideshop/contracts/pricing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OFFERS, type Offer, type Rule } from './offers.ts'
import { nextChange, quote } from './quote.ts'

const noon = new Date('2026-11-21T12:00:00Z')

function offer(id: string, rule: Rule, other: Partial<Offer> = {}): Offer {
  return {
    id,
    reason: `because of ${id}`,
    rule,
    isVoucher: id === id.toUpperCase(),
    from: '2026-11-21T00:00:00Z',
    until: '2026-11-22T00:00:00Z',
    minBasketCents: 0,
    isCombinable: true,
    ...other,
  }
}

function basket(unitPriceCents: number, quantity: number, ...voucherCodes: string[]): Basket {
  return { lines: [{ sku: 'tea', unitPriceCents, quantity }], voucherCodes }
}

const tenPercent = offer('TEN', { kind: 'percentage', percent: 10, covers: 'everything' })
const fiver = offer('FIVER', { kind: 'fixed-amount', cents: 500 })
const threeForTwo = offer('three-for-two', { kind: 'n-for-m', take: 3, pay: 2, covers: ['tea'] })
const byTheDozen = offer('by-the-dozen', {
  kind: 'tiered-quantity',
  tiers: [
    { from: 12, percent: 5 },
    { from: 48, percent: 10 },
  ],
  covers: 'everything',
})

describe('each rule', () => {
  test.each<[string, Offer, number, number, number]>([
    ['a percentage is rounded down', tenPercent, 999, 1, 900],
    ['an amount is taken from the basket', fiver, 999, 1, 499],
    ['an amount never makes it cost less than nothing', fiver, 300, 1, 0],
    ['three for two, twice, and one left over', threeForTwo, 100, 7, 500],
    ['two of three for two are two', threeForTwo, 100, 2, 200],
    ['eleven are no dozen', byTheDozen, 100, 11, 1100],
    ['twelve are a dozen', byTheDozen, 100, 12, 1140],
    ['four dozen have the next tier', byTheDozen, 100, 48, 4320],
  ])('%s', (_, rule, unitPriceCents, quantity, totalCents) => {
    const price = quote(basket(unitPriceCents, quantity, 'TEN', 'FIVER'), [rule], noon)
    expect(price.totalCents).toBe(totalCents)
  })

  test('what is not covered keeps its price', () => {
    const lines = [{ sku: 'cup', unitPriceCents: 100, quantity: 3 }]
    expect(quote({ lines, voucherCodes: [] }, [threeForTwo], noon).totalCents).toBe(300)
  })
})

test('each takes from what the one before it left, and says why', () => {
  expect(quote(basket(1000, 3, 'TEN', 'FIVER'), [fiver, tenPercent, threeForTwo], noon)).toEqual({
    lines: [
      {
        sku: 'tea',
        unitPriceCents: 1000,
        quantity: 3,
        discounts: [
          { offer: 'three-for-two', reason: 'because of three-for-two', cents: 1000 },
          { offer: 'TEN', reason: 'because of TEN', cents: 200 },
        ],
        totalCents: 1800,
      },
    ],
    discounts: [{ offer: 'FIVER', reason: 'because of FIVER', cents: 500 }],
    subtotalCents: 3000,
    totalCents: 1300,
    vouchers: [
      { code: 'TEN', applied: true },
      { code: 'FIVER', applied: true },
    ],
    at: '2026-11-21T12:00:00.000Z',
  })
})

describe('a voucher', () => {
  test('is for who has its code, in any case, and counts once', () => {
    expect(quote(basket(1000, 1), [tenPercent], noon).totalCents).toBe(1000)
    const twice = quote(basket(1000, 1, 'ten', 'TEN'), [tenPercent], noon)
    expect(twice).toMatchObject({ totalCents: 900, vouchers: [{ code: 'TEN', applied: true }] })
  })

  test.each<[string, Partial<Offer>, string]>([
    ['that is not open yet', { from: '2026-11-21T12:00:00.001Z' }, 'begins at 2026-11-21T12:00:00.001Z'],
    ['that is over', { until: '2026-11-21T12:00:00Z' }, 'ended at 2026-11-21T12:00:00Z'],
    ['for greater baskets', { minBasketCents: 1001 }, 'needs goods for 1001 cents'],
    ['of another name', { id: 'ELEVEN' }, 'there is no such voucher'],
    ['for other goods', { rule: { ...threeForTwo.rule, covers: ['cup'] } as Rule }, 'takes nothing off'],
  ])('%s takes nothing, and says why', (_, other, reason) => {
    const price = quote(basket(1000, 1, 'TEN'), [{ ...tenPercent, ...other }], noon)
    expect(price.totalCents).toBe(1000)
    expect(price.vouchers).toEqual([{ code: 'TEN', applied: false, reason: expect.stringContaining(reason) }])
  })

  test('that stands alone does so only where it is worth more than all the others', () => {
    const alone = offer('ALONE', { kind: 'fixed-amount', cents: 800 }, { isCombinable: false })
    const offers = [tenPercent, fiver, alone]
    const little = quote(basket(2000, 1, 'TEN', 'FIVER', 'ALONE'), offers, noon)
    expect(little).toMatchObject({ totalCents: 1200, discounts: [{ offer: 'ALONE' }] })
    expect(little.vouchers.map(({ applied }) => applied)).toEqual([false, false, true])
    const great = quote(basket(9000, 1, 'TEN', 'FIVER', 'ALONE'), offers, noon)
    expect(great).toMatchObject({ totalCents: 7600 })
    expect(great.vouchers.map(({ applied }) => applied)).toEqual([true, true, false])
  })
})

describe('the next change', () => {
  const tomorrow = offer('sale', tenPercent.rule, {
    from: '2026-11-22T00:00:00Z',
    until: '2026-11-23T00:00:00Z',
  })

  test.each<[string, string[], Date, string | null]>([
    ['is the end of what is open', ['TEN'], noon, '2026-11-22T00:00:00.000Z'],
    ['is the beginning of what comes', [], noon, '2026-11-22T00:00:00.000Z'],
    ['then its end', [], new Date('2026-11-22T00:00:00Z'), '2026-11-23T00:00:00.000Z'],
    ['then nothing more', ['TEN'], new Date('2026-11-23T00:00:00Z'), null],
  ])('%s', (_, codes, at, expected) => {
    expect(nextChange(basket(100, 1, ...codes), [tenPercent, tomorrow], at)?.toISOString() ?? null).toBe(
      expected,
    )
  })

  test('of a voucher that nobody gave is none', () => {
    expect(nextChange(basket(100, 1), [tenPercent], noon)).toBeNull()
  })
})

test('what the shop offers can be right', () => {
  expect(new Set(OFFERS.map(({ id }) => id)).size).toBe(OFFERS.length)
  for (const { id, isVoucher, from, until, rule } of OFFERS) {
    expect(id, id).toMatch(isVoucher ? /^[A-Z0-9-]{1,32}$/ : /^[a-z-]+$/)
    expect(Date.parse(from), id).toBeLessThan(Date.parse(until))
    if (rule.kind === 'n-for-m') expect(rule.pay, id).toBeLessThan(rule.take)
    if (rule.kind === 'tiered-quantity') {
      expect(rule.tiers, id).toEqual(rule.tiers.toSorted((one, other) => one.from - other.from))
    }
  }
})

describe('whatever is on offer', () => {
  const skus = ['a', 'b', 'c', 'd']
  const covers = fc.oneof(fc.constant('everything' as const), fc.subarray(skus))
  const percent = fc.integer({ min: 1, max: 100 })
  const rules: fc.Arbitrary<Rule> = fc.oneof(
    fc.record({ kind: fc.constant('percentage' as const), percent, covers }),
    fc
      .tuple(fc.integer({ min: 2, max: 9 }), fc.nat(), covers)
      .map(([take, pay, goods]) => ({ kind: 'n-for-m' as const, take, pay: pay % take, covers: goods })),
    fc.record({
      kind: fc.constant('tiered-quantity' as const),
      tiers: fc
        .uniqueArray(fc.record({ from: fc.integer({ min: 2, max: 1000 }), percent }), {
          selector: (t) => t.from,
        })
        .map((tiers) => tiers.toSorted((one, other) => one.from - other.from)),
      covers,
    }),
    fc.record({ kind: fc.constant('fixed-amount' as const), cents: fc.integer({ min: 1, max: 10 ** 12 }) }),
  )
  const offersOf = fc
    .array(fc.tuple(rules, fc.boolean(), fc.boolean(), fc.nat({ max: 10 ** 7 })), { maxLength: 8 })
    .map((drawn) =>
      drawn.map(([rule, isVoucher, isCombinable, minBasketCents], index) =>
        offer(isVoucher ? `V${index}` : `s${index}`, rule, { isVoucher, isCombinable, minBasketCents }),
      ),
    )
  const lines = fc.uniqueArray(
    fc.record({
      sku: fc.constantFrom(...skus),
      unitPriceCents: fc.integer({ min: 0, max: 10_000_000 }),
      quantity: fc.integer({ min: 1, max: 1000 }),
    }),
    { minLength: 1, selector: ({ sku }) => sku },
  )
  const baskets: fc.Arbitrary<Basket> = fc.record({
    lines,
    voucherCodes: fc.subarray(['V0', 'V1', 'V2', 'V3', 'V4', 'V5', 'NONE']),
  })
  const cents = (price: Quote) => [
    ...price.lines.flatMap((line) => [line.totalCents, ...line.discounts.map((discount) => discount.cents)]),
    ...price.discounts.map((discount) => discount.cents),
    price.subtotalCents,
    price.totalCents,
  ]
  const total = (discounts: Quote['discounts']) =>
    discounts.reduce((sum, discount) => sum + discount.cents, 0)

  test('cents are whole and never below zero, and what is taken off is what is missing', () => {
    fc.assert(
      fc.property(baskets, offersOf, (asked, offers) => {
        const price = quote(asked, offers, noon)
        expect(cents(price).every((amount) => Number.isSafeInteger(amount) && amount >= 0)).toBe(true)
        for (const line of price.lines) {
          expect(line.unitPriceCents * line.quantity - total(line.discounts)).toBe(line.totalCents)
        }
        const off = [...price.lines, price].map(({ discounts }) => total(discounts))
        expect(price.subtotalCents - off.reduce((sum, one) => sum + one, 0)).toBe(price.totalCents)
      }),
    )
  })

  test('the order of lines and codes does not matter, nor how often one asks', () => {
    fc.assert(
      fc.property(baskets, offersOf, (asked, offers) => {
        const price = quote(asked, offers, noon)
        expect(quote(asked, offers, noon)).toEqual(price)
        const turned = { lines: asked.lines.toReversed(), voucherCodes: asked.voucherCodes.toReversed() }
        const other = quote(turned, offers, noon)
        expect({ ...other, lines: other.lines.toReversed(), vouchers: other.vouchers.toReversed() }).toEqual(
          price,
        )
      }),
    )
  })

  test('one code more never makes it dearer', () => {
    fc.assert(
      fc.property(baskets, offersOf, fc.nat({ max: 7 }), (asked, offers, index) => {
        const more = { ...asked, voucherCodes: [...asked.voucherCodes, `V${index}`] }
        expect(quote(more, offers, noon).totalCents).toBeLessThanOrEqual(
          quote(asked, offers, noon).totalCents,
        )
      }),
    )
  })
})
