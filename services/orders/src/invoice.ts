import type { IssueInvoice } from '@tideshop/contracts/invoices'
import type { Order } from './order.ts'

/** What `invoices` is asked for an order, in the same words each time; null where none was to be asked for. */
export function invoiceOf(order: Order): IssueInvoice | null {
  const { id, customerId, placedAt, contact, lines, quote, timeline } = order
  if (quote === null || !timeline.some(({ step }) => step === 'invoice-asked')) return null
  const names = new Map(lines.map(({ sku, name = sku }) => [sku, name]))
  return {
    type: 'invoices.issue-invoice.v1',
    orderId: id,
    time: placedAt,
    customer: { id: customerId, name: contact.name, address: contact.address },
    lines: quote.lines.map(({ sku, unitPriceCents, quantity, discounts }) => ({
      sku,
      name: names.get(sku) ?? sku,
      unitPriceCents,
      quantity,
      discountCents: sum(discounts),
    })),
    discountCents: sum(quote.discounts),
    totalCents: quote.totalCents,
  }
}

function sum(discounts: readonly { cents: number }[]): number {
  return discounts.reduce((total, { cents }) => total + cents, 0)
}
