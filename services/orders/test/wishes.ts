import { randomUUIDv7 } from 'node:crypto'
import type { PlaceOrder } from '@tideshop/contracts/orders'
import type { Quote } from '@tideshop/contracts/pricing'
import { noon } from '@tideshop/kit/test/parts'
import type { Order } from '../src/order.ts'
import type { Answer } from '../src/saga.ts'

export const PAY_WITHIN_MS = 60_000
export const customerId = randomUUIDv7()

export function wish(more: Partial<PlaceOrder> = {}): PlaceOrder {
  return {
    id: nextId(),
    customerId,
    contact: { name: 'Hans', address: ['Am Kai 1', '20457 Hamburg'] },
    card: '4242424242424242',
    lines: [{ sku: 'LMP-0101', quantity: 2 }],
    voucherCodes: ['FIVER'],
    traceparent: 'trace',
    ...more,
  }
}

export function priceOf({ lines: wanted }: Pick<Order, 'lines'>, unitPriceCents = 1000): { quote: Quote } {
  const lines = wanted.map(({ sku, quantity }) => ({
    sku,
    quantity,
    unitPriceCents,
    discounts: [{ offer: 'o', reason: 'because', cents: 100 }],
    totalCents: unitPriceCents * quantity - 100,
  }))
  const subtotalCents = lines.reduce((sum, line) => sum + line.totalCents, 0)
  const discounts = [{ offer: 'FIVER', reason: 'a voucher', cents: 500 }]
  const totalCents = subtotalCents - 500
  return { quote: { lines, discounts, subtotalCents, totalCents, vouchers: [], at: noon.toISOString() } }
}

export function reservedFor(order: Order, unitPriceCents = 1000): Extract<Answer, { answer: 'reserved' }> {
  const lines = order.lines.map(({ sku, quantity }) => ({ sku, name: 'Lantern', unitPriceCents, quantity }))
  return { answer: 'reserved', orderId: order.id, lines }
}

export function steps({ timeline }: Order): string[] {
  return timeline.map(({ step }) => step)
}

let made = 0

/** Later ones are greater, also of one millisecond, as they are not when they are drawn. */
function nextId(): string {
  made += 1
  return `01a20e4d-0000-7000-8000-${String(made).padStart(12, '0')}`
}
