import { expect, test } from 'vitest'
import type { Scaled } from './cluster/scaled.ts'
import { scalingOf, secondsUntilBack } from './scaling.ts'
import type { Timeline } from './timeline.ts'

const beat = { good: 0, failed: 0, repeated: 0, looks: 0, ms: null, open: null }

/** Replicas of users each second: wanted, ready, and what its trigger says for a threshold of 5. */
function timeline(
  rows: [wanted: number, ready: number, value: number][],
  beganS: number,
  overS: number,
): Timeline {
  const samples = rows.map(([wanted, ready, value], second) => {
    const trigger = { name: 's0-kafka-user-create', threshold: 5, isActive: value > 0, value }
    const users: Scaled = {
      service: 'users',
      wanted,
      pods: wanted,
      ready,
      min: 0,
      max: 12,
      triggers: [trigger],
    }
    return { atMs: second * 1000, beat, services: [users] }
  })
  return { samples, beganMs: beganS * 1000, overMs: overS * 1000, beganAtRest: true }
}

const grown = timeline(
  [
    [0, 0, 0],
    [0, 0, 10],
    [2, 0, 10],
    [2, 2, 10],
    [2, 2, 0],
    [0, 1, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  1,
  4,
)

test('a service tells when it grew, how far, and when it was back', () => {
  const [users] = scalingOf(grown, { users: 1.5 })
  expect(users).toMatchObject({
    service: 'users',
    mostWanted: 2,
    mostReady: 2,
    firstWantedSeconds: 1,
    firstReadySeconds: 2,
    backSeconds: 2,
    podSeconds: 6,
    cpuSeconds: 1.5,
  })
})

test('scores hold what was ready against what the triggers asked for, from the load to the end', () => {
  const [users] = scalingOf(grown, null)
  // Of six seconds two without either of two replicas, then one with two too many and one with one.
  expect(users?.elasticity?.underAccuracy).toBeCloseTo(100 * (2 / 6))
  expect(users?.elasticity?.overAccuracy).toBeCloseTo(100 * (3 / 6))
  expect(users?.cpuSeconds).toBeNull()
})

test('who is elsewhere at the end is not back, who never left is back at once', () => {
  expect(secondsUntilBack(grown, 'users', 1)).toBeNull()
  expect(secondsUntilBack(timeline([[1, 1, 0]], 0, 0), 'users', 1)).toBe(0)
})

test('a look that found nothing leaves no hole', () => {
  const blind = {
    ...grown,
    samples: grown.samples.map((one, index) => (index === 2 ? { ...one, services: null } : one)),
  }
  expect(scalingOf(blind, null)[0]).toMatchObject({ firstWantedSeconds: 2, mostReady: 2 })
})
