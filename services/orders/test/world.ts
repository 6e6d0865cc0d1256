import { type OrderStockResponse, orderStockResponse } from '@tideshop/contracts/catalog'
import {
  logisticsStep,
  type OrderPayment,
  type OrderStatus,
  type OrderStock,
  orderPayment,
  orderStock,
  orderView,
  placeOrder as placeWish,
} from '@tideshop/contracts/orders'
import { type OrderPaymentResponse, orderPaymentResponse } from '@tideshop/contracts/payments'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'
import { noon } from '@tideshop/kit/test/parts'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Order, placeOrder, viewOrder } from '../src/order.ts'
import { type Answer, advanceOrder, askedBy, cancelOrder, expireOrder, hearAnswer } from '../src/saga.ts'

import { PAY_WITHIN_MS, priceOf, reservedFor, steps, wish } from './wishes.ts'

/**
 * A shop with an unreliable post: every message may come late, twice, out of order, or to somebody who dies before he has told
 * what follows, and then it comes again. Catalog and payments as their contracts say, and no more.
 */
type Letter = { to: 'catalog' | 'payments' | 'orders'; event: Outgoing['event'] }

type StockState = 'held' | 'sold' | 'gone' | 'refused' | 'lost'
type Money = { state: 'charged' | 'declined' | 'refunded'; cents: number }

export type World = {
  orders: Map<string, Order>
  post: Letter[]
  /** Delivered once already, and kept: any of them may come again. */
  old: Letter[]
  catalog: {
    free: number
    sold: number
    orders: Map<string, StockState>
    pieces: Map<string, number>
  }
  payments: Map<string, Money>
  /** Ids of what was told, with the words: the same id has the same words. */
  words: Map<string, string>
  now: Date
}

const PIECES = 6

export function openWorld(): World {
  return {
    orders: new Map(),
    post: [],
    old: [],
    catalog: { free: PIECES, sold: 0, orders: new Map(), pieces: new Map() },
    payments: new Map(),
    words: new Map(),
    now: noon,
  }
}

function tell(world: World, outgoing: readonly Outgoing[]): void {
  for (const { topic, event } of outgoing) {
    const schema = topic === 'order-stock' ? orderStock.schema : orderPayment.schema
    schema.parse(event)
    const key = `${topic} ${event.id}`
    expect(world.words.get(key) ?? JSON.stringify(event)).toBe(JSON.stringify(event))
    world.words.set(key, JSON.stringify(event))
    world.post.push({ to: topic === 'order-stock' ? 'catalog' : 'payments', event })
  }
}

function decide(world: World, id: string, decision: Decision<Order>, dies: boolean): void {
  const before = world.orders.get(id)
  if (before !== undefined) isLegal(before, decision.next)
  world.orders.set(id, decision.next)
  if (!dies) tell(world, decision.tell)
}

const STEPS: Record<OrderStatus, OrderStatus[]> = {
  reserving: ['paying', 'releasing', 'cancelled'],
  paying: ['confirming', 'refunding', 'releasing'],
  confirming: ['confirmed', 'refunding'],
  confirmed: ['packed', 'refunding'],
  packed: ['shipped', 'refunding'],
  shipped: ['delivered'],
  delivered: [],
  refunding: ['releasing'],
  releasing: ['cancelled'],
  cancelled: [],
}

function isLegal(before: Order, after: Order): void {
  if (after === before) return
  expect(STEPS[before.status]).toContain(after.status)
  expect(steps(after).slice(0, before.timeline.length)).toEqual(steps(before))
  expect(new Set(steps(after)).size).toBe(after.timeline.length)
  orderView.parse(viewOrder(after))
}

/** `death`: whoever hears it dies after his write and before he tells, and it comes again. */
function deliver(world: World, letter: Letter, death: boolean): void {
  if (letter.to === 'catalog') answerStock(world, letter.event.data as OrderStock['data'])
  else if (letter.to === 'payments') answerPayment(world, letter.event.data as OrderPayment['data'])
  else {
    const data = letter.event.data as Answer
    const order = world.orders.get(data.orderId) ?? null
    const isPriced = data.answer === 'reserved' && order?.status === 'reserving'
    const heard = { data, hasInvoices: true, ...(isPriced && order && { price: priceOf(order) }) }
    decide(world, data.orderId, hearAnswer(order, heard, world.now), death)
  }
  if (death) world.post.push(letter)
}

