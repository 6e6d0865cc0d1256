import { failuresPage } from '@tideshop/contracts/failures'
import { topics } from '@tideshop/contracts/topics'
import { letterSettled } from '@tideshop/kit/dead-letter'
import { memoryBus } from '@tideshop/kit/memory'
import { quarantineThrough } from '@tideshop/kit/quarantine'
import type { SidecarRequest } from '@tideshop/kit/sidecar'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { jobsApp } from '../src/app.ts'
import { SETTLING_MAX_MS } from '../src/failure.ts'
import { failuresIn } from '../src/failures.ts'
import { letter } from './letters.ts'
import { memoryFailures } from './memory-failures.ts'
import { memoryReports } from './memory-reports.ts'

const id = 'user-create.3.17'

/** Jobs with a sidecar that keeps what is published, one by one, and `gate` for those that shall be slow. */
function office() {
  const around = { isAway: false, isDeaf: false, now: noon, gate: Promise.resolve() }
  const sent: SidecarRequest[] = []
  const bus = memoryBus(() => around.isDeaf)
  const sidecar = {
    async send(asked: SidecarRequest) {
      await around.gate
      if (around.isAway) throw new Error('no broker')
      sent.push(asked)
      return { status: 204, headers: {}, body: Buffer.alloc(0) }
    },
    ready: async () => {},
    close: async () => {},
  }
  const rows = memoryFailures()
  const nobody = () => expect.unreachable()
  const app = jobsApp({
    ...quietParts('jobs', bus),
    now: () => around.now,
    failures: failuresIn(rows),
    quarantine: quarantineThrough(sidecar, bus, 'jobs'),
    shop: { expireOrders: nobody, statisticsOf: nobody, lowStock: nobody },
    reports: memoryReports(),
    lowBelow: 10,
  })
  return { app, around, sent, bus }
}

type Office = ReturnType<typeof office>

async function hear({ app }: Office, ...records: unknown[]) {
  const { body } = await request(app)
    .post('/events/user-create.dead')
    .send(delivery(...records))
  return body.statuses.map(({ status }: { status: string }) => status)
}

async function settled({ app }: Office, step: string, wanted = id) {
  const { status, body } = await request(app).post('/failures/settle').send({ id: wanted, step })
  return { status, said: body.state ?? body.title }
}

async function states({ app }: Office) {
  return failuresPage.parse((await request(app).get('/failures')).body).failures.map(({ state }) => state)
}

test('jobs hears the quarantine of every topic, all by one component', async () => {
  const { body } = await request(office().app).get('/dapr/subscribe')
  expect(body.map(({ topic }: { topic: string }) => topic)).toEqual(topics.map(({ name }) => `${name}.dead`))
  expect(new Set(body.map(({ pubsubname }: { pubsubname: string }) => pubsubname))).toEqual(
    new Set(['dead-letters']),
  )
})

test('a letter is in the table once, and rubbish in a quarantine stays there and holds up nobody', async () => {
  const here = office()
  const records = ['no letter', letter(), { ...letter(), data: 7 }, letter()]
  expect(await hear(here, ...records)).toEqual(Array(4).fill('SUCCESS'))
  expect(await states(here)).toEqual(['open'])
  expect(here.bus.told).toEqual([])
})

test('a redrive puts the same bytes back under the same key, tells the quarantine, and is done once', async () => {
  const here = office()
  const bytes = Buffer.from([0xff, 0x00, 0x0a])
  await hear(here, letter({ key: 'u & ü', payload: bytes.toString('base64') }))
  for (let times = 0; times < 2; times += 1) {
    expect(await settled(here, 'redrive')).toEqual({ status: 200, said: 'redriven' })
  }
  expect(here.sent).toMatchObject([
    {
      path: `/v1.0/publish/dead-letters/user-create?${new URLSearchParams({
        'metadata.rawPayload': 'true',
        'metadata.partitionKey': 'u & ü',
      })}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    },
  ])
  expect(here.bus.told).toEqual([letterSettled(letter().data, 'redriven', 'jobs', noon)])
  expect(await settled(here, 'discard')).toEqual({ status: 409, said: 'conflict' })
})

test('two who ask at once put it back once', async () => {
  const here = office()
  await hear(here, letter())
  const { promise, resolve } = Promise.withResolvers<void>()
  here.around.gate = promise
  const first = settled(here, 'redrive')
  await expect.poll(() => states(here)).toEqual(['redriving'])
  expect(await settled(here, 'redrive')).toEqual({ status: 503, said: 'unavailable' })
  resolve()
  expect(await first).toEqual({ status: 200, said: 'redriven' })
  expect(here.sent).toHaveLength(1)
})

test.each([
  ['before it was put back', { isAway: true }, 1],
  ['before it was told', { isDeaf: true }, 2],
])('what broke off %s is finished by whoever asks later', async (_, broken, sent) => {
  const here = office()
  await hear(here, letter())
  Object.assign(here.around, broken)
  expect(await settled(here, 'redrive')).toEqual({ status: 503, said: 'uncertain' })
  Object.assign(here.around, { isAway: false, isDeaf: false })
  expect(await states(here)).toEqual(['redriving'])
  expect((await settled(here, 'redrive')).status).toBe(503)
  here.around.now = new Date(noon.getTime() + SETTLING_MAX_MS)
  expect(await settled(here, 'redrive')).toEqual({ status: 200, said: 'redriven' })
  expect(here.sent).toHaveLength(sent)
  expect(here.bus.told).toHaveLength(1)
})

test('what was discarded is told, not put back, and stays so', async () => {
  const here = office()
  await hear(here, letter({ payload: null }))
  for (let times = 0; times < 2; times += 1) {
    expect(await settled(here, 'discard')).toEqual({ status: 200, said: 'discarded' })
  }
  expect(here.bus.told).toEqual([letterSettled(letter().data, 'discarded', 'jobs', noon)])
  expect((await settled(here, 'redrive')).status).toBe(409)
  expect(here.sent).toEqual([])
})

test('what the tool says in the quarantine is so in the table', async () => {
  const here = office()
  await hear(here, letter(), letter({ offset: '18' }))
  const ends = [
    letterSettled(letter().data, 'redriven', 'dead', noon).event,
    letterSettled(letter({ offset: '18' }).data, 'discarded', 'dead', noon).event,
  ]
  expect(await hear(here, ...ends, ...ends)).toEqual(Array(4).fill('SUCCESS'))
  expect(await states(here)).toEqual(['discarded', 'redriven'])
  expect(await settled(here, 'redrive')).toEqual({ status: 200, said: 'redriven' })
  expect(here.sent).toEqual([])
})

test('what nobody knows, and what is no wish, is refused', async () => {
  const here = office()
  expect(await settled(here, 'redrive')).toEqual({ status: 404, said: 'not-found' })
  expect((await settled(here, 'forget')).status).toBe(400)
  expect((await settled(here, 'redrive', '../reports')).status).toBe(400)
  for (const query of ['limit=0', 'limit=101', 'after=17', 'state=open']) {
    expect((await request(here.app).get(`/failures?${query}`)).status).toBe(400)
  }
})
