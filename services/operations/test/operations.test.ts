import { randomUUIDv7 } from 'node:crypto'
import {
  CREATED_AT_ONCE_MAX,
  type CreateOperation,
  type OperationAnswer,
  userCreate,
} from '@tideshop/contracts/operations'
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

function wish(name = 'hans', more: Partial<CreateOperation> = {}): CreateOperation {
  return { id: randomUUIDv7(), kind: 'user-create', body: { name }, traceparent: 'trace', ...more }
}

function create({ app }: Shop, ...operations: CreateOperation[]) {
  return request(app).post('/operation/create').send({ operations })
}

function read({ app }: Shop, ...ids: string[]) {
  return request(app)
    .get('/operation/get')
    .query({ uuid: ids.join(',') })
}

async function createdIds(here: Shop, ...wishes: CreateOperation[]) {
  const { body } = await create(here, ...wishes)
  return (body.answers as OperationAnswer[]).map((one) => 'operation' in one && one.operation.uuid)
}

test('accepted operations can be read, and the shop is told', async () => {
  const here = shop()
  const [hans, greta] = [wish('hans'), wish('greta')]
  const { status, body } = await create(here, hans, greta)
  expect({ status, answers: body.answers }).toMatchObject({
    status: 200,
    answers: [
      { operation: { uuid: hans.id, state: 'pending' } },
      { operation: { uuid: greta.id, state: 'pending' } },
    ],
  })
  expect((await read(here, hans.id, greta.id)).body).toEqual(body)
  expect(here.told()).toMatchObject([
    { data: { operationId: hans.id, name: 'hans' }, traceparent: 'trace' },
    { data: { operationId: greta.id, name: 'greta' } },
  ])
})

test('a call that the sidecar repeats is one operation', async () => {
  const here = shop()
  const hans = wish()
  expect([...(await createdIds(here, hans)), ...(await createdIds(here, hans))]).toEqual([hans.id, hans.id])
  expect(here.told()).toHaveLength(1)
})

test('an idempotency key is one operation, also for callers who come at once', async () => {
  const here = shop()
  const crowd = () => Array.from({ length: 5 }, () => wish('hans', { idempotencyKey: 'k-1' }))
  const ids = await Promise.all([createdIds(here, ...crowd()), createdIds(here, ...crowd())])
  expect(new Set(ids.flat()).size).toBe(1)
  expect(here.told()).toHaveLength(1)
})

test('an idempotency key with another body is refused, leaves no trace, and harms no neighbour', async () => {
  const here = shop()
  await create(here, wish('hans', { idempotencyKey: 'k-1' }))
  const { body } = await create(here, wish('greta', { idempotencyKey: 'k-1' }), wish('otto'))
  expect(body.answers).toMatchObject([
    { refusal: { code: 'key-reused' } },
    { operation: { data: { name: 'otto' } } },
  ])
  expect(here.told()).toHaveLength(2)
})

test('an unknown operation is not found beside one that is', async () => {
  const here = shop()
  const [hans, nobody] = [wish(), wish()]
  await create(here, hans)
  expect((await read(here, nobody.id, hans.id)).body.answers).toMatchObject([
    { refusal: { code: 'not-found' } },
    { operation: { uuid: hans.id } },
  ])
})

test.each([
  ['none', () => []],
  ['more than are asked at once', () => Array.from({ length: 201 }, () => wish())],
  ['a kind that is none', () => [{ ...wish(), kind: 'user-delete' }]],
  ['an id of another kind', () => [wish('hans', { id: 'hans' })]],
])('%s is refused', async (_, operations) => {
  const { status, body } = await request(shop().app)
    .post('/operation/create')
    .send({ operations: operations() })
  expect({ status, title: body.title }).toEqual({ status: 400, title: 'invalid' })
})

test('as many as may come at once fit into a body, however long their names', async () => {
  const name = '\u{1f30a}'.repeat(50)
  const wishes = Array.from({ length: CREATED_AT_ONCE_MAX }, (_, index) =>
    wish(name, { idempotencyKey: `${index}`.padStart(200, 'k') }),
  )
  expect((await create(shop(), ...wishes)).status).toBe(200)
})

test('a broker that is away is a refusal with nothing done', async () => {
  const here = shop(memoryBus(() => true))
  const hans = wish()
  const { status, headers, body } = await create(here, hans)
  expect({ status, title: body.title, retry: headers['retry-after'] }).toEqual({
    status: 503,
    title: 'unavailable',
    retry: '1',
  })
  expect((await read(here, hans.id)).body.answers).toMatchObject([{ refusal: { code: 'not-found' } }])
})

test('a broker that dies after the promise was made hears of it later', async () => {
  let away = false
  const bus = memoryBus(({ topic }) => away && topic === 'user-create')
  const here = shop(bus)
  const greta = wish('greta')
  await create(here, wish('hans'))
  away = true
  expect((await create(here, greta)).status).toBe(200)
  away = false

  const waiting = await here.operations.outbox.waiting(new Date(noon.getTime() + 1), 10)
  expect(waiting.map(({ id }) => id)).toEqual([greta.id])
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
  expect((await create(shop(memoryBus(), operations), wish())).status).toBe(503)
})

test('a fault tells the caller nothing', async () => {
  const operations = {
    ...memoryOperations(),
    findAll: () => Promise.reject(new Error('mongodb://user:secret@db is broken')),
  }
  const { status, text } = await read(shop(memoryBus(), operations), randomUUIDv7())
  expect({ status, text }).toEqual({ status: 500, text: '{"title":"internal","status":500}' })
})

test('an answer ends the operation, and its repeat changes nothing', async () => {
  const here = shop()
  const hans = wish()
  await create(here, hans)
  const [asked] = here.told()
  const { userId } = userCreate.schema.parse(asked).data
  const data = { operationId: hans.id, userId, createdAt: noon.toISOString(), approved: true }
  const { event } = userCreateResponse.tell({ subject: userId, version: 2, time: noon.toISOString(), data })

  for (const _ of ['once', 'twice']) {
    const { body: answer } = await request(here.app)
      .post('/events/user-create-response')
      .send(delivery(event))
    expect(answer).toEqual({ statuses: [{ entryId: '0', status: 'SUCCESS' }] })
  }
  expect((await read(here, hans.id)).body.answers).toMatchObject([
    { operation: { state: 'completed', data: { uuid: userId } } },
  ])
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