function say(world: World, data: OrderStockResponse['data'] | OrderPaymentResponse['data'], at = 1): void {
  const isStock = !['paid', 'declined', 'refunded'].includes(data.answer)
  const schema = isStock ? orderStockResponse.schema : orderPaymentResponse.schema
  const topic = isStock ? 'order-stock-response' : 'order-payment-response'
  const source = isStock ? 'catalog' : 'payments'
  const event = schema.parse({
    specversion: '1.0',
    id: `${data.orderId}:${at}`,
    source,
    type: `${topic}.v1`,
    subject: data.orderId,
    time: noon.toISOString(),
    data,
  })
  world.post.push({ to: 'orders', event })
}

function answerStock(world: World, asked: OrderStock['data']): void {
  const { orderId } = asked
  switch (asked.ask) {
    case 'reserve':
      reserve(world, asked)
      break
    case 'confirm':
      if (world.catalog.orders.get(orderId) === 'held') moveStock(world, orderId, 'sold')
      if (world.catalog.orders.get(orderId) === 'sold') say(world, { answer: 'confirmed', orderId }, 2)
      else say(world, { answer: 'lost', orderId, reason: 'too late' }, 2)
      break
    case 'release':
      moveStock(world, orderId, 'gone')
      say(world, { answer: 'released', orderId }, 3)
  }
}

function reserve(world: World, { orderId, lines }: Extract<OrderStock['data'], { ask: 'reserve' }>): void {
  const { catalog } = world
  if (!catalog.orders.has(orderId)) {
    const wanted = lines.reduce((sum, { quantity }) => sum + quantity, 0)
    catalog.pieces.set(orderId, wanted)
    moveStock(world, orderId, wanted <= catalog.free ? 'held' : 'refused')
  }
  const state = catalog.orders.get(orderId)
  const isRefused = state === 'gone' || state === 'refused'
  if (isRefused) say(world, { answer: 'refused', orderId, reason: 'sold out' })
  else say(world, reservedFor(world.orders.get(orderId) as Order))
}

function moveStock({ catalog }: World, orderId: string, to: StockState): void {
  const pieces = catalog.pieces.get(orderId) ?? 0
  const from = catalog.orders.get(orderId)
  if (from === 'held' || from === 'sold') catalog.free += pieces
  if (from === 'sold') catalog.sold -= pieces
  if (to === 'held' || to === 'sold') catalog.free -= pieces
  if (to === 'sold') catalog.sold += pieces
  catalog.orders.set(orderId, to)
}

function answerPayment(world: World, asked: OrderPayment['data']): void {
  const { payments } = world
  const { orderId } = asked
  if (asked.ask === 'charge') {
    const money = payments.get(orderId) ?? charged(asked)
    payments.set(orderId, money)
    if (money.state === 'charged') say(world, { answer: 'paid', orderId, cents: money.cents })
    else say(world, { answer: 'declined', orderId, reason: 'no' })
  } else {
    const cents = payments.get(orderId)?.cents ?? 0
    payments.set(orderId, { state: 'refunded', cents })
    say(world, { answer: 'refunded', orderId, cents }, 2)
  }
}

function charged({ card, cents }: Extract<OrderPayment['data'], { ask: 'charge' }>): Money {
  return card === '4000000000000002' ? { state: 'declined', cents: 0 } : { state: 'charged', cents }
}

export type Move =
  | { do: 'place'; quantity: number; declines: boolean; agreed: boolean }
  | { do: 'deliver'; nth: number; death: boolean; twice: boolean }
  | { do: 'rush'; letters: number }
  | { do: 'repeat' | 'lapse' | 'cancel' | 'logistics'; nth: number }
  | { do: 'expire' }

const nth = fc.nat(1000)
const flag = fc.boolean()
const quantity = fc.integer({ min: 1, max: 4 })
const letters = fc.integer({ min: 1, max: 20 })

const weighted = [
  [3, fc.record({ do: fc.constant('place'), quantity, declines: flag, agreed: flag })],
  [12, fc.record({ do: fc.constant('deliver'), nth, death: flag, twice: flag })],
  [3, fc.record({ do: fc.constant('rush'), letters })],
  [2, fc.record({ do: fc.constant('repeat'), nth })],
  // Often: an order needs three of them for its last step.
  [9, fc.record({ do: fc.constant('logistics'), nth })],
  [2, fc.record({ do: fc.constantFrom('lapse', 'cancel'), nth })],
  [1, fc.constant({ do: 'expire' })],
] as const

