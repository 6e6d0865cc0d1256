import type { OrderStockResponse } from '@tideshop/contracts/catalog'
import { type LogisticsStep, type OrderStatus, orderPayment, orderStock } from '@tideshop/contracts/orders'
import type { OrderPaymentResponse } from '@tideshop/contracts/payments'
import type { Quote } from '@tideshop/contracts/pricing'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'
import { cancellable, type Happened, heldMs, type In, type Order, type State } from './order.ts'

/**
 * How an order goes on. In each status it waits for one answer, or for nobody:
 *
 *     reserving    that the pieces are held      it told `order-stock` reserve
 *     paying       that the card is charged      it told `order-payment` charge
 *     confirming   that the pieces are sold      it told `order-stock` confirm
 *     confirmed → packed → shipped → delivered   what the shop's logistics say
 *     refunding    that the money is back        it told `order-payment` refund
 *     releasing    that the pieces are back      it told `order-stock` release
 *     cancelled    nothing is held and nothing is paid
 *
 * Whatever goes wrong, whoever changes his mind, and what nobody paid in time goes backwards: first the money, then the pieces.
 *
 * What an order tells follows from its status alone, with an id that each question has for itself. So a message that comes twice
 * is answered twice in the same words; an answer that comes too late finds another status and changes nothing; and since the
 * others undo as well what they have not done yet, nobody here has to know how far they had come.
 */

export type Answer = OrderStockResponse['data'] | OrderPaymentResponse['data']

/** What `pricing` said of what was reserved. */
export type Price = { quote: Quote } | { refused: string }

/** An answer, and what had to be asked before it can be decided upon. */
export type Heard<A extends Answer = Answer> = {
  data: A
  /** There for `reserved` where the order waits for it. */
  price?: Price | undefined
  /** Whether there is somebody who writes invoices. */
  hasInvoices: boolean
}

/** Where an answer leads to. Heard again there, it may be that whoever heard it first died before he told what follows. */
const LED_TO: Record<Answer['answer'], readonly OrderStatus[]> = {
  reserved: ['paying', 'releasing'],
  refused: [],
  paid: ['confirming'],
  declined: ['releasing'],
  confirmed: [],
  lost: ['refunding'],
  refunded: ['releasing'],
  released: [],
}

/** Hears `order-stock-response` and `order-payment-response`. */
export function hearAnswer(current: Order | null, heard: Heard, now: Date): Decision<Order> {
  const { answer, orderId } = heard.data
  if (current === null) throw new Refusal('not-found', `there is no order ${orderId}`)
  const next = afterAnswer(current, heard, now.toISOString())
  if (next !== null) return { next, tell: askedBy(next) }
  return { next: current, tell: LED_TO[answer].includes(current.status) ? askedBy(current) : [] }
}

/** Null where the order does not wait for this answer. */
function afterAnswer(order: Order, heard: Heard, at: string): Order | null {
  switch (order.status) {
    case 'reserving':
      return whileReserving(order, heard, at)
    case 'paying':
      return whilePaying(order, heard.data, at)
    case 'confirming':
      return whileConfirming(order, heard, at)
    case 'refunding':
      return heard.data.answer === 'refunded' ? release(order, order.quote, { step: 'refunded', at }) : null
    case 'releasing':
      return heard.data.answer === 'released' ? end(order, { step: 'stock-released', at }) : null
    default:
      return null
  }
}

function whileReserving(order: In<'reserving'>, { data, price }: Heard, at: string): Order | null {
  if (data.answer === 'refused') return end(order, { step: 'stock-refused', at, reason: data.reason })
  if (data.answer !== 'reserved') return null
  if (price === undefined) throw new Error(`nobody asked what order ${order.id} costs`)

  const names = new Map(data.lines.map(({ sku, name }) => [sku, name]))
  const lines = order.lines.map((line) => ({ ...line, name: names.get(line.sku) ?? line.sku }))
  const reserved: Order = {
    ...order,
    lines,
    timeline: [...order.timeline, { step: 'stock-reserved', at }],
  }
  if ('refused' in price) return release(reserved, null, { step: 'price-refused', at, reason: price.refused })
  const { agreedTotalCents = Number.POSITIVE_INFINITY } = order
  const { quote } = price
  if (quote.totalCents > agreedTotalCents) {
    const reason = `it costs ${quote.totalCents} cents, and ${agreedTotalCents} were agreed`
    return release(reserved, quote, { step: 'price-refused', at, reason })
  }
  return moved(reserved, { status: 'paying', card: order.card, quote }, { step: 'priced', at })
}

function whilePaying(order: In<'paying'>, data: Answer, at: string): Order | null {
  const { id, quote } = order
  if (data.answer === 'declined') return release(order, quote, { step: 'declined', at, reason: data.reason })
  if (data.answer !== 'paid') return null
  if (data.cents !== quote.totalCents) {
    throw new Refusal('conflict', `order ${id} costs ${quote.totalCents} cents, and ${data.cents} were paid`)
  }
  return moved(order, { status: 'confirming', card: null, quote }, { step: 'paid', at })
}

