import type { Prices } from '@tideshop/clients/prices'
import { type OrderStockResponse, orderStockResponse } from '@tideshop/contracts/catalog'
import { INVOICE_REQUESTS } from '@tideshop/contracts/invoices'
import {
  advanceOrder as advanceWish,
  cancelOrder as cancelWish,
  dayOfOrders,
  EXPIRED_AT_ONCE_MAX,
  type ExpiredOrders,
  findOrder,
  findOrders,
  type OrderStatistics,
  type OrdersPage,
  type OrderView,
  type PlaceOrder,
  placeOrder as placeWish,
} from '@tideshop/contracts/orders'
import { orderPaymentResponse } from '@tideshop/contracts/payments'
import type { Decision } from '@tideshop/kit/aggregates'
import { atMost } from '@tideshop/kit/at-most'
import type { Bindings } from '@tideshop/kit/binding'
import { crashPoint } from '@tideshop/kit/crash-point'
import type { Event } from '@tideshop/kit/event'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import { type InboxParts, on, type Result, subscribe } from '@tideshop/kit/inbox'
import type { Outbox } from '@tideshop/kit/outbox'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Road } from '@tideshop/kit/road'
import { continueTrace, traceIdOf } from '@tideshop/kit/trace'
import type { Express } from 'express'
import { invoiceOf } from './invoice.ts'
import { callerKeyOf, type Order, placeOrder, repeatOrder, viewOrder } from './order.ts'
import { askPrice } from './price.ts'
import {
  advanceOrder,
  askedBy,
  cancelOrder,
  expireOrder,
  type Heard,
  hearAnswer,
  ofCustomer,
} from './saga.ts'
import { momentsOf, statisticsOf } from './statistics.ts'
import type { OrderStore } from './store.ts'

/** Prices that are asked for at once, and invoices, of one batch of messages. */
const ASKED_AT_ONCE_MAX = 20
/** Orders that expire with one write, and milliseconds for which a call goes on with the next: its caller waits for a second (kit/invoke). */
const EXPIRED_TOGETHER_MAX = 50
const EXPIRE_WITHIN_MS = 400
/** Bytes of a page of orders: the sidecar carries 4 MiB. A hundred of the largest orders are more. */
const PAGE_BYTES_MAX = 3 * 1024 ** 2

export type OrdersParts = InboxParts &
  HttpParts & {
    orders: OrderStore
    outbox: Outbox
    road: Road
    prices: Prices
    bindings: Bindings
    /** Milliseconds from an order to its payment. */
    payWithinMs: number
  }

export function ordersApp(parts: OrdersParts): Express {
  const { orders, now } = parts
  return httpApp(parts, (app) => {
    subscribe(app, parts, [
      on(orderStockResponse, (told) => hearStock(parts, told)),
      on(orderPaymentResponse, (told) =>
        orders.changeAll(told, (order, { data }) => hearAnswer(order, { data, hasInvoices: false }, now())),
      ),
    ])
    takeOrders(app, parts)
    showOrders(app, parts)
  })
}

function takeOrders(app: Express, parts: OrdersParts): void {
  const { orders, outbox, road, now } = parts

  app.post('/order/place', jsonBody, async (request, response) => {
    response.json(viewOrder(await place(parts, parse(placeWish, request.body))) satisfies OrderView)
  })

  app.post('/order/cancel', jsonBody, async (request, response) => {
    const { traceparent, ...wish } = parse(cancelWish, request.body)
    await Promise.all([road.check(), outbox.room()])
    const at = now()
    const decide = (order: Order | null) => traced(cancelOrder(order, wish, at), traceparent)
    const { next, tell } = await orders.change(wish.id, decide, at)
    crashPoint('door.written')
    if (tell.length > 0) outbox.post([{ id: wish.id, outgoing: tell }], road.went)
    response.json(viewOrder(next) satisfies OrderView)
  })

  app.post('/order/logistics', jsonBody, async (request, response) => {
    const wish = parse(advanceWish, request.body)
    const at = now()
    const { next } = await orders.change(wish.id, (order) => advanceOrder(order, wish, at), at)
    response.json(viewOrder(next) satisfies OrderView)
  })

  app.post('/orders/expire', async (request, response) => {
    const expired = await expire(parts, continueTrace(request.get('traceparent')))
    response.json({ expired } satisfies ExpiredOrders)
  })
}

