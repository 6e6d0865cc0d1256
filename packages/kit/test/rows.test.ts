import { describe, expect, test } from 'vitest'
import { changeAll, type Rows } from '../src/aggregates.ts'
import { memoryRows } from '../src/memory.ts'
import { type MongoRow, mongoRows } from '../src/mongo.ts'
import { testDatabase } from './database.ts'

type Counter = { sum: number }

const database = testDatabase()
let collections = 0

function emptyMongoRows(): Rows<Counter> {
  collections += 1
  return mongoRows(database().collection<MongoRow<Counter>>(`counters${collections}`))
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
    const addOne = (current: Counter | null) => ({ next: { sum: (current?.sum ?? 0) + 1 }, tell: [] })
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
})
