import { expect, test } from 'vitest'
import { buckets } from './limits.ts'

function clocked(limit: { perS: number; burst: number }) {
  const clock = { ms: 0 }
  return { clock, take: buckets(limit, () => clock.ms) }
}

test('so many at once, then so many each second, and who is refused is told for how long', () => {
  const { clock, take } = clocked({ perS: 2, burst: 3 })
  expect([1, 2, 3].map(() => take('hans'))).toEqual([0, 0, 0])
  expect(take('hans')).toBe(500)
  clock.ms = 499
  expect(take('hans')).toBeCloseTo(1)
  clock.ms = 500
  expect(take('hans')).toBe(0)
  clock.ms = 60_000
  expect([1, 2, 3, 4].map(() => take('hans') === 0)).toEqual([true, true, true, false])
})

test('who asks too often takes nothing from others', () => {
  const { take } = clocked({ perS: 1, burst: 1 })
  expect(take('hans')).toBe(0)
  expect(take('hans')).toBeGreaterThan(0)
  expect(take('greta')).toBe(0)
})

test('of thirty thousand who ask, those who asked last are remembered', () => {
  const { take } = clocked({ perS: 1, burst: 1 })
  for (let nth = 0; nth < 30_000; nth += 1) take(String(nth))
  expect(take('29999')).toBeGreaterThan(0)
  expect(take('0')).toBe(0)
})
