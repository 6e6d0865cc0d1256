import { expect, test } from 'vitest'
import { rounded, slopeOf, spreadOf, spreadsOf } from './statistics.ts'

test('the median of an even number of runs lies between the two in the middle', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, runs: 4 })
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30, runs: 3 })
})

test('what no run has measured has no spread', () => {
  expect(spreadOf([])).toBeNull()
  expect(spreadsOf([{ rate: 1, knee: null }, { rate: 3 }])).toEqual({
    rate: { median: 2, min: 1, max: 3, runs: 2 },
  })
})

test('a figure tells how many runs had it', () => {
  expect(spreadsOf([{ knee: null }, { knee: 400 }])['knee']).toMatchObject({ median: 400, runs: 1 })
})

test('figures have four digits that count, and whole numbers all of theirs', () => {
  expect(rounded(0.123_456)).toBe(0.1235)
  expect(rounded(12_345)).toBe(12_345)
})

test('the slope tells by how much a backlog grows', () => {
  const points = [0, 1, 2, 3].map((at) => ({ at, value: 100 + 50 * at }))
  expect(slopeOf(points)).toBeCloseTo(50)
  expect(slopeOf([{ at: 1, value: 7 }])).toBe(0)
})
