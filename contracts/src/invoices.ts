import { z } from 'zod'
import { noControlCharacters } from './text.ts'

/**
 * What `invoices` is asked, in the RabbitMQ queue `queue`, and what it tells, in `downstream`; the names are system B's. Whoever
 * asks says it in JSON, and may say it again: an order has one invoice. The bounds are such that no sum of cents comes near
 * 2^53, so a number is exact.
 */
export const INVOICE_QUEUE = 'queue'
/** The output binding of those who ask. A component of its own, since who has the one of `queue` would be brought its jobs. */
export const INVOICE_REQUESTS = 'queue.ask'
export const DOWNSTREAM_QUEUE = 'downstream'

const UNIT_PRICE_CENTS_MAX = 10_000_000
const QUANTITY_MAX = 1000
const LINES_MAX = 100
const TEXT_MAX = 200

const cents = z.int().min(0)
/** One line of text; what no document can show is no text. */
const text = z.string().trim().min(1).max(TEXT_MAX).regex(noControlCharacters, 'has control characters')

const line = z.strictObject({
  sku: z.string().regex(/^[\w.-]{1,64}$/),
  name: text,
  unitPriceCents: cents.max(UNIT_PRICE_CENTS_MAX),
  quantity: z.int().min(1).max(QUANTITY_MAX),
  /** Of the whole line. */
  discountCents: cents.default(0),
})

export const issueInvoice = z.strictObject({
  type: z.literal('invoices.issue-invoice.v1'),
  orderId: z.uuidv7(),
  /** When it was ordered, UTC, ISO 8601. */
  time: z.iso.datetime(),
  customer: z.strictObject({
    id: z.string().regex(/^[\w.-]{1,64}$/),
    name: text,
    address: z.array(text).max(6).default([]),
  }),
  lines: z.array(line).min(1).max(LINES_MAX),
  /** Of the order as a whole, beside those of its lines. Euro cents, as all amounts. */
  discountCents: cents.default(0),
  /** What the customer pays. It has to be what lines and discounts come to. */
  totalCents: cents,
})
export type IssueInvoice = z.infer<typeof issueInvoice>

/** In `downstream`, once or several times with the same `id`. */
export const invoiceIssued = z.object({
  type: z.literal('invoices.invoice-issued.v1'),
  /** `<order>:invoice`; a repeat carries the same one. */
  id: z.string(),
  orderId: z.uuidv7(),
  customerId: z.string(),
  number: z.string(),
  /** The document's name in the file storage. */
  file: z.string(),
  totalCents: cents,
  /** UTC, ISO 8601. */
  issuedAt: z.iso.datetime(),
})
export type InvoiceIssued = z.infer<typeof invoiceIssued>
