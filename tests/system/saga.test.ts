import { randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { SAGA } from '../shared/saga.ts'
import { ask, ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA })

test('an operation is accepted, goes through the shop and completes', async () => {
  const { status, headers, body } = await post(shop, { name: 'hans' })
  expect(status).toBe(202)
  expect(headers.get('location')).toBe(`/operation/get/${body['uuid']}`)
  expect(body).toMatchObject({ type: 'user-create', state: 'pending', data: { name: 'hans' } })

  const operation = await ended(shop, String(body['uuid']))
  expect(operation).toMatchObject({
    uuid: body['uuid'],
    state: 'completed',
    data: { name: 'hans', approved: 'true', createdAt: expect.any(String), uuid: expect.any(String) },
    response: { state: 'completed' },
  })
})

test('a name on the deny list fails with the reason', async () => {
  const { body } = await post(shop, { name: 'Mallory' })
  const operation = await ended(shop, String(body['uuid']))
  expect(operation).toMatchObject({
    state: 'failed',
    data: { approved: 'false' },
    response: { state: 'failed' },
  })
  expect(operation.error).toContain('deny list')
  expect(operation.response.error).toBe(operation.error)
})

test('the same idempotency key is the same operation; with another body it is refused', async () => {
  const headers = { 'idempotency-key': randomUUIDv7() }
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(shop, { name: 'hans' }, headers)))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
  expect(new Set(answers.map(({ body }) => body['uuid'])).size).toBe(1)

  const other = await post(shop, { name: 'greta' }, headers)
  expect(other).toMatchObject({ status: 422, body: { title: 'key-reused' } })
})

test('one trace leads through every service', async () => {
  const traceId = randomUUIDv7().replaceAll('-', '')
  const { body } = await post(shop, { name: 'hans' }, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
  await ended(shop, String(body['uuid']))
  for (const source of ['operations', 'users', 'approvals']) {
    await expect.poll(() => shop.logs({ source, last: 500 })).toContain(traceId)
  }
})

test('a replica that is added works, and one that is taken away leaves nothing behind', async () => {
  await shop.addReplica('users')
  const during = await Promise.all(Array.from({ length: 50 }, () => post(shop, { name: 'hans' })))
  await shop.removeReplica('users')
  const after = await Promise.all(Array.from({ length: 50 }, () => post(shop, { name: 'hans' })))
  const all = [...during, ...after].map(({ body }) => ended(shop, String(body['uuid'])))
  expect((await Promise.all(all)).map(({ state }) => state)).toEqual(Array(100).fill('completed'))
  expect(shop.replicas('users')).toHaveLength(1)
})

test('the door tells its contract and its health', async () => {
  expect(await ask(shop, '/openapi.json')).toMatchObject({ status: 200, body: { openapi: '3.1.0' } })
  expect((await ask(shop, '/docs')).body['text']).toContain('swagger-ui')
  expect((await ask(shop, '/healthz')).status).toBe(200)
  expect((await ask(shop, '/readyz')).status).toBe(200)
})

test('the sidecar counts what the door asks of it, by path and without ids', async () => {
  const { body } = await post(shop, { name: 'hans' })
  await ended(shop, String(body['uuid']))
  const [door] = shop.replicas('apigateway')
  const metrics = await (await fetch(`http://127.0.0.1:${door?.metricsPort}/metrics`)).text()
  const counted = metrics.split('\n').filter((line) => line.startsWith('dapr_http_server_request_count'))
  expect(counted.join('\n')).toContain('/v1.0/invoke/operations/method/operation/create')
  expect(counted.join('\n')).not.toContain(String(body['uuid']))
})
