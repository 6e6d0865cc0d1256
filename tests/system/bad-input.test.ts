import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { SAGA } from '../shared/saga.ts'
import { readStores } from '../shared/stores.ts'
import { type Answer, ask, post } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA })

function create(init: RequestInit, kind = 'user-create'): Promise<Answer> {
  return ask(shop, `/operation/create/${kind}`, { method: 'POST', ...init })
}

const json = { 'content-type': 'application/json' }

test.each<[string, number, () => Promise<Answer>]>([
  ['broken JSON', 400, () => post(shop, '{"name":')],
  ['no name', 400, () => post(shop, {})],
  ['a wrong field', 400, () => post(shop, { name: 7 })],
  ['an unknown field', 400, () => post(shop, { name: 'hans', admin: true })],
  ['a malformed id', 400, () => ask(shop, '/operation/get/hans')],
  ['an id of another kind', 400, () => ask(shop, `/operation/get/${randomUUID()}`)],
  ['a bad idempotency key', 400, () => post(shop, { name: 'hans' }, { 'idempotency-key': 'ä b' })],
  ['an unknown id', 404, () => ask(shop, `/operation/get/${randomUUIDv7()}`)],
  ['an unknown operation', 404, () => create({ headers: json, body: '{"name":"hans"}' }, 'user-delete')],
  ['an unknown route', 404, () => ask(shop, '/nowhere')],
  ['a body too large', 413, () => post(shop, { name: 'x'.repeat(70_000) })],
  ['another media type', 415, () => create({ headers: { 'content-type': 'text/plain' }, body: 'hans' })],
  ['no body', 415, () => create({})],
])('%s is answered with %i, and told why', async (_, status, request) => {
  const answer = await request()
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
})

test('a wrong field is named by its path', async () => {
  const { body } = await post(shop, { name: 7 })
  expect(body['errors']).toEqual([{ path: 'name', message: expect.any(String) }])
})

test('and nothing of it was half-done', async () => {
  expect(await readStores(shop)).toEqual({ operations: [], users: [] })
})
