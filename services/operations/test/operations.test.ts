import { randomUUIDv7 } from 'node:crypto'
import { userCreate } from '@tideshop/contracts/operations'
import { userCreateResponse } from '@tideshop/contracts/users'
import { memoryBus } from '@tideshop/kit/memory'
import { outboxOf } from '@tideshop/kit/outbox'
import { Refusal } from '@tideshop/kit/refusal'
import { roadTo } from '@tideshop/kit/road'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { operationsApp } from '../src/app.ts'
import { memoryOperations } from './memory-operations.ts'

function shop(bus = memoryBus(), operations = memoryOperations()) {
  const parts = quietParts('operations', bus)
  const outbox = outboxOf(operations.outbox, bus, parts.log, parts.now)
  const road = roadTo('user-create', 'operations', bus, parts.now)
  const app = operationsApp({ ...parts, operations, outbox, road, newId: () => randomUUIDv7() })
  const told = () => bus.told.filter(({ topic }) => topic === 'user-create').map(({ event }) => event)
  return { app, operations, outbox, told }
}

type Shop = ReturnType<typeof shop>

function create({ app }: Shop, body: object = { name: 'hans' }, headers: Record<string, string> = {}) {
  return request(app).post('/operation/create/user-create').set(headers).send(body)
}

function read({ app }: Shop, uuid: string) {
  return request(app).get('/operation/get').query({ uuid })
}

test('an accepted operation can be read, and the shop is told', async () => {
  const here = shop()
  const { status, headers, body } = await create(here)
  expect(status).toBe(202)
  expect(headers['location']).toBe(`/operation/get/${body.uuid}`)
  expect((await read(here, body.uuid)).body).toEqual(body)
  expect(here.told()).toMatchObject([{ data: { operationId: body.uuid, name: 'hans' } }])
})

test('a call that the sidecar repeats is one operation', async () => {
  const here = shop()
  const headers = { 'operation-id': randomUUIDv7() }
  const answers = [
    await create(here, { name: 'hans' }, headers),
    await create(here, { name: 'hans' }, headers),
  ]
  expect(answers.map(({ body }) => body.uuid)).toEqual([headers['operation-id'], headers['operation-id']])
  expect(here.told()).toHaveLength(1)
})

test('an idempotency key is one operation, also for callers who come at once', async () => {
  const here = shop()
  const headers = { 'idempotency-key': 'k-1' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => create(here, { name: 'hans' }, headers)))
  expect(new Set(answers.map(({ body }) => body.uuid)).size).toBe(1)
  expect(here.told()).toHaveLength(1)
})

test('an idempotency key with another body is refused and leaves no trace', async () => {
  const here = shop()
  const headers = { 'idempotency-key': 'k-1' }
  await create(here, { name: 'hans' }, headers)
  const { status, body } = await create(here, { name: 'greta' }, headers)
  expect({ status, title: body.title }).toEqual({ status: 422, title: 'key-reused' })
  expect(here.told()).toHaveLength(1)
})

test('a broker that is away is a refusal with nothing done', async () => {
  const here = shop(memoryBus(() => true))
  const id = randomUUIDv7()
  const { status, headers, body } = await create(here, { name: 'hans' }, { 'operation-id': id })
  expect({ status, title: body.title, retry: headers['retry-after'] }).toEqual({
    status: 503,
    title: 'unavailable',
    retry: '1',
  })
  expect((await read(here, id)).status).toBe(404)
})

test('a broker that dies after the promise was made hears of it later', async () => {
  let away = false
  const bus = memoryBus(({ topic }) => away && topic === 'user-create')
  const here = shop(bus)
  await create(here)
  away = true
  const { status, body } = await create(here, { name: 'greta' })
  expect(status).toBe(202)
  away = false

  const waiting = await here.operations.outbox.waiting(new Date(noon.getTime() + 1), 10)
  expect(waiting.map(({ id }) => id)).toEqual([body.uuid])
  here.outbox.post(waiting, () => {})
  await here.outbox.idle()
  expect(here.told().map(({ data }) => (data as { name: string }).name)).toEqual(['hans', 'greta'])
  expect(await here.operations.outbox.waiting(new Date(noon.getTime() + 1), 10)).toEqual([])
})

test('a database that is away is a refusal', async () => {
  const operations = {
    ...memoryOperations(),
    createAll: () => Promise.reject(new Refusal('unavailable', 'the database is away')),
  }
  expect((await create(shop(memoryBus(), operations))).status).toBe(503)
})

test('a fault tells the caller nothing', async () => {
  const operations = {
    ...memoryOperations(),
    find: () => Promise.reject(new Error('mongodb://user:secret@db is broken')),
  }
  const { status, text } = await read(shop(memoryBus(), operations), randomUUIDv7())
  expect({ status, text }).toEqual({ status: 500, text: '{"title":"internal","status":500}' })
})

test('an answer ends the operation, and its repeat changes nothing', async () => {
  const here = shop()
  const { body } = await create(here)
  const [asked] = here.told()
  const { userId } = userCreate.schema.parse(asked).data
  const data = { operationId: body.uuid, userId, createdAt: noon.toISOString(), approved: true }
  const { event } = userCreateResponse.tell({ subject: userId, version: 2, time: noon.toISOString(), data })

  for (const _ of ['once', 'twice']) {
    const { body: answer } = await request(here.app)
      .post('/events/user-create-response')
      .send(delivery(event))
    expect(answer).toEqual({ statuses: [{ entryId: '0', status: 'SUCCESS' }] })
  }
  expect((await read(here, body.uuid)).body).toMatchObject({ state: 'completed', data: { uuid: userId } })
})

test('the sidecar learns what this service hears', async () => {
  const { body } = await request(shop().app).get('/dapr/subscribe')
  expect(body).toEqual([
    {
      pubsubname: 'user-create-response',
      topic: 'user-create-response',
      route: '/events/user-create-response',
      metadata: { rawPayload: 'true' },
      bulkSubscribe: { enabled: true, maxMessagesCount: 1000, maxAwaitDurationMs: 20 },
    },
  ])
})
