import { randomUUIDv7 } from 'node:crypto'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import type { BasketChange, BasketView } from '@tideshop/contracts/basket'
import type { GoodView } from '@tideshop/contracts/catalog'
import type { OrderView, PlaceOrder } from '@tideshop/contracts/orders'
import type { Quote, QuoteBody } from '@tideshop/contracts/pricing'
import { type AskForPage, askForPage, type Page, page } from '@tideshop/contracts/storefront'
import { Refusal } from '@tideshop/kit/refusal'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { storefrontApp } from '../src/app.ts'
import type { Shop } from '../src/shop.ts'

export const KEPT_S = 3600

export const mug: GoodView = {
  ...lantern,
  sku: 'TAB-0101',
  name: 'Mug & <saucer>',
  category: 'tableware',
  priceCents: 1490,
  picture: '/api/goods/TAB-0101/picture.svg',
  sale: {
    id: 'mugs',
    sku: 'TAB-0101',
    title: 'Week of mugs',
    priceCents: 990,
    startsAt: '2026-11-16T00:00:00.000Z',
    endsAt: '2026-11-23T00:00:00.000Z',
    perCustomerMax: 3,
    state: 'running',
    version: 1,
  },
}

/** The storefront before services in memory that do what their contracts say, as far as a page can see it. */
export function shop(more: Partial<Shop> = {}) {
  const basketOf = new Map<string, BasketView>()
  const placed: PlaceOrder[] = []
  const orders = new Map<string, OrderView & { customerId: string; key?: string }>()
  const find = async (id: string) => basketOf.get(id) ?? { lines: [], voucherCodes: [] }
  // Asked without a customer it is the shop itself that asks.
  const isFor = (order: { customerId: string }, customerId?: string) =>
    customerId === undefined || order.customerId === customerId
  const ownOrder = (id: string, customerId?: string) => {
    const order = orders.get(id)
    if (order === undefined || !isFor(order, customerId))
      throw new Refusal('not-found', `there is no order ${id}`)
    return order
  }
  const parts: Shop = {
    catalog: shelfOf([lantern, mug]),
    prices: { quote: async (asked) => quoteOf(asked) },
    now: () => noon,
    baskets: {
      find,
      async change(id, change) {
        const basket = changed(await find(id), change)
        basketOf.set(id, basket)
        return { basket, keptS: KEPT_S }
      },
    },
    orders: {
      async place(wish) {
        placed.push(wish)
        const known = [...orders.values()].find(({ key }) => key !== undefined && key === wish.idempotencyKey)
        if (known !== undefined) return known
        if (wish.lines.length === 0) throw new Refusal('invalid', 'an order needs a line')
        orders.set(wish.id, { ...orderOf(wish), customerId: wish.customerId, key: wish.idempotencyKey ?? '' })
        return ownOrder(wish.id, wish.customerId)
      },
      find: async ({ id, customerId }) => ownOrder(id, customerId),
      async list({ customerId }) {
        return { orders: [...orders.values()].filter((one) => isFor(one, customerId)), next: null }
      },
      async cancel({ id, customerId }) {
        const order = ownOrder(id, customerId)
        if (!order.cancellable) throw new Refusal('conflict', `the order is already ${order.status}`)
        orders.set(id, { ...order, status: 'releasing', cancellable: false })
        return ownOrder(id, customerId)
      },
      advance: () => Promise.reject(new Error('logistics is not the business of pages')),
    },
    ...more,
  }
  const app = storefrontApp({ ...quietParts('storefront'), ...parts })

  async function ask(asked: Partial<AskForPage>): Promise<Page> {
    const whole = { method: 'GET', path: '/', query: {}, form: {}, newId: randomUUIDv7(), traceparent: '' }
    const { body } = await request(app)
      .post('/page')
      .send(askForPage.parse({ ...whole, ...asked }))
      .expect(200)
    return page.parse(body)
  }

  return {
    app,
    parts,
    ask,
    look: async (path: string, customerId?: string, query = {}) =>
      shown(await ask({ path, query, ...(customerId !== undefined && { customerId }) })),
    send: (path: string, customerId: string, form: AskForPage['form'], newId = randomUUIDv7()) =>
      ask({ method: 'POST', path, customerId, form, newId }),
    basketOf,
    placed,
    orders,
  }
}

export function shown(answer: Page): { status: number; html: string } {
  if (!('html' in answer)) throw new Error(`no page, but ${JSON.stringify(answer)}`)
  return answer
}

function changed(basket: BasketView, change: BasketChange): BasketView {
  const without = (sku: string) => basket.lines.filter((line) => line.sku !== sku)
  switch (change.kind) {
    case 'put-line':
      return {
        ...basket,
        lines: [...without(change.sku), { sku: change.sku, quantity: change.quantity }],
      }
    case 'remove-line':
      return { ...basket, lines: without(change.sku) }
    case 'put-vouchers':
      return { ...basket, voucherCodes: change.voucherCodes }
    case 'take-ordered': {
      const isOrdered = (line: { sku: string }) => change.lines.some(({ sku }) => sku === line.sku)
      return { lines: basket.lines.filter((line) => !isOrdered(line)), voucherCodes: [] }
    }
    case 'clear':
      return { lines: [], voucherCodes: [] }
  }
}

/** Each voucher takes a cent off the basket, but for the one that nobody knows. */
export function quoteOf({ lines, voucherCodes }: QuoteBody): Quote {
  const priced = lines.map((line) => ({
    ...line,
    discounts: [],
    totalCents: line.unitPriceCents * line.quantity,
  }))
  const subtotalCents = priced.reduce((sum, { totalCents }) => sum + totalCents, 0)
  const vouchers = voucherCodes.map((code) =>
    code === 'UNKNOWN'
      ? { code, applied: false, reason: 'there is no such voucher' }
      : { code, applied: true },
  )
  const discounts = vouchers
    .filter(({ applied }) => applied)
    .map(({ code }) => ({ offer: code, reason: `Voucher ${code}`, cents: 1 }))
  return {
    lines: priced,
    discounts,
    subtotalCents,
    totalCents: subtotalCents - discounts.length,
    vouchers,
    at: noon.toISOString(),
  }
}

export function orderOf({ id, contact, lines, voucherCodes }: PlaceOrder): OrderView {
  return {
    id,
    status: 'reserving',
    placedAt: noon.toISOString(),
    payBy: new Date(noon.getTime() + 600_000).toISOString(),
    contact,
    card: '•••• 4242',
    lines,
    voucherCodes,
    quote: null,
    timeline: [{ step: 'placed', at: noon.toISOString() }],
    cancellable: true,
  }
}
