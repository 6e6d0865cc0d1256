import { randomUUIDv7 } from 'node:crypto'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import { orderStatus } from '@tideshop/contracts/orders'
import { Refusal } from '@tideshop/kit/refusal'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { UNDER_WAY } from '../src/words.ts'
import { KEPT_S, mug, shop, shown } from './memory-shop.ts'

const who = randomUUIDv7()

test('the front shows what is on sale, the categories and goods, with their prices in euros', async () => {
  const shelf = shelfOf([lantern, mug])
  const running =
    mug.sale === undefined ? [] : [mug.sale, { ...mug.sale, sku: 'LMP-0101', state: 'upcoming' as const }]
  const { look } = shop({ catalog: { ...shelf, sales: async () => ({ sales: running, next: null }) } })
  const { status, html } = await look('/')
  expect(status).toBe(200)
  expect(html).toContain('<a href="/c/lamps">Lamps</a>')
  expect(html).toContain('€51.90')
  expect(html).toContain('<strong>€9.90</strong> <span class="unseen">instead of </span><del>€14.90</del>')
  // Only what runs already is on sale.
  expect(shelf.asked).toContainEqual(['TAB-0101'])
})

test('a page of goods leads to the next', async () => {
  const next = async () => ({ goods: [lantern], next: 'LMP-0101' })
  const { look } = shop({ catalog: { ...shelfOf([lantern]), goods: next } })
  expect((await look('/c/lamps')).html).toContain('href="/c/lamps?after=LMP-0101"')
  expect((await look('/search', undefined, { q: 'a b&c' })).html).toContain(
    'href="/search?q=a+b%26c&#38;after=LMP-0101"',
  )
})

test.each([
  '/c/none',
  '/c/Lamps',
  '/c/constructor',
  '/p/NONE-1',
  '/p/x',
  '/p/LMP-0101/more',
  '/orders/1',
  `/orders/${randomUUIDv7()}`,
  '/nowhere',
  '/constructor',
  '/assets/x.js',
])('%s is not there', async (path) => {
  const { status, html } = await shop().look(path, who)
  expect(status).toBe(404)
  expect(html).toContain('<h1>Not here</h1>')
})

test('what somebody looks for stands on the page as text, and in the field again', async () => {
  const { html } = await shop().look('/search', undefined, { q: '"><script>alert(1)</script>' })
  expect(html).not.toContain('<script')
  expect(html).toContain('value="&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;"')
})

test('who looks for nothing, or for what cannot be, wakes nobody', async () => {
  const shelf = shelfOf([lantern])
  const { look } = shop({ catalog: shelf })
  expect((await look('/search', undefined, { q: ' ' })).status).toBe(200)
  for (const query of [{ q: 'x'.repeat(101) }, { q: 'a\u0001b' }, { q: 'a', after: 'x' }])
    expect((await look('/search', undefined, query)).status).toBe(400)
  expect(shelf.asked).toEqual([])
})

test('a file that pages refer to is kept under the name that they give it, and found under any', async () => {
  const { look, ask } = shop()
  const { html } = await look('/')
  const [, style = ''] = /rel="stylesheet" href="([^"]+)"/.exec(html) ?? []
  const [, icon = ''] = /rel="icon" type="image\/svg\+xml" href="([^"]+)"/.exec(html) ?? []
  expect(await ask({ path: style })).toMatchObject({ type: 'css', lasting: true })
  expect(await ask({ path: icon })).toMatchObject({ type: 'svg', lasting: true })
  expect(await ask({ path: '/assets/of-before.css' })).toMatchObject({ type: 'css', lasting: false })
})

