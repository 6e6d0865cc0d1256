import { expect, test } from 'vitest'
import { tellLive } from './live.ts'

test('the line tells rate, errors, what is open, and each service with the trigger that asks for most', () => {
  const beat = { good: 30, failed: 0, repeated: 0, looks: 0, ms: null, open: 31 }
  const trigger = (name: string, value: number) => ({ name, threshold: 25, isActive: true, value })
  const users = {
    service: 'users',
    wanted: 4,
    pods: 2,
    ready: 2,
    min: 0,
    max: 12,
    triggers: [trigger('a', 75), trigger('b', 30)],
  }
  const asleep = { ...users, service: 'payments', wanted: 0, ready: 0, triggers: [] }
  const samples = [0, 500, 1000].map((atMs) => ({ atMs, beat, services: [asleep, users] }))
  const counts = { good: 90, repeated: 2, failed: 1, looks: 0 }
  expect(tellLive('load', samples, counts)).toBe(
    '1 s load · 60/s · 90 good, 2 repeated, 1 failed · open 31 · payments 0/0 · users 2/4 (75)',
  )
  expect(tellLive('waits for rest', [], counts)).toContain('0 s waits for rest · 0/s')
})
