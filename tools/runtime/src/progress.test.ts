import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { elapsed, Progress } from './progress.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a build is reported every 2 s, with what is done so far', () => {
  const lines: string[] = []
  {
    using progress = new Progress('built from its Go module', (line) => lines.push(line))
    progress.heard('go: downloading github.com/dapr/kit v0.18.2')
    progress.heard('github.com/dapr/kit/logger')
    progress.heard('# a warning of the compiler')
    vi.advanceTimersByTime(4_000)
  }
  vi.advanceTimersByTime(4_000)
  expect(lines).toEqual([
    'built from its Go module… 0 s',
    'built from its Go module… 1 files fetched, 1 packages compiled, 2 s',
    'built from its Go module… 1 files fetched, 1 packages compiled, 4 s',
  ])
})

test('minutes are told as minutes', () => {
  expect(elapsed(59_900)).toBe('59 s')
  expect(elapsed(80_000)).toBe('1 min 20 s')
})
