import { randomUUIDv7 } from 'node:crypto'
import { type Baskets, basketsThrough } from '@tideshop/clients/baskets'
import { askNobody } from '@tideshop/clients/test/nobody'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import type { BasketChange, BasketView } from '@tideshop/contracts/basket'
import type { GoodView } from '@tideshop/contracts/catalog'
import type { Quote, QuoteBody } from '@tideshop/contracts/pricing'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { openSettings } from './open-settings.ts'

const KEPT_S = 3600

const mug: GoodView = {
  ...lantern,
  sku: 'TAB-0101',
  sale: {
    id: 'mugs',
    sku: 'TAB-0101',
    title: 'Mugs',
    priceCents: 990,
    startsAt: '2026-11-16T00:00:00.000Z',
    endsAt: '2026-11-23T00:00:00.000Z',
    perCustomerMax: 3,
    state: 'running',
    version: 1,
  },
}
const price: Quote = {
  lines: [],
  discounts: [],
  subtotalCents: 1,
  totalCents: 1,
  vouchers: [],
  at: '2026-11-21T12:00:00.000Z',
}
const filled: BasketView = {
  lines: [
    { sku: 'LMP-0101', quantity: 2 },
    { sku: 'OLD-0001', quantity: 1 },
    { sku: 'TAB-0101', quantity: 3 },
  ],
  voucherCodes: ['FIVER'],
}

/** A door whose baskets are all this one, and what it was asked. */
function door(basket: BasketView = filled) {
  const changes: [string, BasketChange][] = []
  const found: string[] = []
  const quoted: QuoteBody[] = []
  const baskets: Baskets = {
    async find(id) {
      found.push(id)
      return basket
    },
    async change(id, change) {
      changes.push([id, change])
      return { basket, keptS: KEPT_S }
    },
  }
  const app = gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    baskets,
    catalog: shelfOf([lantern, mug]),
    prices: {
      async quote(asked) {
        quoted.push(asked)
        return price
      },
    },
    newId: () => randomUUIDv7(),
  })
  return { app, changes, found, quoted }
}

function cookieOf({ headers }: request.Response): string {
  return String(headers['set-cookie'])
}

test('a basket is priced by what its goods cost now, on sale or not, and without what is not sold any more', async () => {
  const { app, quoted } = door()
  const answer = await request(app).get('/api/basket').set('cookie', `tideshop-customer=${randomUUIDv7()}`)
  expect(answer.body).toEqual({
    lines: [
      { sku: 'LMP-0101', quantity: 2, available: true, good: lantern },
      { sku: 'OLD-0001', quantity: 1, available: false },
      { sku: 'TAB-0101', quantity: 3, available: true, good: mug },
    ],
    voucherCodes: ['FIVER'],
    quote: price,
  })
  expect(quoted).toEqual([
    {
      lines: [
        { sku: 'LMP-0101', quantity: 2, unitPriceCents: 5190 },
        { sku: 'TAB-0101', quantity: 3, unitPriceCents: 990 },
      ],
      voucherCodes: ['FIVER'],
    },
  ])
  expect(answer.headers['cache-control']).toBe('private, no-store')
})

test('a basket of which nothing is sold any more has no price, and nobody is asked for one', async () => {
  const { app, quoted } = door({ lines: [{ sku: 'OLD-0001', quantity: 1 }], voucherCodes: [] })
  const answer = await request(app).get('/api/basket').set('cookie', `tideshop-customer=${randomUUIDv7()}`)
  expect(answer.body).toMatchObject({ lines: [{ available: false }], quote: null })
  expect(quoted).toEqual([])
})

test('who only looks, or empties what was never filled, gets no cookie and wakes nobody', async () => {
  const { app, changes, found, quoted } = door()
  const looked = await request(app).get('/api/basket')
  expect(looked.body).toEqual({ lines: [], voucherCodes: [], quote: null })
  for (const answer of [
    looked,
    await request(app).delete('/api/basket'),
    await request(app).delete('/api/basket/lines/LMP-0101'),
  ]) {
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('set-cookie')
  }
  expect({ changes, found, quoted }).toEqual({ changes: [], found: [], quoted: [] })
})

test('the first change makes the customer, whom the cookie remembers for a year: so long he may look at what he orders', async () => {
  const { app, changes, found } = door()
  const first = await request(app).put('/api/basket/lines/LMP-0101').send({ quantity: 2 })
  expect(first.body).toEqual(filled)
  const [[id = ''] = []] = changes
  expect(changes).toEqual([[id, { kind: 'put-line', sku: 'LMP-0101', quantity: 2 }]])
  expect(cookieOf(first)).toMatch(
    new RegExp(`^tideshop-customer=${id}; Max-Age=31536000; Path=/; Expires=[^;]+; HttpOnly; SameSite=Lax$`),
  )
  const again = request(app).put('/api/basket/vouchers').set('cookie', `a=b; tideshop-customer=${id}`)
  // With each change the cookie is set anew.
  expect(cookieOf(await again.send({ voucherCodes: ['FIVER'] }))).toContain(`tideshop-customer=${id};`)
  await request(app).get('/api/basket').set('cookie', `tideshop-customer=${id}`)
  expect(found).toEqual([id])
  await request(app).delete('/api/basket/lines/LMP-0101').set('cookie', `tideshop-customer=${id}`)
  await request(app).delete('/api/basket').set('cookie', `tideshop-customer=${id}`)
  expect(changes.slice(1)).toEqual([
    [id, { kind: 'put-vouchers', voucherCodes: ['FIVER'] }],
    [id, { kind: 'remove-line', sku: 'LMP-0101' }],
    [id, { kind: 'clear' }],
  ])
})

