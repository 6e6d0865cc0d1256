import { basketView, pricedBasket } from '@tideshop/contracts/basket'
import { goodView } from '@tideshop/contracts/catalog'
import type { Shop } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import { type Answer, ask } from './door.ts'
import { openShop } from './open-shop.ts'

const CHANGES_EACH = 50
/** A basket's life where a test waits for its end, in seconds. */
const SHORT_LIFE_S = 3
const SOON = { timeout: 30_000, interval: 100 }

const shop = await openShop({ only: ['basket', 'catalog', 'pricing'] })

/** A browser, or nobody yet: it keeps the cookie that the door gave. */
class Customer {
  #cookie: string | undefined
  readonly #shop: Shop

  constructor(at: Shop = shop) {
    this.#shop = at
  }

  async ask(method: string, path = '', body?: object): Promise<Answer> {
    const answer = await ask(this.#shop, `/api/basket${path}`, {
      method,
      headers: {
        ...(this.#cookie !== undefined && { cookie: this.#cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    this.#cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? this.#cookie
    return answer
  }

  async put(sku: string, quantity: number): Promise<void> {
    const { status, body } = await this.ask('PUT', `/lines/${sku}`, { quantity })
    expect({ status, body }).toMatchObject({ status: 200 })
    expect(basketView.parse(body).lines).toContainEqual({ sku, quantity })
  }

  async look() {
    const { status, body } = await this.ask('GET')
    expect({ status, body }).toMatchObject({ status: 200 })
    return pricedBasket.parse(body)
  }
}

test('a customer fills a basket and sees what it costs; another one sees another basket', async () => {
  const [one, other] = [new Customer(), new Customer()]
  expect(await one.look()).toEqual({ lines: [], voucherCodes: [], quote: null })
  await one.put('LMP-0101', 2)
  await one.put('NONE-1', 3)
  await one.ask('PUT', '/vouchers', { voucherCodes: ['NOBODY-KNOWS-IT'] })
  await other.put('TAB-0101', 1)

  const good = goodView.parse((await ask(shop, '/api/goods/LMP-0101')).body)
  const { lines, voucherCodes, quote } = await one.look()
  expect(lines).toEqual([
    { sku: 'LMP-0101', quantity: 2, available: true, good },
    { sku: 'NONE-1', quantity: 3, available: false },
  ])
  expect(voucherCodes).toEqual(['NOBODY-KNOWS-IT'])
  expect(quote).toMatchObject({
    lines: [{ sku: 'LMP-0101', quantity: 2, unitPriceCents: good.sale?.priceCents ?? good.priceCents }],
    subtotalCents: 2 * (good.sale?.priceCents ?? good.priceCents),
    vouchers: [{ code: 'NOBODY-KNOWS-IT', applied: false }],
  })
  expect((await other.look()).lines.map(({ sku }) => sku)).toEqual(['TAB-0101'])

  await one.ask('DELETE', '/lines/NONE-1')
  expect((await one.look()).lines.map(({ sku }) => sku)).toEqual(['LMP-0101'])
  await one.ask('DELETE')
  expect(await one.look()).toEqual({ lines: [], voucherCodes: [], quote: null })
})

test('a basket with a hundred of the longest names is shown, and has no room for another', async () => {
  const customer = new Customer()
  const name = (nth: number) => `${'A'.repeat(10)}-${'B'.repeat(10)}-${'C'.repeat(10)}-${1e9 + nth}`
  for (let nth = 0; nth < 99; nth += 1) await customer.put(name(nth), 1000)
  await customer.put('LMP-0101', 1000)
  const { status, body } = await customer.ask('PUT', '/lines/LMP-0102', { quantity: 1 })
  expect({ status, title: body['title'] }).toEqual({ status: 409, title: 'conflict' })
  const { lines } = await customer.look()
  expect(lines.filter(({ available }) => available).map(({ sku }) => sku)).toEqual(['LMP-0101'])
})

test.each<[string, number, string, RequestInit]>([
  ['no piece', 400, '/lines/LMP-0101', { method: 'PUT', body: '{"quantity":0}' }],
  ['too many pieces', 400, '/lines/LMP-0101', { method: 'PUT', body: '{"quantity":1001}' }],
  ['broken JSON', 400, '/lines/LMP-0101', { method: 'PUT', body: '{"quantity":' }],
  ['no sku', 400, '/lines/..%2f..%2fmetadata', { method: 'DELETE' }],
  ['a code twice', 400, '/vouchers', { method: 'PUT', body: '{"voucherCodes":["A","A"]}' }],
  ['another method', 404, '', { method: 'POST', body: '{}' }],
  ['somebody’s basket', 404, '/0199aaaa-0000-7000-8000-000000000000', {}],
  [
    'a body too large',
    413,
    '/vouchers',
    { method: 'PUT', body: `{"voucherCodes":["${'x'.repeat(70_000)}"]}` },
  ],
])('%s is answered with %i, and told why', async (_, status, path, init) => {
  const headers = { ...(init.body && { 'content-type': 'application/json' }) }
  const answer = await ask(shop, `/api/basket${path}`, { ...init, headers })
  expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
  expect(answer.status).toBe(status)
})

test.each(['x', '%00', '../../stock', '*', 'a'.repeat(8000), '0b8cbd4c-6a33-4d2c-9a7e-5d3c2b1a0f9e'])(
  'a cookie that the door never gave is nobody’s: %s',
  async (value) => {
    const { status, body } = await ask(shop, '/api/basket', {
      headers: { cookie: `tideshop-customer=${value}` },
    })
    expect({ status, body }).toEqual({ status: 200, body: { lines: [], voucherCodes: [], quote: null } })
  },
)

test('a basket that is killed is away, and everything is in it when it is back', async () => {
  const customer = new Customer()
  await customer.put('LMP-0101', 2)
  for (const { app, sidecar } of shop.replicas('basket')) {
    await Promise.all([app.kill(), sidecar.kill()])
  }
  const away = await customer.ask('PUT', '/lines/TAB-0101', { quantity: 1 })
  expect({ status: away.status, retry: away.headers.get('retry-after') }).toEqual({ status: 503, retry: '1' })
  for (const { app, sidecar } of shop.replicas('basket')) {
    await app.start()
    await sidecar.start()
  }
  await expect.poll(async () => (await customer.ask('GET')).status, SOON).toBe(200)
  expect((await customer.look()).lines).toContainEqual(
    expect.objectContaining({ sku: 'LMP-0101', quantity: 2 }),
  )
})

test('no path with which anybody calls for a basket names a customer', async () => {
  const customer = new Customer()
  await customer.put('LMP-0101', 1)
  await customer.look()
  for (const appId of ['apigateway', 'basket']) {
    const [replica] = shop.replicas(appId)
    const metrics = await (await fetch(`http://127.0.0.1:${replica?.metricsPort}/metrics`)).text()
    const lines = metrics.split('\n').filter((line) => line.startsWith('dapr_http_server_request_count'))
    expect(lines.join('\n')).toMatch(/basket/)
    expect(lines.join('\n')).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7/)
  }
})

// The last ones here: the second replica stays.
test.each(['one replica', 'two replicas'])(
  'two tabs change a basket at once, fifty times each: both have their way (%s)',
  async (replicas) => {
    if (replicas === 'two replicas') await shop.addReplica('basket')
    const customer = new Customer()
    await customer.put('LMP-0101', 1)
    const tab = async (letters: string) => {
      for (let nth = 0; nth < CHANGES_EACH; nth += 1) {
        // Forty goods are new, of the last ten the quantity is changed again. Who is told to ask again does.
        const change = () => customer.ask('PUT', `/lines/${letters}-${nth % 40}`, { quantity: nth + 1 })
        await expect.poll(async () => (await change()).status, SOON).toBe(200)
      }
    }
    await Promise.all([tab('AA'), tab('BB')])

    const { lines } = await customer.look()
    for (const letters of ['AA', 'BB']) {
      const found = lines.filter(({ sku }) => sku.startsWith(letters))
      const expected = Array.from({ length: 40 }, (_, nth) => nth + 1 + (nth < 10 ? 40 : 0))
      expect(found.map(({ quantity }) => quantity)).toEqual(expected)
    }
  },
)

test('a forgotten basket goes away, and one that is changed stays; who finds basket asleep waits for it', async () => {
  const env = { BASKET_TTL_S: String(SHORT_LIFE_S), WAKE_WAIT_MS: '10000' }
  const forgetful = await openShop({ only: ['basket', 'catalog', 'pricing'], env })
  const [forgotten, kept] = [new Customer(forgetful), new Customer(forgetful)]
  await forgotten.put('LMP-0101', 1)
  let quantity = 1
  const isForgotten = async () => {
    quantity += 1
    await kept.put('TAB-0101', quantity)
    return (await forgotten.look()).lines.length === 0
  }
  await expect.poll(isForgotten, SOON).toBe(true)
  expect((await kept.look()).lines.map((line) => line.quantity)).toEqual([quantity])

  await forgetful.removeReplica('basket')
  const waiting = kept.ask('PUT', '/lines/TAB-0102', { quantity: 1 })
  await forgetful.addReplica('basket')
  expect((await waiting).status).toBe(200)
})