/** One promise per customer and key, made only when it is written down; what it tells follows at once. */
async function place(parts: OrdersParts, wish: PlaceOrder): Promise<Order> {
  const { orders, outbox, road, payWithinMs, log, now } = parts
  const { id, customerId, lines, idempotencyKey, traceparent } = wish
  if (lines.length === 0 && idempotencyKey !== undefined) {
    const standing = await orders.findByKey(callerKeyOf(customerId, idempotencyKey))
    if (standing !== null) return repeatOrder(standing, wish)
  }
  const at = now()
  const order = placeOrder(wish, payWithinMs, at)
  const { tell } = traced({ next: order, tell: askedBy(order) }, traceparent)
  await Promise.all([road.check(), outbox.room()])
  const standing = await orders.create(order, tell, at)
  crashPoint('door.written')
  if (standing !== null) return repeatOrder(standing, wish)
  outbox.post([{ id, outgoing: tell }], road.went)
  log.info({ orderId: id, trace: traceIdOf(traceparent) }, 'order placed')
  return order
}

/** A few at a time, so that each call gets somewhere however slow the database is; whoever asks for it asks again. */
async function expire(parts: OrdersParts, traceparent: string): Promise<number> {
  const giveUpAt = performance.now() + EXPIRE_WITHIN_MS
  let expired = 0
  let some = 0
  do {
    some = await expireSome(parts, traceparent, Math.min(EXPIRED_TOGETHER_MAX, EXPIRED_AT_ONCE_MAX - expired))
    expired += some
  } while (some > 0 && expired < EXPIRED_AT_ONCE_MAX && performance.now() < giveUpAt)
  return expired
}

/** One that loses a race with its own payment is not among them any more. */
async function expireSome(
  { orders, outbox, road, log, now }: OrdersParts,
  traceparent: string,
  max: number,
): Promise<number> {
  const at = now()
  const ids = await orders.unpaid(at, max)
  if (ids.length === 0) return 0
  await Promise.all([road.check(), outbox.room()])
  const results = await orders.changeMany(ids, (order) => traced(expireOrder(order, at), traceparent), at)
  crashPoint('door.written')
  const expired = results.flatMap((result, index) => {
    const outgoing = result.outcome === 'done' ? result.tell : []
    return outgoing.length > 0 ? { id: ids[index] as string, outgoing } : []
  })
  outbox.post(expired, road.went)
  log.info({ expired: expired.length }, 'unpaid orders expired')
  return expired.length
}

function traced(decision: Decision<Order>, traceparent: string): Decision<Order> {
  const tell = decision.tell.map(({ topic, event }) => ({ topic, event: { ...event, traceparent } }))
  return { ...decision, tell }
}

/** Ids stand behind the `?`: in a path each would be a time series of its own in the sidecar's metrics. */
function showOrders(app: Express, { orders }: OrdersParts): void {
  app.get('/order', async (request, response) => {
    const { id, customerId } = parse(findOrder, request.query, 'query')
    const [order = null] = await orders.findAll([id])
    response.json(viewOrder(ofCustomer(order, id, customerId)) satisfies OrderView)
  })

  app.get('/orders', async (request, response) => {
    const { limit, ...wanted } = parse(findOrders, request.query, 'query')
    // One more than is shown tells whether something follows.
    const found = await orders.list({ ...wanted, max: limit + 1 })
    const shown = fitting(found.slice(0, limit).map(viewOrder))
    const next = shown.length < found.length ? (shown.at(-1)?.id ?? null) : null
    response.json({ orders: shown, next } satisfies OrdersPage)
  })

  app.get('/orders/statistics', async (request, response) => {
    const { day } = parse(dayOfOrders, request.query, 'query')
    const { from, until } = momentsOf(day)
    response.json(statisticsOf(day, await orders.count(from, until)) satisfies OrderStatistics)
  })
}