test.each([
  ['https', true],
  ['https, http', true],
  ['http', false],
])('the cookie of who came by %s goes by https only: %s', async (proto, secure) => {
  const answer = await request(door().app)
    .put('/api/basket/vouchers')
    .set('x-forwarded-proto', proto)
    .send({ voucherCodes: [] })
  expect(/; Secure/.test(cookieOf(answer))).toBe(secure)
})

test.each([
  'x',
  '',
  '../../../etc/passwd',
  '0b8cbd4c-6a33-4d2c-9a7e-5d3c2b1a0f9e',
  `${'0'.repeat(5000)}`,
  '%00',
  '"01992d4a-0000-7000-8000-000000000000"',
])('a customer that the door never made (%s) is none', async (value) => {
  const { app, changes, found } = door()
  const looked = await request(app).get('/api/basket').set('cookie', `tideshop-customer=${value}`)
  expect(looked.body.lines).toEqual([])
  expect(found).toEqual([])
  await request(app)
    .put('/api/basket/lines/LMP-0101')
    .set('cookie', `tideshop-customer=${value}`)
    .send({ quantity: 1 })
  expect(changes[0]?.[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(changes[0]?.[0]).not.toBe(value)
})

test.each([
  ['lines/LMP-0101', { quantity: 0 }, 'quantity'],
  ['lines/LMP-0101', { quantity: 1001 }, 'quantity'],
  ['lines/LMP-0101', { quantity: 1.5 }, 'quantity'],
  ['lines/LMP-0101', { quantity: '1' }, 'quantity'],
  ['lines/LMP-0101', {}, 'quantity'],
  ['lines/LMP-0101', { quantity: 1, priceCents: 1 }, ''],
  ['lines/lmp', { quantity: 1 }, 'sku'],
  ['lines/LMP-0101%2F..', { quantity: 1 }, 'sku'],
  ['vouchers', { voucherCodes: Array.from({ length: 11 }, (_, nth) => `V${nth}`) }, 'voucherCodes'],
  ['vouchers', { voucherCodes: ['A', 'A'] }, 'voucherCodes'],
  ['vouchers', { voucherCodes: ['Ä'] }, 'voucherCodes[0]'],
  ['vouchers', [], ''],
])('%s with %j is refused before it wakes anybody', async (path, body, field) => {
  const { app, changes } = door()
  const answer = await request(app).put(`/api/basket/${path}`).send(body)
  expect({ status: answer.status, type: answer.type }).toEqual({
    status: 400,
    type: 'application/problem+json',
  })
  expect(answer.body.errors[0].path).toBe(field)
  expect(answer.headers).not.toHaveProperty('set-cookie')
  expect(changes).toEqual([])
})

test('broken JSON, another media type and a body too large are refused as elsewhere', async () => {
  const { app } = door()
  const put = () => request(app).put('/api/basket/lines/LMP-0101')
  expect((await put().type('json').send('{')).status).toBe(400)
  expect((await put().type('text').send('2')).status).toBe(415)
  expect((await put().send({ quantity: 1, more: 'x'.repeat(70_000) })).status).toBe(413)
  expect((await request(app).delete('/api/basket/lines/lmp')).status).toBe(400)
  expect((await request(app).get(`/api/basket/${randomUUIDv7()}`)).status).toBe(404)
})

test('the contract knows every route of the basket', async () => {
  const { paths } = (await request(door().app).get('/openapi.json')).body
  const routes = Object.keys(paths).filter((path) => path.startsWith('/api/basket'))
  expect(routes.map((path) => [path, Object.keys(paths[path])])).toEqual([
    ['/api/basket', ['get', 'delete']],
    ['/api/basket/lines/{sku}', ['put', 'delete']],
    ['/api/basket/vouchers', ['put']],
  ])
})

describe('through the sidecar', () => {
  const id = randomUUIDv7()

  test('no path names a customer', async () => {
    const asked: unknown[] = []
    const invoke: Invoke = async (...call) => {
      asked.push(call)
      const [, method] = call
      return { status: 200, said: method === 'GET' ? filled : { basket: filled, keptS: KEPT_S } }
    }
    const baskets = basketsThrough(invoke, 0)
    expect(await baskets.find(id)).toEqual(filled)
    expect(await baskets.change(id, { kind: 'clear' })).toEqual({ basket: filled, keptS: KEPT_S })
    expect(asked).toEqual([
      ['basket', 'GET', `basket?customer=${id}`],
      ['basket', 'POST', 'basket/change', { customerId: id, change: { kind: 'clear' } }],
    ])
  })

  test('who finds basket asleep waits until it is awake, and a full basket is told in its words', async () => {
    let calls = 0
    const said = { title: 'conflict', status: 409, detail: 'a basket has room for 100 goods' }
    const invoke: Invoke = async () => {
      calls += 1
      if (calls < 3) throw new Refusal('uncertain', 'basket did not answer')
      return { status: 409, said }
    }
    await expect(basketsThrough(invoke, 600).change(id, { kind: 'clear' })).rejects.toThrow(
      new Refusal('conflict', said.detail),
    )
  })

  test('a change that nobody answered may be said again: it needs no key', async () => {
    const invoke: Invoke = () => Promise.reject(new Refusal('uncertain', 'with the same Idempotency-Key'))
    await expect(basketsThrough(invoke, 0).change(id, { kind: 'clear' })).rejects.toThrow(
      new Refusal('uncertain', 'basket did not answer: say it again'),
    )
  })
})
