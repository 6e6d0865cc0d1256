import { expect, test } from 'vitest'
import { kneeOf, nextRate, RATE_MAX, type Tried } from './knee.ts'

/** Searches on a shop that keeps up to a rate. */
function searched(capacity: number): Tried[] {
  const tried: Tried[] = []
  for (let rate = nextRate(tried); rate !== null; rate = nextRate(tried)) {
    tried.push({ perSecond: rate, keepsUp: rate <= capacity })
    if (tried.length > 40) throw new Error('the search does not end')
  }
  return tried
}

test('the rate doubles until the shop falls behind', () => {
  const kept = [500, 1000].map((perSecond) => ({ perSecond, keepsUp: true }))
  expect([nextRate([]), nextRate(kept.slice(0, 1)), nextRate(kept)]).toEqual([500, 1000, 2000])
})

test.each([120, 500, 730, 2600, 5750, 19_999])('the knee at %i is found within a tenth', (capacity) => {
  const tried = searched(capacity)
  const knee = kneeOf(tried) ?? 0
  expect(knee).toBeLessThanOrEqual(capacity)
  expect(knee).toBeGreaterThanOrEqual(Math.min(capacity / 1.1, capacity - 50))
  expect(tried.length).toBeLessThanOrEqual(12)
})

test('a rate that was kept by luck above one that was not is no knee', () => {
  const tried = [
    { perSecond: 500, keepsUp: true },
    { perSecond: 1000, keepsUp: false },
    { perSecond: 1200, keepsUp: true },
  ]
  expect(kneeOf(tried)).toBe(500)
})

test('a shop that keeps up with nothing has no knee, and the search ends', () => {
  expect(kneeOf(searched(0))).toBeNull()
})

test('the search ends where the load cannot go on', () => {
  const tried = searched(Number.POSITIVE_INFINITY)
  expect(tried.at(-1)?.perSecond).toBeLessThanOrEqual(RATE_MAX)
})