describe('a basket', () => {
  test('of somebody who has none is empty, and nobody is asked for it', async () => {
    const nobody = () => Promise.reject(new Error('nobody was to be asked'))
    const { look } = shop({ baskets: { find: nobody, change: nobody } })
    for (const path of ['/', '/p/LMP-0101', '/basket', '/orders']) expect((await look(path)).status).toBe(200)
    expect((await look('/basket')).html).toContain('Your basket is empty')
  })

  test('is filled, changed and emptied by forms, each of which leads back to it', async () => {
    const { send, look, basketOf } = shop()
    const there = { location: '/basket', keptS: KEPT_S }
    expect(await send('/basket', who, { do: 'put', sku: 'LMP-0101', quantity: '2' })).toEqual(there)
    expect(await send('/basket', who, { do: 'put', sku: 'TAB-0101', quantity: ' 3 ' })).toEqual(there)
    expect(await send('/basket', who, { do: 'put-voucher', code: ' TIDE ' })).toEqual(there)
    expect(await send('/basket', who, { do: 'put-voucher', code: 'TIDE' })).toEqual(there)
    expect(await send('/basket', who, { do: 'put-voucher', code: 'UNKNOWN' })).toEqual(there)
    const { html } = await look('/basket', who)
    for (const text of [
      '€103.80',
      '€29.70',
      '€133.49',
      'TIDE: redeemed',
      'not redeemed, there is no such voucher',
    ])
      expect(html).toContain(text)
    expect(html).toContain('Mug &#38; &#60;saucer&#62;')
    expect((await look('/p/LMP-0101', who)).html).toContain('In your <a href="/basket">basket</a>: 2')
    await send('/basket', who, { do: 'remove-voucher', code: 'UNKNOWN' })
    await send('/basket', who, { do: 'remove', sku: 'LMP-0101' })
    expect(basketOf.get(who)).toEqual({ lines: [{ sku: 'TAB-0101', quantity: 3 }], voucherCodes: ['TIDE'] })
  })

  test.each(['0', '-1', '1001', '1.5', '1e2', '0x10', '', 'two', '99999999999999999999'])(
    'takes no %j pieces, and says so with what was typed',
    async (quantity) => {
      const { send, basketOf } = shop()
      await send('/basket', who, { do: 'put', sku: 'LMP-0101', quantity: '2' })
      const { status, html } = shown(await send('/basket', who, { do: 'put', sku: 'LMP-0101', quantity }))
      expect(status).toBe(400)
      expect(html).toContain('1 to 1000 pieces')
      expect(html).toContain(`value="${quantity}"`)
      expect(basketOf.get(who)?.lines).toEqual([{ sku: 'LMP-0101', quantity: 2 }])
    },
  )

  test.each<[number, Record<string, string>]>([
    [404, { do: 'put', sku: 'NONE-1', quantity: '1' }],
    [400, { do: 'put', sku: '../x', quantity: '1' }],
    [400, { do: 'remove' }],
    [400, { do: 'put-voucher', code: '<b>' }],
    [400, { do: 'put-voucher' }],
    [404, { do: 'double' }],
    [404, {}],
  ])('answers %i to %j and stays as it is', async (status, form) => {
    const { send, basketOf } = shop()
    expect(shown(await send('/basket', who, form)).status).toBe(status)
    expect(basketOf.get(who)).toBeUndefined()
  })

  test('with something that is not sold any more can be ordered when it is out', async () => {
    const { look, send, ask, basketOf } = shop()
    basketOf.set(who, {
      lines: [
        { sku: 'OLD-1', quantity: 1 },
        { sku: 'LMP-0101', quantity: 1 },
      ],
      voucherCodes: [],
    })
    expect((await look('/basket', who)).html).toContain('It is not sold any more.')
    expect(await ask({ path: '/checkout', customerId: who })).toEqual({ location: '/basket' })
    await send('/basket', who, { do: 'remove', sku: 'OLD-1' })
    expect((await look('/checkout', who)).html).toContain('Order for €51.90')
  })
})

