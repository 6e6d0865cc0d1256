import { randomUUIDv7 } from 'node:crypto'
import { issueInvoice } from '@tideshop/contracts/invoices'
import { logisticsStep, type OrderStatus, orderStock } from '@tideshop/contracts/orders'
import { testCards } from '@tideshop/contracts/payments'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'
import { noon } from '@tideshop/kit/test/parts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { customerId, PAY_WITHIN_MS, priceOf, reservedFor, steps, wish } from '../test/wishes.ts'
import { isConserved, move, moves, openWorld, RESTING, settle } from '../test/world.ts'
import { invoiceOf } from './invoice.ts'
import { heldMs, type Order, PAY_WITHIN_MAX_MS, placeOrder, repeatOrder, viewOrder } from './order.ts'
import { questionOf } from './price.ts'
import {
  type Answer,
  advanceOrder,
  askedBy,
  cancelOrder,
  expireOrder,
  hearAnswer,
  type Price,
} from './saga.ts'

const later = new Date('2026-11-21T12:00:05Z')
const tooLate = new Date(noon.getTime() + PAY_WITHIN_MS + 1)

function hear(order: Order, data: Answer, more: { price?: Price; hasInvoices?: boolean } = {}, now = later) {
  return hearAnswer(order, { data, hasInvoices: true, ...more }, now)
}

const placed = placeOrder(wish(), PAY_WITHIN_MS, noon)
const orderId = placed.id
const paying = hear(placed, reservedFor(placed), { price: priceOf(placed) }).next
const confirming = hear(paying, { answer: 'paid', orderId, cents: 1400 }).next
const confirmed = hear(confirming, { answer: 'confirmed', orderId }).next

/** What is asked, in words. */
function asks({ tell }: { tell: readonly Outgoing[] }): string[] {
  return tell.map(
    ({ topic, event }) => `${topic} ${(event.data as { ask: string }).ask} ${event.id.slice(-2)}`,
  )
}

