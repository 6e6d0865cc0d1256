import { expect, test } from 'vitest'
import { dueAtMs, dueBy } from './pace.ts'

const pace = { perSecond: 400, count: 100 }

test('the first is due at once, the others one after the other, and never more than there are', () => {
  expect(dueBy(pace, 0)).toBe(1)
  expect(dueBy(pace, 10)).toBe(5)
  expect(dueBy(pace, 10_000)).toBe(100)
})

test('each is due when it says', () => {
  for (const index of [0, 1, 42, 99]) {
    expect(dueBy(pace, dueAtMs(pace, index))).toBe(index + 1)
  }
})