describe('an order', () => {
  const form = {
    name: 'Hans Petersen',
    address: 'Am Kai 1\r\n\r\n 20457 Hamburg ',
    card: '4242424242424242',
    total: '5190',
  }
  const filled = async (more = {}) => {
    const there = shop(more)
    await there.send('/basket', who, { do: 'put', sku: 'LMP-0101', quantity: '1' })
    return there
  }

  test('is placed with the basket and the total that was shown, once however often the form is sent', async () => {
    const { look, send, placed, basketOf } = await filled()
    const { html } = await look('/checkout', who)
    const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
    const whole = { ...form, key: hidden('key'), total: hidden('total') }
    const [id, second] = [randomUUIDv7(), randomUUIDv7()]
    const first = await send('/checkout', who, whole, id)
    expect(first).toEqual({ location: `/orders/${id}`, keptS: KEPT_S })
    expect(await send('/checkout', who, whole, second)).toEqual(first)
    expect(placed[0]).toEqual({
      id,
      customerId: who,
      contact: { name: 'Hans Petersen', address: ['Am Kai 1', '20457 Hamburg'] },
      card: '4242424242424242',
      agreedTotalCents: 5190,
      lines: [{ sku: 'LMP-0101', quantity: 1 }],
      voucherCodes: [],
      idempotencyKey: hidden('key'),
      traceparent: '',
    })
    expect(placed[1]).toMatchObject({ id: second, lines: [], idempotencyKey: hidden('key') })
    expect(basketOf.get(who)?.lines).toEqual([])
    expect((await look('/orders', who)).html.match(/href="\/orders\/[0-9a-f]/g)).toHaveLength(1)
  })

  test.each<[string, Record<string, string>, string]>([
    ['no name', { name: ' ' }, 'A name of up to 100 characters'],
    ['no address', { address: '\n \n' }, 'An address is needed'],
    ['too long an address', { address: 'a\nb\nc\nd\ne\nf\ng' }, 'An address is needed'],
    ['a real card', { card: '4111111111111111' }, 'One of the test cards'],
    ['a total that somebody else wrote', { total: '-1' }, 'Something of the form was missing'],
    ['no total', { total: '' }, 'Something of the form was missing'],
  ])('with %s is not placed, and the form keeps the rest', async (_, wrong, sentence) => {
    const { send, placed } = await filled()
    const { status, html } = shown(await send('/checkout', who, { ...form, key: 'k', ...wrong }))
    expect(status).toBe(400)
    expect(html).toContain(sentence)
    expect(html).toMatch(/name="key" value="k"/)
    expect(html).toContain('name="total" value="5190"')
    if (!('name' in wrong)) expect(html).toContain('value="Hans Petersen"')
    if (!('card' in wrong)) expect(html).toMatch(/value="4242424242424242" required checked/)
    expect(placed).toEqual([])
  })

  test.each<[string, Refusal, number, string, boolean]>([
    [
      'costs more by now',
      new Refusal('conflict', 'it costs 5990 cents now'),
      409,
      'It was not ordered',
      false,
    ],
    ['was placed with this form already', new Refusal('key-reused', 'x'), 422, 'ordered already', false],
    ['may have been placed', new Refusal('uncertain', 'x'), 503, 'you will not order twice', true],
    ['cannot be placed now', new Refusal('unavailable', 'x'), 503, 'you will not order twice', true],
  ])(
    'that %s is asked for again, with the same key only where it may have been placed',
    async (_, refusal, status, sentence, sameKey) => {
      const orders = { ...shop().parts.orders, place: () => Promise.reject(refusal) }
      const { send, basketOf } = await filled({ orders })
      const newId = randomUUIDv7()
      const answer = shown(await send('/checkout', who, { ...form, key: 'k' }, newId))
      expect(answer.status).toBe(status)
      expect(answer.html).toContain(sentence)
      expect(answer.html).toContain(`name="key" value="${sameKey ? 'k' : newId}"`)
      expect(answer.html).toContain('20457 Hamburg')
      expect(basketOf.get(who)?.lines).toHaveLength(1)
    },
  )

  test('whose basket cannot be emptied is placed, and sent again it is the same and empties the basket', async () => {
    const there = await filled()
    let isAway = true
    const { baskets } = there.parts
    const flaky: typeof baskets = {
      ...baskets,
      change: (id, change) =>
        isAway && change.kind === 'take-ordered'
          ? Promise.reject(new Refusal('uncertain', 'x'))
          : baskets.change(id, change),
    }
    const { send, orders } = shop({ baskets: flaky, orders: there.parts.orders })
    expect(shown(await send('/checkout', who, { ...form, key: 'k' })).status).toBe(503)
    isAway = false
    expect(await send('/checkout', who, { ...form, key: 'k' })).toMatchObject({ keptS: KEPT_S })
    expect([...there.orders.values()]).toHaveLength(1)
    expect(orders.size).toBe(0)
    expect(there.basketOf.get(who)?.lines).toEqual([])
  })

  test('without a basket, or of nobody, leads to the basket', async () => {
    const { send, ask } = shop()
    const empty = { location: '/basket' }
    expect(await send('/checkout', who, { ...form, key: 'k' })).toEqual(empty)
    expect(await ask({ path: '/checkout', customerId: who })).toEqual(empty)
    expect(await ask({ method: 'POST', path: '/checkout', form: { ...form, key: 'k' } })).toEqual(empty)
  })

  const placedOrder = async () => {
    const there = await filled()
    const id = randomUUIDv7()
    await there.send('/checkout', who, { ...form, key: 'k' }, id)
    const order = there.orders.get(id)
    if (order === undefined) throw new Error('it was not placed')
    return { ...there, id, order }
  }

  test('is shown to who placed it, and is not there for anybody else', async () => {
    const { look, id, ask } = await placedOrder()
    const { html } = await look(`/orders/${id}`, who)
    for (const text of ['Order placed', 'Hans Petersen<br>Am Kai 1<br>20457 Hamburg', '•••• 4242'])
      expect(html).toContain(text)
    for (const customerId of [undefined, randomUUIDv7()]) {
      expect((await look(`/orders/${id}`, customerId)).status).toBe(404)
      expect((await look('/orders', customerId)).html).not.toContain(id)
      const cancel = { method: 'POST', path: `/orders/${id}`, form: { do: 'cancel' } } as const
      expect(shown(await ask({ ...cancel, ...(customerId && { customerId }) })).status).toBe(404)
    }
  })

  test('is looked at again by itself while it is under way, often while it is young, and not when somebody says so', async () => {
    const { orders, id, order, look } = await placedOrder()
    const refresh = async (query = {}) =>
      /http-equiv="refresh" content="(\d+)"/.exec((await look(`/orders/${id}`, who, query)).html)?.[1]
    for (const status of orderStatus.options) {
      orders.set(id, { ...order, status })
      expect(await refresh()).toBe(UNDER_WAY.has(status) ? '2' : undefined)
    }
    orders.set(id, { ...order, placedAt: '2026-11-21T11:00:00.000Z' })
    expect(await refresh()).toBe('20')
    expect(await refresh({ refresh: 'off' })).toBeUndefined()
  })

  test('can be cancelled until it is too late', async () => {
    const { send, id, orders, order } = await placedOrder()
    expect(await send(`/orders/${id}`, who, { do: 'cancel' })).toEqual({ location: `/orders/${id}` })
    orders.set(id, { ...order, status: 'shipped', cancellable: false })
    const late = shown(await send(`/orders/${id}`, who, { do: 'cancel' }))
    expect(late.status).toBe(409)
    expect(late.html).toContain('already shipped')
    expect(shown(await send(`/orders/${id}`, who, {})).status).toBe(404)
  })
})

test('a service that is away is a page with 503, and a fault is a fault', async () => {
  const away = () => Promise.reject(new Refusal('unavailable', 'catalog does not answer'))
  const { look } = shop({ catalog: { ...shelfOf([]), goods: away } })
  const { status, html } = await look('/')
  expect(status).toBe(503)
  expect(html).toContain('<h1>Low tide</h1>')
  const broken = () => Promise.reject(new Error('secret'))
  const { app } = shop({ catalog: { ...shelfOf([]), goods: broken } })
  const asked = { method: 'GET', path: '/', query: {}, form: {}, newId: randomUUIDv7(), traceparent: '' }
  const answer = await request(app).post('/page').send(asked)
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 500,
    body: { title: 'internal', status: 500 },
  })
})

test.each([
  {},
  { method: 'PUT' },
  { path: 'x' },
  { customerId: 'x' },
  { more: 1 },
  { form: { a: 'x'.repeat(1001) } },
])('what no door asks is refused: %j', async (wrong) => {
  const asked = { method: 'GET', path: '/', query: {}, form: {}, newId: randomUUIDv7(), traceparent: '' }
  const body = Object.keys(wrong).length === 0 ? {} : { ...asked, ...wrong }
  expect((await request(shop().app).post('/page').send(body)).status).toBe(400)
})

test('who has signed in stands at the top', async () => {
  const { html } = shown(await shop().ask({ customerName: 'Hans <b>' }))
  expect(html).toContain('<li class="who">Hans &#60;b&#62;</li>')
})
