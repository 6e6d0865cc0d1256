import fc from 'fast-check'
import { expect, test } from 'vitest'
import { euros, inFours } from './words.ts'

test.each([
  [0, '€0.00'],
  [5, '€0.05'],
  [990, '€9.90'],
  [123_456_78, '€123,456.78'],
])('%i cents are %s', (cents, written) => {
  expect(euros(cents)).toBe(written)
})

test('every price is written to the cent', () => {
  fc.assert(
    // The dearest basket of contracts/src/pricing.ts.
    fc.property(fc.integer({ min: 0, max: 100 * 1000 * 10_000_000 }), (cents) => {
      expect(euros(cents)).toMatch(/^€[\d,]+\.\d\d$/)
      expect(Number(euros(cents).replace(/\D/g, ''))).toBe(cents)
    }),
  )
})

test('a number of a card is read in fours', () => {
  expect(inFours('4242424242424242')).toBe('4242 4242 4242 4242')
})
