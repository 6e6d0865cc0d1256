import { isDeepStrictEqual } from 'node:util'
import type { InvoiceIssued, IssueInvoice } from '@tideshop/contracts/invoices'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * The invoice of an order, of which there is one. It does not change any more; whatever else is made of it (document.ts, what is
 * told) follows from it alone.
 */
export type Invoice = {
  /** Counts the invoices of the shop, from 1 and without a gap. */
  serial: number
  number: string
  /** UTC, ISO 8601. */
  issuedAt: string
  order: IssueInvoice
}

/** Throws when the total is not what the lines come to: a customer would get a document that contradicts itself. */
export function demandSum(order: IssueInvoice): void {
  const below = order.lines.find((line) => lineTotalCents(line) < 0)
  if (below !== undefined) throw new Refusal('invalid', `the discount of ${below.sku} is more than it costs`)
  const sum = subtotalCents(order) - order.discountCents
  if (sum === order.totalCents) return
  throw new Refusal('invalid', `totalCents is ${order.totalCents}, but lines and discounts come to ${sum}`)
}

/** Pure; `order` is one that adds up. */
export function issue(order: IssueInvoice, serial: number, now: Date): Invoice {
  return { serial, number: numberOf(serial), issuedAt: now.toISOString(), order }
}

/** Throws when another order goes by the same id. */
export function demandSameOrder({ order, number }: Invoice, asked: IssueInvoice): void {
  if (isDeepStrictEqual(order, asked)) return
  throw new Refusal(
    'conflict',
    `order ${asked.orderId} has an invoice already, ${number}, with another content`,
  )
}

export type Line = IssueInvoice['lines'][number]

export function lineTotalCents({ unitPriceCents, quantity, discountCents }: Line): number {
  return unitPriceCents * quantity - discountCents
}

/** Of all lines, before the discount of the order. */
export function subtotalCents({ lines }: IssueInvoice): number {
  return lines.reduce((sum, line) => sum + lineTotalCents(line), 0)
}

/** The name of its document in the file storage. */
export function fileOf({ number, order }: Invoice): string {
  return `${number}-${order.orderId}.html`
}

/** For `downstream`. */
export function tellIssued(invoice: Invoice): InvoiceIssued {
  const { number, issuedAt, order } = invoice
  return {
    type: 'invoices.invoice-issued.v1',
    id: `${order.orderId}:invoice`,
    orderId: order.orderId,
    customerId: order.customer.id,
    number,
    file: fileOf(invoice),
    totalCents: order.totalCents,
    issuedAt,
  }
}

/** Long enough to stay in order as a text up to a million. */
const DIGITS = 6

function numberOf(serial: number): string {
  return `TS-${String(serial).padStart(DIGITS, '0')}`
}
