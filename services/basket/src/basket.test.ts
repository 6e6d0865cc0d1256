import { type BasketChange, basketView } from '@tideshop/contracts/basket'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Basket, changeBasket, emptyBasket } from './basket.ts'

function after(changes: readonly BasketChange[], begun: Basket = emptyBasket): Basket {
  return changes.reduce(changeBasket, begun)
}

function put(sku: string, quantity: number): BasketChange {
  return { kind: 'put-line', sku, quantity }
}

test('a good that is there already gets another quantity and keeps its place', () => {
  const { lines } = after([put('LMP-0101', 1), put('TAB-0101', 2), put('LMP-0101', 3)])
  expect(lines).toEqual([
    { sku: 'LMP-0101', quantity: 3 },
    { sku: 'TAB-0101', quantity: 2 },
  ])
})

test('what is not there can be taken out as well', () => {
  const basket = after([put('LMP-0101', 1)])
  expect(changeBasket(basket, { kind: 'remove-line', sku: 'TAB-0101' })).toEqual(basket)
  expect(changeBasket(basket, { kind: 'remove-line', sku: 'LMP-0101' })).toEqual(emptyBasket)
})

test('vouchers replace those that were there, and an emptied basket has none', () => {
  const basket = after([
    put('LMP-0101', 1),
    { kind: 'put-vouchers', voucherCodes: ['A', 'B'] },
    { kind: 'put-vouchers', voucherCodes: ['C'] },
  ])
  expect(basket).toEqual({ lines: [{ sku: 'LMP-0101', quantity: 1 }], voucherCodes: ['C'] })
  expect(changeBasket(basket, { kind: 'clear' })).toEqual(emptyBasket)
})

test('an order takes out what was ordered, and leaves what another tab changed or added meanwhile', () => {
  const basket = after([put('LMP-0101', 1), put('TAB-0101', 2), put('TAB-0102', 1)])
  const lines = [
    { sku: 'LMP-0101', quantity: 1 },
    { sku: 'TAB-0101', quantity: 1 },
  ]
  const left = changeBasket(basket, { kind: 'take-ordered', lines })
  expect(left.lines.map(({ sku }) => sku)).toEqual(['TAB-0101', 'TAB-0102'])
  expect(changeBasket(left, { kind: 'take-ordered', lines })).toEqual(left)
})

test('a full basket takes no other good, but another quantity of one that it has', () => {
  const full = after(Array.from({ length: 100 }, (_, nth) => put(`AA-${nth}`, 1)))
  expect(() => changeBasket(full, put('AA-100', 1))).toThrow('room for 100 goods')
  expect(changeBasket(full, put('AA-99', 7)).lines).toHaveLength(100)
})

/** What somebody does at one tab, with goods that begin with these letters. */
function doings(letters: string): fc.Arbitrary<BasketChange[]> {
  const sku = fc.integer({ min: 0, max: 4 }).map((nth) => `${letters}-${nth}`)
  const doing = fc.oneof<fc.Arbitrary<BasketChange>[]>(
    fc.record({
      kind: fc.constant('put-line' as const),
      sku,
      quantity: fc.integer({ min: 1, max: 1000 }),
    }),
    fc.record({ kind: fc.constant('remove-line' as const), sku }),
  )
  return fc.array(doing, { maxLength: 12 })
}

/** `turns` says whose turn it is; what is left at the end follows. */
function interleaved<T>(one: readonly T[], other: readonly T[], turns: readonly boolean[]): T[] {
  const [ones, others] = [[...one], [...other]]
  const taken = turns.flatMap((isOnes) => (isOnes ? ones : others).splice(0, 1))
  return [...taken, ...ones, ...others]
}

test('two tabs in any order: of its own goods each finds what it would find alone', () => {
  fc.assert(
    fc.property(doings('AA'), doings('BB'), fc.array(fc.boolean()), (one, other, turns) => {
      const both = after(interleaved(one, other, turns))
      const linesOf = (letters: string) => both.lines.filter(({ sku }) => sku.startsWith(letters))
      expect(linesOf('AA')).toEqual(after(one).lines)
      expect(linesOf('BB')).toEqual(after(other).lines)
      expect(basketView.parse(both)).toEqual(both)
    }),
  )
})

test('a change that comes twice is done once', () => {
  fc.assert(
    fc.property(doings('AA'), (changes) => {
      const twice = changes.flatMap((change) => [change, change])
      expect(after(twice)).toEqual(after(changes))
    }),
  )
})
