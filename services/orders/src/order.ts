import type {
  Contact,
  LogisticsStep,
  OrderStatus,
  OrderStep,
  OrderView,
  PlaceOrder,
} from '@tideshop/contracts/orders'
import type { TestCard } from '@tideshop/contracts/payments'
import type { Quote } from '@tideshop/contracts/pricing'
import { Refusal } from '@tideshop/kit/refusal'

/** An order, and the log of its saga: saga.ts says how it goes on. */
export type Order = Placed & State
export type In<S extends OrderStatus> = Extract<Order, { status: S }>

type Placed = {
  id: string
  customerId: string
  /** Customer and idempotency key in one, because an index is sparse by one field only. There is one order for each. */
  callerKey?: string
  /** UTC, ISO 8601, as all times. */
  placedAt: string
  /** Unpaid by then, it expires. */
  payBy: string
  contact: Contact
  /** The last four digits of the card: what may be shown. */
  cardEnd: string
  agreedTotalCents?: number
  /** Names are known once the pieces are reserved. */
  lines: { sku: string; quantity: number; name?: string }[]
  voucherCodes: string[]
  timeline: Happened[]
}

export type Happened = { step: OrderStep; at: string; reason?: string }

/** The number of the card is kept until it was charged, or never will be, and no longer: until then a charge may have to be told again. */
export type State =
  | { status: 'reserving'; card: TestCard; quote: null }
  | { status: 'paying'; card: TestCard; quote: Quote }
  | After<'confirming' | 'confirmed' | LogisticsStep | 'refunding', Quote>
  | After<'releasing' | 'cancelled', Quote | null>
type After<S extends OrderStatus, Q> = S extends OrderStatus ? { status: S; card: null; quote: Q } : never

/**
 * Milliseconds for which pieces are held beyond the time for payment. A payment of the last moment, and the confirmation that
 * follows, still find them, whoever was asleep or away for a while. What is paid and lost all the same is refunded.
 */
const HELD_LONGER_MS = 10 * 60_000
/** Both together are no more than a reservation may be held (contracts/src/catalog.ts). */
export const PAY_WITHIN_MAX_MS = 24 * 3_600_000 - HELD_LONGER_MS

export function placeOrder(wish: PlaceOrder, payWithinMs: number, now: Date): In<'reserving'> {
  const { id, customerId, contact, card, agreedTotalCents, lines, voucherCodes, idempotencyKey } = wish
  if (lines.length === 0) throw new Refusal('conflict', 'the basket is empty')
  if (new Set(lines.map(({ sku }) => sku)).size < lines.length) {
    throw new Refusal('invalid', 'lines: each sku may stand in one line only')
  }
  const placedAt = now.toISOString()
  return {
    id,
    customerId,
    ...(idempotencyKey !== undefined && { callerKey: callerKeyOf(customerId, idempotencyKey) }),
    placedAt,
    payBy: new Date(now.getTime() + payWithinMs).toISOString(),
    contact,
    cardEnd: endOf(card),
    ...(agreedTotalCents !== undefined && { agreedTotalCents }),
    lines,
    voucherCodes,
    timeline: [{ step: 'placed', at: placedAt }],
    status: 'reserving',
    card,
    quote: null,
  }
}

export function callerKeyOf(customerId: string, idempotencyKey: string): string {
  return `${customerId} ${idempotencyKey}`
}

/**
 * The order that stood there before, if it is the same checkout; else the key was meant for something else. The basket is not
 * compared: whoever repeats a checkout has an empty one by then. Of the card the digits that are kept: no two test cards share them.
 */
export function repeatOrder(standing: Order, wish: PlaceOrder): Order {
  const isSame = checkoutOf(standing) === checkoutOf({ ...wish, cardEnd: endOf(wish.card) })
  if (isSame) return standing
  throw new Refusal('key-reused', 'this idempotency key belongs to an order with another checkout')
}

type Checkout = Pick<Placed, 'customerId' | 'contact' | 'cardEnd'> & { agreedTotalCents?: number | undefined }

function checkoutOf({ customerId, contact, cardEnd, agreedTotalCents }: Checkout): string {
  return JSON.stringify([customerId, contact.name, contact.address, cardEnd, agreedTotalCents])
}

function endOf(card: string): string {
  return card.slice(-4)
}

/** Milliseconds for which the pieces are held once they are reserved: later than the order was placed. */
export function heldMs({ placedAt, payBy }: Order): number {
  return Date.parse(payBy) - Date.parse(placedAt) + HELD_LONGER_MS
}

/** What can be taken back: what has not left the shop, and is not on its way back already. */
export const cancellable: readonly OrderStatus[] = [
  'reserving',
  'paying',
  'confirming',
  'confirmed',
  'packed',
]

/** What its customer sees, and the shop. */
export function viewOrder(order: Order): OrderView {
  const { id, status, placedAt, payBy, contact, cardEnd, lines, voucherCodes, quote, timeline } = order
  return {
    id,
    status,
    placedAt,
    payBy,
    contact,
    card: `•••• ${cardEnd}`,
    lines,
    voucherCodes,
    quote,
    timeline,
    cancellable: cancellable.includes(status),
  }
}
