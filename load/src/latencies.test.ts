import { expect, test } from 'vitest'
import { latencies, perSecond, tellLatencies } from './latencies.ts'

test('percentiles are times that were measured, by nearest rank', () => {
  const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(latencies(oneToHundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 })
  expect(latencies([7])).toEqual({ count: 1, p50: 7, p95: 7, p99: 7, max: 7 })
})

test('10 comes after 9: times are sorted as numbers', () => {
  expect(latencies([10, 9, 8])?.max).toBe(10)
})

test('nothing measured is nothing told', () => {
  expect(latencies([])).toBeNull()
  expect(tellLatencies(null)).toBe('none measured')
})

test('a rate is a count by seconds', () => {
  expect(perSecond(50, 2_000)).toBe(25)
  expect(perSecond(50, 0)).toBe(0)
})
