import { randomUUIDv7 } from 'node:crypto'
import { type Catalog, catalogThrough } from '@tideshop/clients/catalog'
import { askNobody } from '@tideshop/clients/test/nobody'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { openSettings } from './open-settings.ts'

function door(catalog: Catalog) {
  return gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    catalog,
    newId: () => randomUUIDv7(),
  })
}

test('goods, categories and sales are shown as catalog shows them', async () => {
  const shelf = shelfOf([lantern])
  const app = door(shelf)
  expect((await request(app).get('/api/goods')).body).toEqual({ goods: [lantern], next: null })
  expect((await request(app).get('/api/goods/LMP-0101')).body).toEqual(lantern)
  expect((await request(app).get('/api/categories')).body.categories).toHaveLength(1)
  expect((await request(app).get('/api/sales?limit=5')).body).toEqual({ sales: [], next: null })
  const query = { category: 'lamps', q: 'brass lantern', after: 'LMP-0100' }
  expect(
    (
      await request(app)
        .get('/api/goods')
        .query({ ...query, limit: '2' })
    ).status,
  ).toBe(200)
  expect(shelf.asked).toEqual([{ limit: 24 }, 'LMP-0101', { limit: 5 }, { ...query, limit: 2 }])
})

test('a picture is an SVG', async () => {
  const { type, body, text } = await request(door(shelfOf([lantern]))).get('/api/goods/LMP-0101/picture.svg')
  expect(type).toBe('image/svg+xml')
  expect(text ?? String(body)).toContain('<title>Harbour Lantern, brass</title>')
})

test.each([
  ['/api/goods?limit=0', 'limit'],
  ['/api/goods?limit=101', 'limit'],
  ['/api/goods?limit=many', 'limit'],
  ['/api/goods?limit=1.5', 'limit'],
  ['/api/goods?limit=', 'limit'],
  ['/api/goods?after=nothing', 'after'],
  ['/api/goods?category=L', 'category'],
  ['/api/goods?q=', 'q'],
  ['/api/goods?q=%20', 'q'],
  ['/api/goods?q=%00', 'q'],
  [`/api/goods?q=${'x'.repeat(101)}`, 'q'],
  ['/api/goods?q=a&q=b', 'q'],
  ['/api/goods?page=2', 'query'],
  ['/api/goods?__proto__=2', 'query'],
  ['/api/goods/lmp-0101', 'sku'],
  ['/api/goods/LMP', 'sku'],
  [`/api/goods/LMP-${'1'.repeat(200)}`, 'sku'],
  ['/api/goods/lmp/picture.svg', 'sku'],
  ['/api/sales?after=A%20B', 'after'],
  ['/api/sales?limit=1e9', 'limit'],
])('%s is refused before it wakes anybody', async (path, field) => {
  const shelf = shelfOf([lantern])
  const { status, body, type } = await request(door(shelf)).get(path)
  expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' })
  expect(body.errors?.[0]?.path).toBe(field)
  expect(shelf.asked).toEqual([])
})

test('what is not there is 404', async () => {
  const app = door(shelfOf([]))
  for (const path of ['/api/goods/LMP-0101', '/api/goods/LMP-0101/picture.svg']) {
    expect((await request(app).get(path)).body).toMatchObject({ status: 404, title: 'not-found' })
  }
})

test('the contract names every parameter, with its bounds', async () => {
  const { body } = await request(door(shelfOf([]))).get('/openapi.json')
  const parameters: { name: string; schema: object; required: boolean }[] =
    body.paths['/api/goods'].get.parameters
  expect(parameters.map(({ name, required }) => [name, required])).toEqual([
    ['category', false],
    ['q', false],
    ['after', false],
    ['limit', false],
  ])
  expect(parameters.at(-1)?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100, default: 24 })
})

describe('through the sidecar', () => {
  const WAKES_MS = 600

  test('ids and words stand behind the question mark', async () => {
    const paths: string[] = []
    const invoke: Invoke = async (_appId, _method, path) => {
      paths.push(path)
      return { status: 200, said: { goods: [], next: null } }
    }
    await catalogThrough(invoke, 0).goods({ q: 'käse & co', limit: 24 })
    expect(paths).toEqual(['goods?q=k%C3%A4se+%26+co&limit=24'])
  })

  test('what catalog refuses is refused in its words', async () => {
    const said = { title: 'not-found', status: 404, detail: 'there is no good LMP-9999' }
    const catalog = catalogThrough(async () => ({ status: 404, said }), 0)
    await expect(catalog.good('LMP-9999')).rejects.toThrow(new Refusal('not-found', said.detail))
  })

  test('who finds catalog asleep waits until it is awake, and not for ever', async () => {
    let calls = 0
    const invoke: Invoke = async () => {
      calls += 1
      if (calls < 3) throw new Refusal('unavailable', 'catalog does not answer')
      return { status: 200, said: { categories: [] } }
    }
    expect(await catalogThrough(invoke, WAKES_MS).categories()).toEqual({ categories: [] })
    const never = catalogThrough(() => Promise.reject(new Refusal('unavailable', 'away')), WAKES_MS)
    await expect(never.categories()).rejects.toThrow('away')
  })
})
