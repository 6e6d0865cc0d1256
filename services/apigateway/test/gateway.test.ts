import { randomUUIDv7 } from 'node:crypto'
import { askNobody } from '@tideshop/clients/test/nobody'
import type { CreateOperation, OperationView } from '@tideshop/contracts/operations'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { openSettings } from './open-settings.ts'

/** A door before a service that accepts everything and remembers what it was asked. */
function door(failure?: Error) {
  const created: CreateOperation[] = []
  const found: string[] = []
  const app = gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    newId: () => randomUUIDv7(),
    operations: {
      async create(asked) {
        if (failure) throw failure
        created.push(asked)
        return pending(asked.id)
      },
      async find(id) {
        found.push(id)
        return pending(id)
      },
    },
  })
  return { app, created, found }
}

function pending(uuid: string): OperationView {
  const state = 'pending'
  return { uuid, type: 'user-create', state, data: { name: 'hans' }, response: { state } }
}

const create = '/operation/create/user-create'

test('a good request goes to operations with an id of ours and the trace of the caller', async () => {
  const { app, created } = door()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { traceparent, 'idempotency-key': 'k-1' }
  const answer = await request(app).post(create).set(headers).send({ name: 'hans' })

  expect(created).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{14}7/),
      kind: 'user-create',
      body: { name: 'hans' },
      idempotencyKey: 'k-1',
      traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'),
    },
  ])
  const id = created[0]?.id as string
  expect(answer.status).toBe(202)
  expect(answer.headers).toMatchObject({ location: `/operation/get/${id}` })
  expect(answer.body).toEqual(pending(id))
})

const json = { 'content-type': 'application/json' }

test.each([
  ['broken JSON', 400, create, json, '{"name":'],
  ['an empty body', 415, create, {}, undefined],
  ['no name', 400, create, json, '{}'],
  ['a wrong field', 400, create, json, '{"name":7}'],
  ['an unknown field', 400, create, json, '{"name":"hans","admin":true}'],
  ['a name of nothing', 400, create, json, '{"name":""}'],
  ['a name with a control character', 400, create, json, '{"name":"a\\u0000b"}'],
  ['a name of blanks', 400, create, json, '{"name":"  "}'],
  ['a name too long', 400, create, json, JSON.stringify({ name: 'x'.repeat(101) })],
  ['null', 400, create, json, 'null'],
  ['a list', 400, create, json, '[]'],
  ['a string', 400, create, json, '"hans"'],
  ['a body too large', 413, create, json, JSON.stringify({ name: 'x'.repeat(70_000) })],
  ['another media type', 415, create, { 'content-type': 'text/plain' }, 'hans'],
  ['another charset', 415, create, { 'content-type': 'application/json; charset=latin1' }, '{"name":"hans"}'],
  ['a bad idempotency key', 400, create, { ...json, 'idempotency-key': 'a b' }, '{"name":"hans"}'],
  ['an unknown kind', 404, '/operation/create/user-delete', json, '{"name":"hans"}'],
  ['a kind that every object has', 404, '/operation/create/constructor', json, '{"name":"hans"}'],
  ['a broken path', 400, '/operation/create/%E0%A4%A', json, '{"name":"hans"}'],
])('%s is refused (%i) before it wakes anybody', async (_, status, path, headers, body) => {
  const { app, created } = door()
  const answer = await request(app).post(path).set(headers).send(body)
  expect(answer.status).toBe(status)
  expect(answer.type).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
  expect(created).toEqual([])
})

test('what stands outside the body is named as well', async () => {
  const key = await request(door().app).post(create).set('idempotency-key', 'a b').send({ name: 'hans' })
  expect(key.body.errors).toMatchObject([{ path: 'Idempotency-Key' }])
  expect((await request(door().app).get('/operation/get/hans')).body.errors).toMatchObject([{ path: 'uuid' }])
})

test('a wrong field is named', async () => {
  const { body } = await request(door().app).post(create).send({ name: 7 })
  expect(body.errors).toEqual([{ path: 'name', message: expect.stringContaining('string') }])
})

test.each(['hans', '123', randomUUIDv7().slice(1), '9b2ab8ba-9a4c-4a4c-8c63-3c4a4d7c1e5f'])(
  'the malformed id %s is refused before it wakes anybody',
  async (id) => {
    const { app, found } = door()
    expect((await request(app).get(`/operation/get/${id}`)).status).toBe(400)
    expect(found).toEqual([])
  },
)

test('an operation is shown as operations shows it', async () => {
  const { app, found } = door()
  const id = randomUUIDv7()
  const { status, body } = await request(app).get(`/operation/get/${id}`)
  expect({ status, body }).toEqual({ status: 200, body: pending(id) })
  expect(found).toEqual([id])
})

test('a service that does not answer is 503 with a time to come back', async () => {
  const { app } = door(new Refusal('uncertain', 'operations did not answer'))
  const answer = await request(app).post(create).send({ name: 'hans' })
  expect({ status: answer.status, retry: answer.headers['retry-after'] }).toEqual({ status: 503, retry: '1' })
})

test.each(['/nowhere', '/operation', '/operation/get'])('there is no %s', async (path) => {
  expect((await request(door().app).get(path)).body).toMatchObject({ title: 'not-found', status: 404 })
})

test('the contract is served, with a page to read it', async () => {
  const { app } = door()
  const { body } = await request(app).get('/openapi.json')
  expect(body).toMatchObject({ openapi: '3.1.0' })
  expect(Object.keys(body.paths)).toEqual([
    '/operation/create/user-create',
    '/operation/get/{uuid}',
    '/api/prices/quote',
    '/api/goods',
    '/api/goods/{sku}',
    '/api/goods/{sku}/picture.svg',
    '/api/categories',
    '/api/sales',
    '/api/basket',
    '/api/basket/lines/{sku}',
    '/api/basket/vouchers',
    '/api/orders',
    '/api/orders/{id}',
    '/api/orders/{id}/cancel',
    '/api/settings',
    '/api/admin/goods/{sku}',
    '/api/admin/sales/{id}',
    '/api/admin/stock/{sku}',
    '/api/admin/stock/{sku}/deliveries',
    '/api/admin/orders',
    '/api/admin/orders/{id}/packed',
    '/api/admin/orders/{id}/shipped',
    '/api/admin/orders/{id}/delivered',
    '/api/admin/orders/{id}/cancel',
    '/api/admin/settings',
    '/api/admin/reports',
    '/api/admin/failures',
    '/api/admin/failures/{id}/redrive',
    '/api/admin/failures/{id}/discard',
    '/sign-in',
    '/sign-out',
  ])
  expect(body.components.schemas.UserCreate).toMatchObject({
    required: ['name'],
    additionalProperties: false,
  })
  expect((await request(app).get('/docs')).text).toContain('/openapi.json')
  expect((await request(app).get('/docs/assets/swagger-ui-bundle.js')).status).toBe(200)
})

test('the door knows its health', async () => {
  const { app } = door()
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect((await request(app).get(path)).status).toBe(200)
  const sleepy = gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    newId: randomUUIDv7,
    ready: () => Promise.reject(new Refusal('unavailable', 'the sidecar is not ready')),
  })
  expect((await request(sleepy).get('/readyz')).status).toBe(503)
})
