import { expect, test } from 'vitest'
import { differencesOf, pairsOf } from './pairs.ts'

const spread = (min: number, median: number, max: number) => ({ min, median, max, runs: 3 })

test('figures are paired by name, with the ratio of their medians', () => {
  const first = { eventsPerSecond: spread(90, 100, 110), onlyHere: spread(1, 1, 1), measuredAt: 'monday' }
  const second = { eventsPerSecond: spread(140, 150, 160), measuredAt: 'tuesday' }
  expect(pairsOf(first, second)).toMatchObject([{ name: 'eventsPerSecond', ratio: 1.5, overlap: false }])
})

test('ranges that touch say that there is no clear difference', () => {
  const overlaps = (one: object, other: object) => pairsOf({ p99: one }, { p99: other })[0]?.overlap
  expect(overlaps(spread(1, 2, 3), spread(3, 4, 5))).toBe(true)
  expect(overlaps(spread(4, 5, 6), spread(1, 2, 3))).toBe(false)
  expect(overlaps(spread(1, 5, 9), spread(4, 5, 6))).toBe(true)
})

test('nothing is divided by a median of 0', () => {
  expect(pairsOf({ repeats: spread(0, 0, 0) }, { repeats: spread(0, 2, 3) })[0]?.ratio).toBeNull()
})

test('runs with other settings or on another machine are told apart', () => {
  const run = (workMs: number, cores: number) => ({ bench: 'saga', plan: { workMs }, machine: { cores } })
  expect(differencesOf(run(0, 2), run(0, 2))).toEqual([])
  expect(differencesOf(run(0, 2), run(200, 4))).toEqual(['plan.workMs: 0 and 200', 'machine.cores: 2 and 4'])
})
