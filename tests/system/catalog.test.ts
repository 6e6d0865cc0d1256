import { goodsPage, goodView, salesPage } from '@tideshop/contracts/catalog'
import { expect, test } from 'vitest'
import { ask } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: ['catalog'] })

async function goods(query: string) {
  const { status, body } = await ask(shop, `/api/goods?${query}`)
  expect(status).toBe(200)
  return goodsPage.parse(body)
}

test('a customer leafs through the whole shop, page by page', async () => {
  const seen: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page = await goods(`limit=100${after && `&after=${after}`}`)
    seen.push(...page.goods.map(({ sku }) => sku))
    after = page.next
  }
  expect(seen.length).toBeGreaterThanOrEqual(200)
  expect(seen).toEqual([...new Set(seen)].sort())
})

test('a customer walks along one shelf', async () => {
  const { body } = await ask(shop, '/api/categories')
  const categories = body['categories'] as { id: string; name: string }[]
  expect(categories.length).toBeGreaterThanOrEqual(8)
  for (const { id } of categories) {
    const page = await goods(`category=${id}&limit=100`)
    expect(page.goods.length).toBeGreaterThan(0)
    expect(new Set(page.goods.map(({ category }) => category))).toEqual(new Set([id]))
  }
})

test('a customer finds a good by words, looks at it and sees it', async () => {
  const found = await goods(`q=${encodeURIComponent('LANTERN bra')}`)
  expect(found.goods.map(({ name }) => name)).toEqual(['Harbour Lantern, brass'])
  const sku = found.goods[0]?.sku
  const good = goodView.parse((await ask(shop, `/api/goods/${sku}`)).body)
  expect(good).toEqual(found.goods[0])

  const picture = await ask(shop, good.picture)
  expect(picture.headers.get('content-type')).toMatch(/^image\/svg\+xml/)
  expect(picture.body['text']).toContain('<title>Harbour Lantern, brass</title>')
  expect((await goods('q=nobodysellsthis')).goods).toEqual([])
})

test('a customer sees what is cheaper this week, and until when', async () => {
  const { sales } = salesPage.parse((await ask(shop, '/api/sales')).body)
  const running = sales.filter(({ state }) => state === 'running')
  expect(running.length).toBeGreaterThan(0)
  const [sale] = running
  expect(goodView.parse((await ask(shop, `/api/goods/${sale?.sku}`)).body).sale).toEqual(sale)
})

test.each([
  ['/api/goods?limit=1000', 400],
  ['/api/goods?q=', 400],
  ['/api/goods?q=%F0%9F%90%9F%00', 400],
  ['/api/goods?nothing=1', 400],
  ['/api/goods/nothing', 400],
  ['/api/goods/LMP-9999', 404],
  ['/api/goods/LMP-9999/picture.svg', 404],
  ['/api/goods/LMP-0101/picture.png', 404],
  ['/admin/goods/LMP-0101', 404],
  ['/api/admin/goods/LMP-0101', 404],
])('%s is answered with %i, and told why', async (path, status) => {
  const answer = await ask(shop, path)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
})

test('the longest search that is allowed fits through both sidecars', async () => {
  const q = encodeURIComponent('渦'.repeat(100))
  expect((await goods(`q=${q}&category=${'c'.repeat(40)}&limit=100&after=LMP-0101`)).goods).toEqual([])
})

test('a catalog that is away is 503 with a time to come back, and is there again when it is', async () => {
  const [host] = shop.replicas('catalog')
  await host?.app.kill()
  const answer = await ask(shop, '/api/goods/LMP-0101')
  expect({ status: answer.status, retry: answer.headers.get('retry-after') }).toEqual({
    status: 503,
    retry: '1',
  })
  await host?.app.start()
  await expect
    .poll(async () => (await ask(shop, '/api/goods/LMP-0101')).status, { timeout: 30_000, interval: 100 })
    .toBe(200)
})

test('no path with which the door calls catalog names a good', async () => {
  await ask(shop, '/api/goods/LMP-0203')
  const [door] = shop.replicas('apigateway')
  const metrics = await (await fetch(`http://127.0.0.1:${door?.metricsPort}/metrics`)).text()
  const counted = metrics.split('\n').filter((line) => line.startsWith('dapr_http_server_request_count'))
  expect(counted.join('\n')).toContain('/v1.0/invoke/catalog/method/good')
  expect(counted.join('\n')).not.toContain('LMP-0203')
})
