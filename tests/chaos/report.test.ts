import type { Shop } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import type { Path } from './books.ts'
import type { Recovery } from './follower.ts'
import { tellMoment } from './moment.ts'
import { tellOutcome } from './report.ts'
import type { Inflicted, Outcome } from './run.ts'

const plan = { seed: 7, kills: 3, callers: 1, perSecond: 1 }
const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second))

function recovery(what: string, part: Recovery['part'], tookMs: number, beside: string[] = []): Recovery {
  return { what, part, killedAt: at(0), countedFrom: at(0), tookMs, beside }
}

function outcome(recoveries: Recovery[], faults: Inflicted[] = []): Outcome {
  const counts = { asked: 0, promised: 0, refused: 0, unknown: 0, completed: 0, failed: 0 }
  const found = { events: 0, repeats: 0, poisoned: 0, deadLetters: 0 }
  const verdict = { lost: 0, doubled: 0, stuck: 0, violations: [], counts: { ...counts, ...found } }
  return { verdict, quiet: true, recoveries, faults }
}

test('a run tells how long the shop needed, by what was killed', () => {
  const recoveries = [
    recovery('users', 'app', 2000),
    recovery('operations', 'app', 4000, ['slow mongodb for 3000 ms']),
    recovery('kafka', 'kafka', 8000),
  ]
  const lines = tellOutcome(plan, outcome(recoveries)).split('\n')
  expect(lines).toContain('recovery   p50 4.0 s · p95 8.0 s · max 8.0 s (kill of kafka)')
  expect(lines.map((line) => line.split(/\s{2,}/).filter(Boolean))).toEqual(
    expect.arrayContaining([
      ['app', '2', '2.0 s', '4.0 s', '4.0 s'],
      ['kafka', '1', '8.0 s', '8.0 s', '8.0 s'],
      ['alone', '2', '2.0 s', '8.0 s', '8.0 s'],
    ]),
  )
})

test('a violation is told with the faults that fell around it, and with what was said of its ids', () => {
  const fault = (second: number, what: string): Inflicted => {
    return { kind: 'kill', what, at: at(second), tookMs: 500 }
  }
  const record = { topic: 'user-create', partition: 0, offset: '1', value: '' }
  const path: Path = {
    asked: [],
    operations: [{ _id: 'o-1', version: 1, body: {} }],
    users: [],
    records: [{ ...record, id: 'u-1:1', time: at(30).toISOString() }],
  }
  const logs: Shop['logs'] = ({ naming = [] } = {}) => `asked for ${naming.join(' and ')}`
  const told = tellMoment(path, [fault(10, 'kill kafka'), fault(29, 'kill users')], { logs })
  expect(told).toBe(
    [
      '--- faults around it',
      `${at(29).toISOString()} kill users, over after 500 ms`,
      'asked for o-1 and u-1',
    ].join('\n'),
  )
})