describe('an order', () => {
  test('asks for its pieces, for its money, and to keep the pieces, and then for its invoice', () => {
    expect(placed).toMatchObject({ status: 'reserving', payBy: '2026-11-21T12:01:00.000Z' })
    expect(asks({ tell: askedBy(placed) })).toEqual(['order-stock reserve :1'])
    expect(asks({ tell: askedBy(paying) })).toEqual(['order-payment charge :2'])
    expect(askedBy(paying)[0]?.event.data).toEqual({
      ask: 'charge',
      orderId,
      customerId,
      cents: 1400,
      card: '4242424242424242',
    })
    expect(asks({ tell: askedBy(confirming) })).toEqual(['order-stock confirm :3'])
    expect(askedBy(confirmed)).toEqual([])
    expect(steps(confirmed)).toEqual([
      'placed',
      'stock-reserved',
      'priced',
      'paid',
      'stock-confirmed',
      'invoice-asked',
    ])
    const invoice = issueInvoice.parse(invoiceOf(confirmed))
    expect(invoice).toMatchObject({
      lines: [{ name: 'Lantern', unitPriceCents: 1000, quantity: 2, discountCents: 100 }],
      discountCents: 500,
      totalCents: 1400,
    })
  })

  test('holds its pieces for longer than it may wait for its money', () => {
    expect(heldMs(placed)).toBeGreaterThan(PAY_WITHIN_MS)
    const longest = placeOrder(wish(), PAY_WITHIN_MAX_MS, noon)
    expect(orderStock.schema.parse(askedBy(longest)[0]?.event).data).toMatchObject({ ttlMs: 24 * 3_600_000 })
  })

  test('without anybody who writes invoices is confirmed without one', () => {
    const { next } = hear(confirming, { answer: 'confirmed', orderId }, { hasInvoices: false })
    expect([next.status, steps(next).includes('invoice-asked'), invoiceOf(next)]).toEqual([
      'confirmed',
      false,
      null,
    ])
  })

  test('knows the number of the card until it was charged, and shows the end of it', () => {
    for (const order of [placed, paying]) expect(order.card).toBe('4242424242424242')
    for (const order of [confirming, confirmed, cancel(paying).next, cancel(placed).next]) {
      expect(JSON.stringify(order)).not.toContain('4242424242424242')
      expect(viewOrder(order).card).toBe('•••• 4242')
    }
  })

  test('is priced by what catalog says of its lines, as of when it was placed', () => {
    expect(questionOf(placed, reservedFor(placed, 777))).toEqual({
      lines: [{ sku: 'LMP-0101', quantity: 2, unitPriceCents: 777 }],
      voucherCodes: ['FIVER'],
      at: placed.placedAt,
    })
    expect(() => questionOf(placed, { ...reservedFor(placed), lines: [] })).toThrow(/without LMP-0101/)
  })

  test.each([
    ['more than was agreed', { agreedTotalCents: 1399 }, 'releasing'],
    ['just what was agreed', { agreedTotalCents: 1400 }, 'paying'],
    ['whatever nobody agreed to', {}, 'paying'],
  ])('that costs %s: %j → %s', (_, more, status) => {
    const order = placeOrder(wish(more), PAY_WITHIN_MS, noon)
    const { next } = hear(order, reservedFor(order), { price: priceOf(order) })
    expect(next).toMatchObject({ status, quote: { totalCents: 1400 } })
  })

  test('for which there is no price gives its pieces back', () => {
    const decision = hear(placed, reservedFor(placed), { price: { refused: 'no such voucher' } })
    expect(asks(decision)).toEqual(['order-stock release :5'])
    expect(decision.next.timeline.at(-1)).toMatchObject({ step: 'price-refused', reason: 'no such voucher' })
  })

  test('that nothing is held for is cancelled, and one that is declined gives its pieces back first', () => {
    expect(steps(hear(placed, { answer: 'refused', orderId, reason: 'sold out' }).next)).toEqual([
      'placed',
      'stock-refused',
      'cancelled',
    ])
    const declined = hear(paying, { answer: 'declined', orderId, reason: 'no' })
    expect(asks(declined)).toEqual(['order-stock release :5'])
    const released = hear(declined.next, { answer: 'released', orderId }).next
    expect(steps(released).slice(-3)).toEqual(['declined', 'stock-released', 'cancelled'])
  })

  test('that was paid, and whose pieces are gone, gives back the money and then what is left', () => {
    const lost = hear(confirming, { answer: 'lost', orderId, reason: 'too late' })
    expect(asks(lost)).toEqual(['order-payment refund :4'])
    const refunded = hear(lost.next, { answer: 'refunded', orderId, cents: 1400 })
    expect(asks(refunded)).toEqual(['order-stock release :5'])
    expect(hear(refunded.next, { answer: 'released', orderId }).next.status).toBe('cancelled')
  })

  test('is told twice in the same words what follows, whoever died in between', () => {
    const answers: [Order, Answer, Price?][] = [
      [placed, reservedFor(placed), priceOf(placed)],
      [placed, reservedFor(placed), { refused: 'no' }],
      [paying, { answer: 'paid', orderId, cents: 1400 }],
      [paying, { answer: 'declined', orderId, reason: 'no' }],
      [confirming, { answer: 'lost', orderId, reason: 'too late' }],
      [cancel(paying).next, { answer: 'refunded', orderId, cents: 0 }],
    ]
    for (const [order, answer, price] of answers) {
      const first = hear(order, answer, price && { price })
      expect(first.tell).toHaveLength(1)
      expect(hear(first.next, answer, {}, tooLate)).toEqual({ next: first.next, tell: first.tell })
    }
  })

  test('that nobody knows, or that is paid another amount, is refused', () => {
    expect(() => hearAnswer(null, { data: reservedFor(placed), hasInvoices: true }, later)).toThrow(
      /no order/,
    )
    expect(() => hear(paying, { answer: 'paid', orderId, cents: 1 })).toThrow(
      /costs 1400 cents, and 1 were paid/,
    )
  })
})

function cancel(order: Order, now = later) {
  return cancelOrder(order, { id: order.id }, now)
}