/** As many as a page may carry; one at least. */
function fitting(views: readonly OrderView[]): OrderView[] {
  let bytes = 0
  return views.filter((view, index) => {
    bytes += Buffer.byteLength(JSON.stringify(view))
    return index === 0 || bytes <= PAGE_BYTES_MAX
  })
}

/**
 * First asks what a decision needs: the prices of orders that wait for theirs, and whether there are invoices. Then decides. What
 * was confirmed is asked an invoice for before its message is done with: who dies in between gets the message again, and asks again.
 */
async function hearStock(parts: OrdersParts, told: readonly Event<StockAnswer>[]): Promise<Result[]> {
  const { orders, bindings, log, now } = parts
  const standing = await orders.findAll(told.map(({ data }) => data.orderId))
  const mayConfirm = told.some(({ data }) => data.answer === 'confirmed')
  const hasInvoices = mayConfirm && (await bindings.has(INVOICE_REQUESTS))
  if (mayConfirm && !hasInvoices) log.info(`confirmed without invoices: there is no ${INVOICE_REQUESTS}`)
  const inTurn = atMost(ASKED_AT_ONCE_MAX)
  const asked = await Promise.all(
    told.map(async (event, index) => {
      const answer = await inTurn(() => withPrice(parts, event, standing[index] ?? null))
      return 'outcome' in answer ? answer : { ...answer, hasInvoices }
    }),
  )
  const heard = asked.flatMap((one) => ('outcome' in one ? [] : one))
  const decided = (await orders.changeAll(heard, (order, one) => hearAnswer(order, one, now()))).values()
  const results = asked.map((one) => ('outcome' in one ? one : (decided.next().value ?? AGAIN)))
  return askForInvoices(parts, told, results)
}

type StockAnswer = OrderStockResponse['data']
const AGAIN: Result = { outcome: 'again' }

/** Only of an order that waits for its price: `pricing` is not woken for another. */
async function withPrice(
  { prices, log }: OrdersParts,
  { data, traceparent }: Event<StockAnswer>,
  order: Order | null,
): Promise<Omit<Heard<StockAnswer>, 'hasInvoices'> | Result> {
  if (data.answer !== 'reserved' || order?.status !== 'reserving') return { data }
  try {
    return { data, price: await askPrice(prices, order, data, continueTrace(traceparent)) }
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict')
      return { outcome: 'dead', reason: error.message }
    log.warn({ err: error, orderId: data.orderId }, 'an order has no price yet and will be asked about again')
    return AGAIN
  }
}

/** The message of one that could not be asked for comes again. */
async function askForInvoices(
  { orders, bindings, log }: OrdersParts,
  told: readonly Event<StockAnswer>[],
  results: readonly Result[],
): Promise<Result[]> {
  const isConfirmed = (index: number) =>
    told[index]?.data.answer === 'confirmed' && results[index]?.outcome === 'done'
  const ids = told.filter((_, index) => isConfirmed(index)).map(({ data }) => data.orderId)
  if (ids.length === 0) return [...results]
  const confirmed = new Map((await orders.findAll(ids)).map((order, index) => [ids[index], order]))
  const inTurn = atMost(ASKED_AT_ONCE_MAX)
  return Promise.all(
    results.map(async (result, index) => {
      const order = isConfirmed(index) ? confirmed.get(told[index]?.data.orderId) : null
      const invoice = order ? invoiceOf(order) : null
      if (invoice === null) return result
      try {
        await inTurn(() => bindings.create(INVOICE_REQUESTS, invoice))
        return result
      } catch (error) {
        log.warn({ err: error, orderId: invoice.orderId }, 'an invoice was not asked for yet')
        return AGAIN
      }
    }),
  )
}
