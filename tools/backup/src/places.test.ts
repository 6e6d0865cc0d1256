import { expect, test } from 'vitest'
import type { LineOf } from './file.ts'
import { placesIn } from './places.ts'

const now = new Date('2026-11-20T12:00:00.000Z')
const then = '1000'

/** Two partitions: the log of the first had lost its beginning, and was acknowledged up to 12; the second never was. */
function places(here: { work: bigint[]; dead: bigint[] }) {
  const known = placesIn([
    { topic: 'user-create', from: here.work, to: here.work },
    { topic: 'user-create.dead', from: here.dead, to: here.dead },
  ])
  known.learn([
    { kind: 'progress', group: 'users.user-create', topic: 'user-create', next: ['12', null] },
    { kind: 'progress', group: 'dead-redrive', topic: 'user-create.dead', next: ['1'] },
    { kind: 'log', topic: 'user-create', from: ['10', '0'], to: ['15', '2'] },
    { kind: 'log', topic: 'user-create.dead', from: ['3'], to: ['4'] },
  ])
  return known
}
const empty = { work: [0n, 0n], dead: [0n] }

function record(topic: string, partition: number, offset: string, value = ''): LineOf<'record'> {
  return { ...{ kind: 'record', topic, partition, offset, time: then, key: null, headers: [] }, value }
}

test('what was acknowledged is so after a restore, counted from where the log begins now', () => {
  const [work] = places(empty).progress()
  expect(work).toEqual({ group: 'users.user-create', topic: 'user-create', next: [2n, null] })
  const [elsewhere] = places({ work: [100n, 0n], dead: [0n] }).progress()
  expect(elsewhere?.next).toEqual([102n, null])
})

test('what was acknowledged and is gone from the log leaves the group at its beginning', () => {
  expect(places(empty).progress()[1]?.next).toEqual([0n])
})

test('the logs end where as many records as there were bring them', () => {
  expect(places({ work: [100n, 0n], dead: [0n] }).ends()).toEqual([
    { topic: 'user-create', from: [100n, 0n], to: [105n, 2n] },
    { topic: 'user-create.dead', from: [0n], to: [1n] },
  ])
})

test('what still waits gets the time of the restore, or the retention would take it unheard', () => {
  const moved = places(empty).moved(
    [record('user-create', 0, '11'), record('user-create', 0, '12'), record('user-create', 1, '0')],
    now,
  )
  expect(moved.map(({ time }) => time)).toEqual([then, String(now.getTime()), String(now.getTime())])
})

test('a dead letter, and its end, point to where its record lies now; whatever else is in the quarantine stays as it is', () => {
  const letter = (offset: string) =>
    Buffer.from(
      JSON.stringify({
        data: {
          ...{ topic: 'user-create', partition: 0, offset, key: null },
          ...{ listener: 'users', reason: 'not JSON', payload: null },
        },
        id: 'kept',
      }),
    ).toString('base64')
  const settled = (offset: string) => {
    const data = { topic: 'user-create', partition: 0, offset, became: 'redriven' }
    return Buffer.from(JSON.stringify({ data, id: 'kept' })).toString('base64')
  }
  const texts = [letter('13'), letter(''), Buffer.from('no letter').toString('base64'), settled('13')]
  const moved = places(empty).moved(
    texts.map((text) => record('user-create.dead', 0, '3', text)),
    now,
  )
  expect(moved.map(({ value }) => value)).toEqual([letter('3'), ...texts.slice(1, 3), settled('3')])
})
