import { pino } from 'pino'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineEvent, type Event } from './event.ts'
import { type Entry, on, type Result, receive } from './inbox.ts'
import { memoryBus } from './memory.ts'
import { createMetrics } from './telemetry.ts'

const asked = defineEvent({
  topic: 'asked',
  source: 'asker',
  version: 1,
  summary: '',
  data: z.object({ question: z.string() }),
})
const answered = defineEvent({
  topic: 'answered',
  source: 'answerer',
  version: 1,
  summary: '',
  data: z.object({ to: z.string() }),
})

function question(id: string, change: Partial<Event> = {}): Event {
  return {
    ...asked.tell({ subject: id, version: 1, time: '2026-11-21T12:00:00.000Z', data: { question: 'why' } })
      .event,
    ...change,
  }
}

function entry(value: unknown, index = 0): Entry {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const metadata = { __partition: '3', __offset: String(index), __key: 'k' }
  return { entryId: String(index), event: Buffer.from(text).toString('base64'), metadata }
}

function answerAll(events: readonly Event[]): Result[] {
  return events.map(({ subject }) => {
    const tell = [
      answered.tell({ subject, version: 1, time: '2026-11-21T12:00:01.000Z', data: { to: subject } }),
    ]
    return { outcome: 'done', tell }
  })
}

async function deliver(
  entries: readonly Entry[],
  handle: (events: readonly Event[]) => Result[] = answerAll,
  bus = memoryBus(),
  topic = asked.topic,
) {
  const parts = {
    appId: 'answerer',
    bus,
    log: pino({ level: 'silent' }),
    metrics: createMetrics('answerer'),
    now: () => new Date('2026-11-21T12:00:02Z'),
    batchWaitMs: 20,
  }
  const statuses = await receive(parts, { ...on(asked, async (events) => handle(events)), topic }, entries)
  return { statuses: statuses.map(({ status }) => status), told: bus.told }
}

test('what was decided is told before the message is acknowledged', async () => {
  const { statuses, told } = await deliver([entry(question('a')), entry(question('b'), 1)])
  expect(statuses).toEqual(['SUCCESS', 'SUCCESS'])
  expect(told.map(({ event }) => event.subject)).toEqual(['a', 'b'])
})

test('a message whose answer did not get through comes again; its neighbour does not', async () => {
  const bus = memoryBus(({ event }) => event.subject === 'a')
  const { statuses } = await deliver([entry(question('a')), entry(question('b'), 1)], answerAll, bus)
  expect(statuses).toEqual(['RETRY', 'SUCCESS'])
})

test('when the service throws, all come again and nothing is told', async () => {
  const { statuses, told } = await deliver([entry(question('a')), entry(question('b'), 1)], () => {
    throw new Error('the database is away')
  })
  expect(statuses).toEqual(['RETRY', 'RETRY'])
  expect(told).toEqual([])
})

test.each([
  ['not JSON', 'rubbish', 'not JSON'],
  ['half a document', '{"specversion":', 'not JSON'],
  ['an empty record', '', 'not JSON'],
  ['bytes that are no text', '\u0000\ufffd\u0001', 'not JSON'],
  ['a number', '0', 'expected object'],
  ['false', 'false', 'expected object'],
  ['an empty string', '""', 'expected object'],
  ['null', 'null', 'expected object'],
  ['a list', '[]', 'expected object'],
  ['no envelope', { question: 'why' }, 'specversion'],
  ['another event', question('a', { type: 'answered.v1' }), 'type'],
  ['a future version', question('a', { type: 'asked.v2' }), 'type'],
  ['a wrong field', question('a', { data: { question: 7 } }), 'data.question'],
  ['no data', question('a', { data: undefined }), 'data'],
])(
  'poison (%s) goes to the dead letters with its reason, and the next message flows on',
  async (_, value, reason) => {
    const { statuses, told } = await deliver([entry(value), entry(question('b'), 1)])
    expect(statuses).toEqual(['SUCCESS', 'SUCCESS'])
    expect(told.map(({ topic }) => topic)).toEqual(['asked.dead', 'answered'])
    expect(told[0]?.event.data).toMatchObject({
      topic: 'asked',
      partition: 3,
      offset: '0',
      key: 'k',
      listener: 'answerer',
      reason: expect.stringContaining(reason),
      payload: entry(value).event,
    })
  },
)

test('a record without a value is poison, not a crash', async () => {
  const { statuses, told } = await deliver([{ entryId: '0', event: null, metadata: null }])
  expect(statuses).toEqual(['SUCCESS'])
  expect(told[0]?.event.data).toMatchObject({ payload: '', reason: 'not JSON' })
})

test('poison that cannot be put aside is not acknowledged', async () => {
  const { statuses } = await deliver(
    [entry('rubbish')],
    answerAll,
    memoryBus(() => true),
  )
  expect(statuses).toEqual(['RETRY'])
})

test('what the shop says can never be is poison too', async () => {
  const { told } = await deliver([entry(question('a'))], () => [
    { outcome: 'dead', reason: 'there is no such user' },
  ])
  expect(told[0]?.event.data).toMatchObject({ reason: 'there is no such user' })
})

test('a trace that is not a string costs no message', async () => {
  const traced = { ...question('a'), traceparent: 7 }
  const { statuses, told } = await deliver([entry(traced)])
  expect(statuses).toEqual(['SUCCESS'])
  expect(told[0]?.event.traceparent).toMatch(/^00-/)
})

test('an answer carries the trace of its question', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { told } = await deliver([entry(question('a', { traceparent }))])
  expect(told[0]?.event.traceparent).toContain('0af7651916cd43dd8448eb211c80319c')
})

test('a payload too large to copy is left where it lies', async () => {
  const { told } = await deliver([entry('x'.repeat(900_000))])
  expect(told[0]?.event.data).toMatchObject({ payload: null, partition: 3, offset: '0' })
})

test('what cannot be read in a quarantine is left where it is', async () => {
  const { statuses, told } = await deliver([entry('rubbish')], answerAll, memoryBus(), 'asked.dead')
  expect({ statuses, told }).toEqual({ statuses: ['SUCCESS'], told: [] })
})
