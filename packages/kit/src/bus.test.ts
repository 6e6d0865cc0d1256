import { pino } from 'pino'
import { expect, test } from 'vitest'
import { daprBus } from './bus.ts'
import type { Outgoing } from './event.ts'
import type { Sidecar, SidecarRequest, SidecarResponse } from './sidecar.ts'
import { createMetrics } from './telemetry.ts'

function about(subject: string, topic = 'sums', data: unknown = 0): Outgoing {
  return {
    topic,
    event: { specversion: '1.0', id: subject, source: 't', type: 't.v1', subject, time: '', data },
  }
}

function busOver(answer: (request: SidecarRequest) => Partial<SidecarResponse> | Error) {
  const requests: SidecarRequest[] = []
  const sidecar = {
    async send(request: SidecarRequest) {
      requests.push(request)
      const given = answer(request)
      if (given instanceof Error) throw given
      return { status: 204, headers: {}, body: Buffer.alloc(0), ...given }
    },
  } as unknown as Sidecar
  return { requests, bus: daprBus(sidecar, pino({ level: 'silent' }), createMetrics('t')) }
}

test('each topic travels by its own component, keyed by what the event is about', async () => {
  const { bus, requests } = busOver(() => ({}))
  await bus.publish([about('a'), about('b', 'other'), about('c', 'sums.dead')])
  expect(requests.map(({ path }) => path.split('?')[0])).toEqual([
    '/v1.0/publish/bulk/sums/sums',
    '/v1.0/publish/bulk/other/other',
    '/v1.0/publish/bulk/sums/sums.dead',
  ])
  expect(JSON.parse(String(requests[0]?.body))).toMatchObject([{ metadata: { partitionKey: 'a' } }])
})

test('a partial failure names exactly what did not arrive', async () => {
  const failure = JSON.stringify({ failedEntries: [{ entryId: '1', error: 'too large' }] })
  const { bus } = busOver(() => ({ status: 500, body: Buffer.from(failure) }))
  const events = [about('a'), about('b'), about('c')]
  expect(await bus.publish(events)).toEqual(new Set([events[1]]))
})

test.each([
  ['no answer', () => new Error('socket hang up')],
  ['an answer that is no JSON', () => ({ status: 502, body: Buffer.from('<html>') })],
  ['an error without a list', () => ({ status: 500, body: Buffer.from('{"errorCode":"ERR"}') })],
])('%s means that nothing arrived for certain', async (_, answer) => {
  const { bus } = busOver(answer)
  const events = [about('a'), about('b')]
  expect(await bus.publish(events)).toEqual(new Set(events))
})

test('much is sent in pieces that the sidecar takes, in order', async () => {
  const { bus, requests } = busOver(() => ({}))
  const events = Array.from({ length: 70 }, (_, index) => about(String(index), 'sums', 'x'.repeat(60_000)))
  await bus.publish(events)
  const sent = requests.flatMap(
    ({ body }) => JSON.parse(String(body)) as { metadata: { partitionKey: string } }[],
  )
  expect(sent.map(({ metadata }) => metadata.partitionKey)).toEqual(events.map(({ event }) => event.subject))
  expect(Math.max(...requests.map(({ body }) => Buffer.byteLength(String(body))))).toBeLessThan(
    4 * 1024 * 1024,
  )
})
