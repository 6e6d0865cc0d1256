import { defineEvent } from '@tideshop/kit/event'
import { z } from 'zod'
import { customerId } from './basket.ts'
import { PAGE_MAX, sku, stockTtlMs } from './catalog.ts'
import { idempotencyKey } from './operations.ts'
import { testCard } from './payments.ts'
import { LINES_MAX, quantity, quoteView, VOUCHERS_MAX, voucherCode } from './pricing.ts'
import { noControlCharacters } from './text.ts'

/**
 * What `orders` says: to callers over HTTP about orders, to `catalog` on `order-stock`, and to `payments` on `order-payment`.
 * Money is euro cents, times are UTC in ISO 8601.
 */

export const orderId = z
  .uuidv7('needs to be a UUIDv7')
  .meta({ description: 'Id of an order, UUIDv7; later ones are greater' })

/** One line of text on an address. */
const text = z
  .string()
  .trim()
  .min(1)
  .max(100, 'may have 100 characters')
  .regex(noControlCharacters, 'may not have control characters')

export const contact = z.strictObject({
  name: text.meta({ examples: ['Hans Petersen'] }),
  address: z
    .array(text)
    .min(1)
    .max(6)
    .meta({ examples: [['Am Kai 1', '20457 Hamburg']] }),
})
export type Contact = z.infer<typeof contact>

const wantedLine = z.strictObject({ sku, quantity })
const wantedLines = z.array(wantedLine).max(LINES_MAX)
const cents = z.int().min(0)
const agreedTotalCents = cents.optional().meta({
  description:
    'What the customer was shown: an order that would cost more is refused. Without it any price is right.',
})

/** `POST /api/orders`: orders what is in the customer's basket. */
export const checkout = z.strictObject({ contact, card: testCard, agreedTotalCents })
export type Checkout = z.infer<typeof checkout>

/** `POST /order/place`. The door names the order, so that a request which the sidecar repeats makes one. */
export const placeOrder = z.strictObject({
  id: orderId,
  customerId,
  ...checkout.shape,
  /** None is refused, unless the key stands for an order already: whoever repeats a checkout has an empty basket by then. */
  lines: wantedLines,
  voucherCodes: z.array(voucherCode).max(VOUCHERS_MAX),
  idempotencyKey: idempotencyKey.optional(),
  traceparent: z.string(),
})
export type PlaceOrder = z.infer<typeof placeOrder>

/**
 *     reserving → paying → confirming → confirmed → packed → shipped → delivered
 *         │          │          │            │         │
 *         └──────────┴─ refunding (what was paid) ─────┘     backwards, in the reverse order of what was done
 *                            └→ releasing (what was reserved or sold) → cancelled
 */
export const orderStatus = z.enum([
  'reserving',
  'paying',
  'confirming',
  'confirmed',
  'packed',
  'shipped',
  'delivered',
  'refunding',
  'releasing',
  'cancelled',
])
export type OrderStatus = z.infer<typeof orderStatus>

/** What can stand in the history of an order. */
export const orderStep = z.enum([
  'placed',
  'stock-reserved',
  'stock-refused',
  'priced',
  'price-refused',
  'paid',
  'declined',
  'stock-confirmed',
  'stock-lost',
  'invoice-asked',
  'packed',
  'shipped',
  'delivered',
  'cancel-asked',
  'expired',
  'refunded',
  'stock-released',
  'cancelled',
])
export type OrderStep = z.infer<typeof orderStep>

/** Steps of one order: each happens once. */
const TIMELINE_MAX = orderStep.options.length

export const orderView = z.object({
  id: orderId,
  status: orderStatus,
  placedAt: z.iso.datetime(),
  /** Unpaid by then, it expires. */
  payBy: z.iso.datetime(),
  contact,
  /** `•••• 4242`. */
  card: z.string(),
  lines: z.array(z.object({ ...wantedLine.shape, name: z.string().optional() })).max(LINES_MAX),
  voucherCodes: z.array(voucherCode),
  /** What it costs; null until it has been priced. */
  quote: quoteView.nullable(),
  timeline: z
    .array(z.object({ step: orderStep, at: z.iso.datetime(), reason: z.string().optional() }))
    .max(TIMELINE_MAX)
    .meta({ description: 'What happened, the oldest first' }),
  cancellable: z.boolean(),
})
export type OrderView = z.infer<typeof orderView>

