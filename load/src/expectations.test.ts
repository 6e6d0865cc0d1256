import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type Found, judgeAll, readExpectations } from './expectations.ts'
import type { Sample } from './timeline.ts'

const beat = { good: 0, failed: 0, repeated: 0, looks: 0, ms: null, open: null }

function sample(atMs: number, ready: number): Sample {
  const users = { service: 'users', wanted: ready, pods: ready, ready, min: 0, max: 12, triggers: [] }
  return { atMs, beat, services: [users] }
}

const found: Found = {
  timeline: {
    samples: [sample(0, 0), sample(3000, 1), sample(8000, 4), sample(20_000, 1), sample(25_000, 0)],
    beganMs: 1000,
    overMs: 11_000,
    beganAtRest: true,
  },
  totals: {
    good: 400,
    failed: 0,
    repeated: 3,
    looks: 9,
    ms: { count: 400, p50: 10, p95: 50, p99: 90, max: 200 },
  },
  isInterrupted: false,
}

function outcomes(words: string, of: Found = found) {
  return judgeAll(readExpectations(words, true), of).map(({ outcome, why }) => [outcome, why])
}

test('replicas, their times, and their way back are judged', () => {
  expect(outcomes('users >= 4; users>=4 within 5 s; users >= 5; users <= 4; users <= 3')).toEqual([
    ['met', 'after 7.0 s'],
    ['missed', 'after 7.0 s'],
    ['missed', '4 were ready at most'],
    ['met', '4 were ready at most'],
    ['missed', '4 were ready at most'],
  ])
  expect(
    outcomes('users back to 0 within 120 s; users back to 0 within 10 s; users back to 1 within 120 s'),
  ).toEqual([
    ['met', 'after 14.0 s'],
    ['missed', 'after 14.0 s'],
    ['missed', '0 were ready when the watch ended'],
  ])
  expect(outcomes('first replica within 2 s; first replica of users within 1.5 s')).toEqual([
    ['met', 'after 2.0 s'],
    ['missed', 'after 2.0 s'],
  ])
})

test('requests are judged, without a cluster too', () => {
  expect(outcomes('no request failed; p99 <= 100 ms; p50 <= 5 ms; rate >= 40/s; rate >= 41/s')).toEqual([
    ['met', '0 failed, 3 answers asked to repeat'],
    ['met', 'it was 90 ms'],
    ['missed', 'it was 10 ms'],
    ['met', 'it was 40/s'],
    ['missed', 'it was 40/s'],
  ])
  expect(readExpectations('no request failed', false)).toHaveLength(1)
  expect(() => readExpectations('users >= 4', false)).toThrow(/only be expected of a cluster/)
})

test('a run that was ended leaves open what it could not see, and nothing else', () => {
  const ended = {
    ...found,
    isInterrupted: true,
    timeline: { ...found.timeline, samples: found.timeline.samples.slice(0, 3) },
  }
  expect(outcomes('users back to 0 within 9 s; users >= 4', ended).map(([outcome]) => outcome)).toEqual([
    'open',
    'met',
  ])
})

test('a service that is not there is missed, not overlooked', () => {
  expect(outcomes('usres <= 4')).toEqual([['missed', 'there is no Deployment usres']])
})

test('a file is read line by line, what begins with # is for people', ({ onTestFinished }) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'expect-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = path.join(dir, 'saga.expect')
  writeFileSync(file, '# as on two cores\nusers >= 2\n\nno request failed # ever\n')
  expect(readExpectations(file, true).map(({ words }) => words)).toEqual(['users >= 2', 'no request failed'])
})

test('what nobody understands is refused with all that can be said', () => {
  expect(() => readExpectations('users should grow', true)).toThrow(
    /"users should grow".*users >= 4.*back to 0/,
  )
})