export const moves = fc.array(
  fc.oneof(
    ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary: arbitrary as fc.Arbitrary<Move> })),
  ),
  { minLength: 10, maxLength: 120 },
)

type Does<M extends Move['do']> = (world: World, move: Move & { do: M }) => void

const does: { [M in Move['do']]: (world: World, move: never) => void } = {
  place: ((world, { quantity, declines, agreed }) => {
    const asked = placeWish.parse({
      ...wish(),
      card: declines ? '4000000000000002' : '4242424242424242',
      lines: [{ sku: 'LMP-0101', quantity }],
      ...(agreed && { agreedTotalCents: 1500 }),
    })
    const order = placeOrder(asked, PAY_WITHIN_MS, world.now)
    decide(world, order.id, { next: order, tell: askedBy(order) }, false)
  }) satisfies Does<'place'>,

  deliver: ((world, { nth, death, twice }) => {
    const [letter] = world.post.splice(nth % Math.max(1, world.post.length), 1)
    if (letter === undefined) return
    world.old.push(letter)
    deliver(world, letter, death)
    if (twice) deliver(world, letter, false)
  }) satisfies Does<'deliver'>,

  rush: ((world, { letters }) => {
    for (const letter of world.post.splice(0, letters)) deliver(world, letter, false)
  }) satisfies Does<'rush'>,

  repeat: ((world, { nth }) => {
    const letter = world.old[nth % Math.max(1, world.old.length)]
    if (letter !== undefined) deliver(world, letter, false)
  }) satisfies Does<'repeat'>,

  /** A reservation that nobody confirmed is over. */
  lapse: ((world, { nth }) => {
    const { id = '' } = anyOrder(world, nth) ?? {}
    if (world.catalog.orders.get(id) === 'held') moveStock(world, id, 'lost')
  }) satisfies Does<'lapse'>,

  cancel: ((world, { nth }) => {
    attempt(world, nth, (order) => cancelOrder(order, order, world.now))
  }) satisfies Does<'cancel'>,

  /** The later steps first, so that each order goes one step; the other two are refused. */
  logistics: ((world, { nth }) => {
    for (let order = nth; order < nth + world.orders.size; order += 1) {
      for (const step of logisticsStep.options.toReversed()) {
        attempt(world, order, (one) => advanceOrder(one, { id: one.id, step }, world.now))
      }
    }
  }) satisfies Does<'logistics'>,

  expire: ((world) => {
    world.now = new Date(world.now.getTime() + PAY_WITHIN_MS + 1)
    for (const [id, order] of world.orders) decide(world, id, expireOrder(order, world.now), false)
  }) satisfies Does<'expire'>,
}

export function move(world: World, one: Move): void {
  does[one.do](world, one as never)
}

function anyOrder({ orders }: World, nth: number): Order | undefined {
  return [...orders.values()][nth % Math.max(1, orders.size)]
}

function attempt(world: World, nth: number, decision: (order: Order) => Decision<Order>): void {
  const order = anyOrder(world, nth)
  if (order === undefined) return
  try {
    decide(world, order.id, decision(order), false)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

/** The post comes at last; who is dead by then is alive again. */
export function settle(world: World): void {
  const LETTERS_MAX = 20_000
  for (let count = 0; world.post.length > 0; count += 1) {
    if (count > LETTERS_MAX) throw new Error('they never stop talking')
    deliver(world, world.post.shift() as Letter, false)
  }
}

export const RESTING: readonly OrderStatus[] = ['confirmed', 'packed', 'shipped', 'delivered', 'cancelled']

export function isConserved({ orders, catalog, payments }: World): void {
  const all = [...orders.values()]
  for (const { id, status, quote } of all) {
    expect(RESTING).toContain(status)
    const isCancelled = status === 'cancelled'
    const money = payments.get(id)
    const kept = money?.state === 'charged' ? money.cents : 0
    expect([id, kept]).toEqual([id, isCancelled ? 0 : quote?.totalCents])
    expect([id, catalog.orders.get(id) === 'sold']).toEqual([id, !isCancelled])
  }
  const sold = all.filter(({ status }) => status !== 'cancelled').flatMap(({ lines }) => lines)
  expect(catalog.sold).toBe(sold.reduce((sum, { quantity }) => sum + quantity, 0))
  expect(catalog.free + catalog.sold).toBe(PIECES)
}
