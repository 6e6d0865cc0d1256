import { describe, expect, test } from 'vitest'
import { changeAll, changeOne, type Decision, type Rows } from '../src/aggregates.ts'
import type { Outgoing } from '../src/event.ts'
import { memoryRows } from '../src/memory.ts'
import { type MongoRow, mongoRows } from '../src/mongo.ts'
import { mongoOutbox, type OutboxRows } from '../src/outbox.ts'
import { Refusal } from '../src/refusal.ts'
import { testDatabase } from './database.ts'

type Counter = { sum: number }

const database = testDatabase()
let collections = 0

function emptyMongoRows(): Rows<Counter> & { outbox: OutboxRows } {
  collections += 1
  const collection = database().collection<MongoRow<Counter>>(`counters${collections}`)
  return { ...mongoRows(collection), outbox: mongoOutbox(collection) }
}

const noon = new Date('2026-11-21T12:00:00Z')
const later = new Date('2026-11-21T12:00:01Z')

function addOne(current: Counter | null): Decision<Counter> {
  const sum = (current?.sum ?? 0) + 1
  return { next: { sum }, tell: [told(sum)] }
}

function told(sum: number): Outgoing {
  const event = { id: `sum:${sum}`, source: 't', type: 't.v1', subject: 's', time: '', data: sum }
  return { topic: 'sums', event: { specversion: '1.0', ...event } }
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', () => memoryRows<Counter>()],
  ['in the database', emptyMongoRows],
])('rows %s', (_where, open) => {
  test('what was written is read, and nothing else', async () => {
    const rows = open()
    await rows.write([{ id: 'a', was: 0, version: 1, body: { sum: 1 } }])
    expect(await rows.read(['a', 'b'])).toEqual([{ id: 'a', version: 1, body: { sum: 1 } }])
  })

  test('a write on a version that has moved on is lost, and its neighbours are written', async () => {
    const rows = open()
    await rows.write(['a', 'b'].map((id) => ({ id, was: 0, version: 1, body: { sum: 1 } })))
    await rows.write([{ id: 'a', was: 1, version: 2, body: { sum: 2 } }])

    const lost = await rows.write([
      { id: 'a', was: 1, version: 2, body: { sum: 100 } },
      { id: 'b', was: 1, version: 3, body: { sum: 3 } },
      { id: 'b2', was: 0, version: 1, body: { sum: 4 } },
    ])
    expect(lost).toEqual(new Set(['a']))
    const after = new Map((await rows.read(['a', 'b', 'b2'])).map(({ id, body }) => [id, body.sum]))
    expect(Object.fromEntries(after)).toEqual({ a: 2, b: 3, b2: 4 })
  })

  test('of two who make the same thing one does', async () => {
    const rows = open()
    const write = (sum: number) => rows.write([{ id: 'a', was: 0, version: 1, body: { sum } }])
    const lost = await Promise.all([write(1), write(2)])
    expect(lost.map(({ size }) => size).sort()).toEqual([0, 1])
  })

  test('sixteen writers at once lose no change', async () => {
    const rows = open()
    const results = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const messages = [{ to: 'a' }, { to: 'b' }, { to: 'a' }]
        return changeAll(rows, messages, ({ to }) => to, addOne)
      }),
    )
    const done = results.flat().filter(({ outcome }) => outcome === 'done').length
    const sums = (await rows.read(['a', 'b'])).map(({ body }) => body.sum)
    expect(sums.reduce((total, sum) => total + sum, 0)).toBe(done)
  })
  test('what a change at an HTTP edge tells waits in its row until it is told, beside what waits already', async () => {
    const rows = open()
    const first = await changeOne(rows, 'a', addOne, noon)
    expect(first).toEqual({ next: { sum: 1 }, tell: [told(1)] })
    await changeOne(rows, 'a', addOne, later)
    await changeAll(rows, ['b'], (id) => id, addOne, later)
    expect(await rows.outbox.waiting(noon, 10)).toEqual([])
    const end = new Date(later.getTime() + 1)
    expect(await rows.outbox.waiting(end, 10)).toEqual([
      { id: 'a', outgoing: [told(1), told(2)] },
      { id: 'b', outgoing: [told(1)] },
    ])
    await rows.outbox.forget([{ id: 'a', outgoing: [told(1)] }])
    const left = await rows.outbox.waiting(end, 10)
    expect(left.find(({ id }) => id === 'a')?.outgoing).toEqual([told(2)])
    expect(await rows.read(['a'])).toMatchObject([{ version: 2, body: { sum: 2 } }])
  })

  test('who loses the race decides again, and leaves nothing to tell for what was not written', async () => {
    const rows = open()
    const all = await Promise.all([1, 2, 3].map(() => changeOne(rows, 'a', addOne, noon)))
    expect(all.map(({ next }) => next.sum).sort()).toEqual([1, 2, 3])
    const [row] = await rows.outbox.waiting(later, 10)
    expect(row?.outgoing.map(({ event }) => event.data).sort()).toEqual([1, 2, 3])
  })

  test('a change that is none, or is refused, leaves nothing', async () => {
    const rows = open()
    await changeOne(rows, 'a', addOne, noon)
    await rows.outbox.forget([{ id: 'a', outgoing: [told(1)] }])
    const same = await changeOne(
      rows,
      'a',
      (current) => ({ next: current ?? { sum: 0 }, tell: [told(9)] }),
      noon,
    )
    expect(same.tell).toEqual([])
    const no = () => {
      throw new Refusal('conflict', 'not now')
    }
    await expect(changeOne(rows, 'a', no, noon)).rejects.toMatchObject({ code: 'conflict' })
    expect(await rows.outbox.waiting(later, 10)).toEqual([])
  })
})