const limit = z.coerce.number().int().min(1).max(PAGE_MAX).default(20)
const after = orderId
  .optional()
  .meta({ description: 'The `next` of the page before; none for the first page' })

/** `GET /api/orders`: the customer's own, the newest first. */
export const listOrders = z.strictObject({ after, limit })
export type ListOrders = z.infer<typeof listOrders>
/** `GET /api/admin/orders`. */
export const listAllOrders = z.strictObject({ status: orderStatus.optional(), after, limit })
export type ListAllOrders = z.infer<typeof listAllOrders>

export const ordersPage = z.object({
  orders: z.array(orderView).max(PAGE_MAX),
  next: z.string().nullable().meta({ description: 'Ask with `after` for what follows; null at the end' }),
})
export type OrdersPage = z.infer<typeof ordersPage>

/** `GET /order?id=&customerId=`: without a customer it is the shop itself that asks. */
export const findOrder = z.strictObject({ id: orderId, customerId: customerId.optional() })
export type FindOrder = z.infer<typeof findOrder>
/** `GET /orders?customerId=`, the same. */
export const findOrders = z.strictObject({ customerId: customerId.optional(), ...listAllOrders.shape })
export type FindOrders = z.infer<typeof findOrders>

/** `POST /order/cancel`: possible until it is shipped, and as often as somebody says so. */
export const cancelOrder = z.strictObject({
  id: orderId,
  customerId: customerId.optional(),
  traceparent: z.string(),
})
export type CancelOrder = z.infer<typeof cancelOrder>

/** What the logistics of the shop say of an order, each once and in this order. */
export const logisticsStep = z.enum(['packed', 'shipped', 'delivered'])
export type LogisticsStep = z.infer<typeof logisticsStep>
/** `POST /order/logistics`. */
export const advanceOrder = z.strictObject({ id: orderId, step: logisticsStep })
export type AdvanceOrder = z.infer<typeof advanceOrder>

/** `POST /orders/expire`, by `jobs`: takes back what is unpaid after its time, so many at once at most. */
export const EXPIRED_AT_ONCE_MAX = 500
export const expiredOrders = z.object({ expired: z.int().min(0) })
export type ExpiredOrders = z.infer<typeof expiredOrders>

/** `GET /orders/statistics?day=`, by `jobs`: of the orders placed on one day, UTC. */
export const dayOfOrders = z.strictObject({ day: z.iso.date() })
export const orderStatistics = z.object({
  day: z.iso.date(),
  placed: z.int().min(0),
  /** Of those, by what they are now. */
  byStatus: z.partialRecord(orderStatus, z.int().min(0)),
  /** Of those that were paid and not given back. */
  turnoverCents: cents,
})
export type OrderStatistics = z.infer<typeof orderStatistics>

export const orderStock = defineEvent({
  topic: 'order-stock',
  source: 'orders',
  version: 1,
  summary:
    'Asks catalog for the pieces of an order, or to give them back. Each is asked until it is answered, and the answer to the same question is the same. Subject: the order.',
  data: z.discriminatedUnion('ask', [
    z.object({
      ask: z.literal('reserve'),
      orderId: z.uuidv7(),
      customerId,
      lines: wantedLines.min(1),
      ttlMs: stockTtlMs.describe('Milliseconds for which they are held, from when they are reserved'),
    }),
    z.object({ ask: z.literal('confirm'), orderId: z.uuidv7() }).describe('They are sold.'),
    z
      .object({ ask: z.literal('release'), orderId: z.uuidv7() })
      .describe('All of it, reserved or sold. Before its reserve came, it makes sure that it never will.'),
  ]),
})
export type OrderStock = z.infer<(typeof orderStock)['schema']>

export const orderPayment = defineEvent({
  topic: 'order-payment',
  source: 'orders',
  version: 1,
  summary: 'Asks payments for the money of an order, or to give it back. Subject: the order.',
  data: z.discriminatedUnion('ask', [
    z.object({ ask: z.literal('charge'), orderId: z.uuidv7(), customerId, cents, card: testCard }),
    z
      .object({ ask: z.literal('refund'), orderId: z.uuidv7() })
      .describe('Before its charge came, it makes sure that it never will.'),
  ]),
})
export type OrderPayment = z.infer<(typeof orderPayment)['schema']>