describe('a change of mind', () => {
  test.each([
    ['reserving', placed, 'order-stock release :5'],
    ['paying', paying, 'order-payment refund :4'],
    ['confirming', confirming, 'order-payment refund :4'],
    ['confirmed', confirmed, 'order-payment refund :4'],
    ['packed', advance(confirmed, 'packed'), 'order-payment refund :4'],
  ])('of an order that is %s goes back over what was done', (_, order, asked) => {
    const decision = cancel(order)
    expect(asks(decision)).toEqual([asked])
    expect(viewOrder(order).cancellable).toBe(true)
    expect(viewOrder(decision.next)).toMatchObject({ cancellable: false, quote: order.quote })
    expect(cancel(decision.next, tooLate)).toEqual({ next: decision.next, tell: [] })
  })

  test('is too late once it is shipped, and nobody else’s', () => {
    const shipped = advance(advance(confirmed, 'packed'), 'shipped')
    for (const order of [shipped, advance(shipped, 'delivered')]) {
      expect(() => cancel(order)).toThrow(
        new Refusal('conflict', `the order is ${order.status} and cannot be cancelled any more`),
      )
      expect(viewOrder(order).cancellable).toBe(false)
    }
    const other = { id: orderId, customerId: randomUUIDv7() }
    expect(() => cancelOrder(placed, other, later)).toThrow(/no order/)
    expect(() => cancelOrder(null, other, later)).toThrow(/no order/)
  })

  test('time is up for what is unpaid, and for nothing else', () => {
    for (const order of [placed, paying]) {
      expect(expireOrder(order, new Date(order.payBy)).next).toBe(order)
      const { next, tell } = expireOrder(order, tooLate)
      expect(steps(next).at(-1)).toBe('expired')
      expect(tell).toHaveLength(1)
    }
    for (const order of [confirming, confirmed, cancel(paying).next, cancel(placed).next]) {
      expect(expireOrder(order, tooLate)).toEqual({ next: order, tell: [] })
    }
  })
})

function advance(order: Order, step: 'packed' | 'shipped' | 'delivered'): Order {
  return advanceOrder(order, { id: order.id, step }, later).next
}

test('logistics go one step after the other, each as often as somebody says so', () => {
  expect(() => advance(confirmed, 'shipped')).toThrow(/confirmed cannot be shipped/)
  expect(() => advance(paying, 'packed')).toThrow(/paying cannot be packed/)
  let order = confirmed
  for (const step of logisticsStep.options) {
    order = advance(order, step)
    expect(order.status).toBe(step)
    expect(advance(order, step)).toBe(order)
  }
  expect(() => advance(order, 'packed')).toThrow(/delivered cannot be packed/)
})

describe('a repeated checkout', () => {
  const keyed = wish({ idempotencyKey: 'k-1', agreedTotalCents: 5000 })
  const standing = placeOrder(keyed, PAY_WITHIN_MS, noon)

  test('is the same order, though the basket is empty by then', () => {
    expect(repeatOrder(standing, { ...keyed, id: randomUUIDv7(), lines: [], voucherCodes: [] })).toBe(
      standing,
    )
    expect(repeatOrder({ ...confirmed, callerKey: 'x' }, wish())).toMatchObject({ status: 'confirmed' })
  })

  test.each([
    { card: '4000000000000002' as const },
    { contact: { ...keyed.contact, name: 'Greta' } },
    { contact: { ...keyed.contact, address: ['Am Kai 1'] } },
    { agreedTotalCents: 5001 },
  ])('with something else (%j) is refused', (more) => {
    expect(() => repeatOrder(standing, { ...keyed, ...more })).toThrow(/another checkout/)
  })

  test('can be told apart by the digits of the card that are kept', () => {
    const ends = Object.keys(testCards).map((number) => number.slice(-4))
    expect(new Set(ends).size).toBe(ends.length)
  })

  test('of an empty basket is none, and each good stands there once', () => {
    expect(() => placeOrder(wish({ lines: [] }), PAY_WITHIN_MS, noon)).toThrow(/basket is empty/)
    const twice = { sku: 'LMP-0101', quantity: 1 }
    expect(() => placeOrder(wish({ lines: [twice, twice] }), PAY_WITHIN_MS, noon)).toThrow(/one line only/)
  })
})

const RUNS = 3000
const RUNS_WITHIN_MS = 60_000

describe('whatever happens, in whatever order, and however often', () => {
  test(
    'every order ends, and no piece and no cent is lost or doubled',
    () => {
      const ends: Partial<Record<OrderStatus, number>> = {}
      fc.assert(
        fc.property(moves, (all) => {
          const world = openWorld()
          for (const one of all) move(world, one)
          settle(world)
          isConserved(world)
          for (const { status } of world.orders.values()) ends[status] = (ends[status] ?? 0) + 1
        }),
        { numRuns: RUNS },
      )
      // Otherwise it would say nothing about one of them.
      for (const status of RESTING) expect([status, ends[status] ?? 0]).not.toEqual([status, 0])
    },
    RUNS_WITHIN_MS,
  )
})