function whileConfirming(order: In<'confirming'>, { data, hasInvoices }: Heard, at: string): Order | null {
  const { quote } = order
  if (data.answer === 'lost') return refund(order, quote, { step: 'stock-lost', at, reason: data.reason })
  if (data.answer !== 'confirmed') return null
  // Written before it is asked for: the message comes again until it was (app.ts).
  const invoice: Happened[] = hasInvoices ? [{ step: 'invoice-asked', at }] : []
  return moved(order, { status: 'confirmed', card: null, quote }, { step: 'stock-confirmed', at }, ...invoice)
}

/** For its customer, or for the shop when none is named. As often as somebody says so. */
export function cancelOrder(
  current: Order | null,
  { id, customerId }: { id: string; customerId?: string | undefined },
  now: Date,
): Decision<Order> {
  const order = ofCustomer(current, id, customerId)
  if (order.status === 'shipped' || order.status === 'delivered') {
    throw new Refusal('conflict', `the order is ${order.status} and cannot be cancelled any more`)
  }
  if (!cancellable.includes(order.status)) return { next: order, tell: [] }
  return takenBack(order, { step: 'cancel-asked', at: now.toISOString() })
}

/** Takes back what is unpaid after its time. What is being confirmed is paid. */
export function expireOrder(order: Order | null, now: Date): Decision<Order> {
  if (order === null) throw new Refusal('not-found', 'there is no such order')
  const isUnpaid = order.status === 'reserving' || order.status === 'paying'
  if (!isUnpaid || now.getTime() <= Date.parse(order.payBy)) return { next: order, tell: [] }
  return takenBack(order, { step: 'expired', at: now.toISOString() })
}

/** That somebody else has it is nobody's business. */
export function ofCustomer(order: Order | null, id: string, customerId: string | undefined): Order {
  if (order !== null && (customerId === undefined || order.customerId === customerId)) return order
  throw new Refusal('not-found', `there is no order ${id}`)
}

/** Before it was told to pay nothing can be charged; from then on something may be, or will be in this moment. */
function takenBack(order: Order, why: Happened): Decision<Order> {
  const { quote } = order
  const next = quote === null ? release(order, null, why) : refund(order, quote, why)
  return { next, tell: askedBy(next) }
}

/** What has to be before it. */
const BEFORE = { packed: 'confirmed', shipped: 'packed', delivered: 'shipped' } as const

/** Hears the logistics of the shop. */
export function advanceOrder(
  current: Order | null,
  { id, step }: { id: string; step: LogisticsStep },
  now: Date,
): Decision<Order> {
  const order = ofCustomer(current, id, undefined)
  if (order.status === step) return { next: order, tell: [] }
  if (order.status !== BEFORE[step]) {
    throw new Refusal('conflict', `an order that is ${order.status} cannot be ${step}`)
  }
  const { quote } = order
  return {
    next: moved(order, { status: step, card: null, quote }, { step, at: now.toISOString() }),
    tell: [],
  }
}

function refund(order: Order, quote: Quote, why: Happened): Order {
  return moved(order, { status: 'refunding', card: null, quote }, why)
}

function release(order: Order, quote: Quote | null, why: Happened): Order {
  return moved(order, { status: 'releasing', card: null, quote }, why)
}

function end(order: Order, why: Happened): Order {
  const { quote } = order
  return moved(order, { status: 'cancelled', card: null, quote }, why, { step: 'cancelled', at: why.at })
}

function moved(order: Order, state: State, ...happened: Happened[]): Order {
  return { ...order, ...state, timeline: [...order.timeline, ...happened] }
}

/** Numbers of the questions, for the ids of their events. */
const ASKED = { reserve: 1, charge: 2, confirm: 3, refund: 4, release: 5 } as const

/** What an order asks in its status, of the time when it came there. */
export function askedBy(order: Order): Outgoing[] {
  const { id: orderId, customerId, lines, timeline } = order
  const since = { subject: orderId, time: timeline.at(-1)?.at ?? order.placedAt }
  switch (order.status) {
    case 'reserving': {
      const wanted = lines.map(({ sku, quantity }) => ({ sku, quantity }))
      const data = { ask: 'reserve' as const, orderId, customerId, lines: wanted, ttlMs: heldMs(order) }
      return [orderStock.tell({ ...since, version: ASKED.reserve, data })]
    }
    case 'paying': {
      const { card, quote } = order
      const data = { ask: 'charge' as const, orderId, customerId, cents: quote.totalCents, card }
      return [orderPayment.tell({ ...since, version: ASKED.charge, data })]
    }
    case 'confirming':
      return [orderStock.tell({ ...since, version: ASKED.confirm, data: { ask: 'confirm', orderId } })]
    case 'refunding':
      return [orderPayment.tell({ ...since, version: ASKED.refund, data: { ask: 'refund', orderId } })]
    case 'releasing':
      return [orderStock.tell({ ...since, version: ASKED.release, data: { ask: 'release', orderId } })]
    default:
      return []
  }
}
