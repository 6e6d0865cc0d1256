import { expect, test } from 'vitest'
import { countAt, keepsUp, rateFound, type Seen } from './throughput.ts'

const offered = { perSecond: 1000, windowMs: 8000 }

/** A shop that ends what was accepted `lateMs` later, but no more than `endsPerSecond`; looked at each 250 ms. */
function shop(lateMs: number, endsPerSecond: number): Seen[] {
  return Array.from({ length: 60 }, (_, index) => {
    const atMs = (index + 1) * 250
    const accepted = Math.min(8000, atMs)
    const ended = Math.min(accepted, Math.max(0, atMs - lateMs) * Math.min(1, endsPerSecond / 1000))
    return { atMs, accepted, ended }
  })
}

test('a shop that ends everything half a second later keeps up', () => {
  const found = rateFound(shop(500, 5000), offered)
  expect(found.endedPerSecond).toBeCloseTo(1000)
  expect(found.backlog).toBeCloseTo(500)
  expect(keepsUp(found, offered)).toBe(true)
})

test('a shop that ends nine of ten falls behind: its backlog grows', () => {
  const found = rateFound(shop(100, 900), offered)
  expect(found.backlogGrowsPerSecond).toBeCloseTo(100)
  expect(keepsUp(found, offered)).toBe(false)
})

test('in a short step one batch more or less is not a trend', () => {
  const short = { perSecond: 100, windowMs: 2000 }
  const found = { endedPerSecond: 90, acceptedPerSecond: 100, backlogGrowsPerSecond: 14, backlog: 40 }
  expect(keepsUp(found, short)).toBe(true)
  expect(keepsUp(found, { ...short, windowMs: 8000 })).toBe(false)
})

test('a shop that ends everything two seconds later is behind', () => {
  expect(keepsUp(rateFound(shop(2000, 5000), offered), offered)).toBe(false)
})

test('a door that lets too few in falls behind, though all of these end at once', () => {
  const seen = shop(0, 5000).map((one) => ({ ...one, accepted: one.accepted / 2, ended: one.ended / 2 }))
  expect(keepsUp(rateFound(seen, offered), offered)).toBe(false)
})

test('between two looks a count grows evenly, before the first from nothing', () => {
  const seen = [
    { atMs: 100, accepted: 10, ended: 0 },
    { atMs: 200, accepted: 30, ended: 0 },
  ]
  const at = (ms: number) => countAt(seen, ms, ({ accepted }) => accepted)
  expect([at(50), at(100), at(150), at(900)]).toEqual([5, 10, 20, 30])
})
