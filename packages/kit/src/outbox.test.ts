import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Bus } from './bus.ts'
import type { Outgoing } from './event.ts'
import { memoryBus } from './memory.ts'
import { type OutboxRows, outboxOf, type PendingRow } from './outbox.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const log = pino({ level: 'silent' })

function row(id: string): PendingRow {
  const event = {
    specversion: '1.0',
    id: `${id}:1`,
    source: 't',
    type: 't.v1',
    subject: id,
    time: '',
    data: 0,
  } as const
  return { id, outgoing: [{ topic: 'sums', event }] }
}

function rowsIn(waiting: PendingRow[]): OutboxRows & { left: () => string[] } {
  let left = waiting
  return {
    left: () => left.map(({ id }) => id),
    waiting: async (_before, max) => left.slice(0, max),
    forget: async (sent) => {
      left = left.filter(({ id }) => !sent.some((one) => one.id === id))
    },
  }
}

test('what was told is forgotten, what did not get through stays', async () => {
  const rows = rowsIn([row('a'), row('b')])
  const outbox = outboxOf(
    rows,
    memoryBus(({ event }) => event.subject === 'b'),
    log,
    () => noon,
  )
  const went: boolean[] = []
  outbox.post([row('a'), row('b')], (well) => went.push(well))
  await outbox.idle()
  expect({ left: rows.left(), went }).toEqual({ left: ['b'], went: [false] })
})

test('a sweep tells what a crash left', async () => {
  const rows = rowsIn([row('a'), row('b')])
  const bus = memoryBus()
  const stop = new AbortController()
  const sweeping = outboxOf(rows, bus, log, () => noon).sweep(stop.signal)
  await expect.poll(() => rows.left(), { timeout: 5000 }).toEqual([])
  stop.abort()
  await sweeping
  expect(bus.told.map(({ event }) => event.id)).toEqual(['a:1', 'b:1'])
})

test('a sweep goes on after a database that was away', async () => {
  const rows = rowsIn([row('a')])
  let away = true
  const flaky: OutboxRows = {
    ...rows,
    waiting: (before, max) => {
      if (!away) return rows.waiting(before, max)
      away = false
      return Promise.reject(new Error('away'))
    },
  }
  const stop = new AbortController()
  const sweeping = outboxOf(flaky, memoryBus(), log, () => noon).sweep(stop.signal)
  await expect.poll(() => rows.left(), { timeout: 5000 }).toEqual([])
  stop.abort()
  await sweeping
})

test('nothing to post says nothing about the road', async () => {
  const went: boolean[] = []
  const outbox = outboxOf(rowsIn([]), memoryBus(), log, () => noon)
  outbox.post([], (well) => went.push(well))
  await outbox.idle()
  expect(went).toEqual([])
})

test('while too much is on its way a caller is refused before anything is written', async () => {
  const gate = Promise.withResolvers<Set<Outgoing>>()
  const stuck: Bus = { publish: () => gate.promise }
  const outbox = outboxOf(rowsIn([]), stuck, log, () => noon)
  for (let index = 0; index < 8; index += 1) outbox.post([row(String(index))], () => {})
  await expect(outbox.room()).rejects.toThrow(/slow/)
  gate.resolve(new Set())
  await outbox.idle()
  await expect(outbox.room()).resolves.toBeUndefined()
})
