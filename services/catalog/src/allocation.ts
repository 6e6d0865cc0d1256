import { type GoodView, type OrderStockResponse, orderStockResponse } from '@tideshop/contracts/catalog'
import type { OrderStock } from '@tideshop/contracts/orders'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { allowanceId } from './allowance.ts'

/**
 * What one order has of the stock: the books of catalog, which know it for good; an actor remembers for a while only.
 *
 *     reserving → reserved → confirming → confirmed
 *         │          │           │            │
 *         └──────────┴─ giving-back ──────────┘     refused, lost or released
 *                            └→ given-back
 *
 * The stages that end in -ing are intents, written before any actor is asked: whoever dies in between finds them when the
 * message comes again, and goes on. There is no way back, and no stage comes twice, so of two replicas at one order the
 * slower finds that it has moved on. An ask is answered only at rest, and what was said once is said again in the same words.
 */
export type Allocation = {
  /** The order. */
  id: string
  /** As they were asked, with the price of that time; none when something else came before `reserve`. */
  lines: readonly Line[]
  /** By what was asked. */
  said: Partial<Record<Ask, Said>>
} & (
  | { stage: 'reserving'; ttlMs: number }
  | { stage: 'reserved' | 'confirming' | 'confirmed' | 'given-back' }
  /** `skus`: whose stock may have pieces of it. `sold`: all of them were confirmed. */
  | { stage: 'giving-back'; skus: readonly string[]; sold: boolean }
)

export type Line = {
  sku: string
  name: string
  unitPriceCents: number
  quantity: number
  /** Where its price is that of a sale: what the customer may have of it. */
  allowance?: { id: string; title: string; max: number }
}

type Ask = OrderStock['data']['ask']
type Said = { answer: OrderStockResponse['data']['answer']; at: string; reason?: string }

/** What came of an intent; `no`: why it failed, and what has to be given back. */
export type Outcome = {
  id: string
  stage: Allocation['stage']
  no?: { reason: string; giveBack: readonly string[] }
}

const TAKEN_BACK = 'the order has been taken back'
const NEVER_RESERVED = 'nothing was reserved for this order'

/** Hears `order-stock`. `goods` has those of all lines that there are. */
export function hearAsk(
  current: Allocation | null,
  { data }: OrderStock,
  goods: ReadonlyMap<string, GoodView>,
  now: Date,
): Decision<Allocation> {
  const at = now.toISOString()
  const next = data.ask === 'reserve' && current === null ? begin(data, goods, at) : asked(current, data, at)
  return { next, tell: [] }
}

type ReserveAsk = Extract<OrderStock['data'], { ask: 'reserve' }>

function begin(
  { orderId, customerId, ttlMs, lines }: ReserveAsk,
  goods: ReadonlyMap<string, GoodView>,
  at: string,
): Allocation {
  const unknown = lines.find(({ sku }) => !goods.has(sku))
  if (unknown !== undefined) {
    const reserve: Said = { answer: 'refused', at, reason: `there is no good ${unknown.sku}` }
    return { id: orderId, lines: [], said: { reserve }, stage: 'given-back' }
  }
  const priced = lines.map(({ sku, quantity }) => lineOf(goods.get(sku) as GoodView, quantity, customerId))
  return { id: orderId, lines: priced, said: {}, stage: 'reserving', ttlMs }
}

function lineOf({ sku, name, priceCents, sale }: GoodView, quantity: number, customerId: string): Line {
  if (sale === undefined) return { sku, name, unitPriceCents: priceCents, quantity }
  const { id, title, perCustomerMax: max } = sale
  const allowance = { id: allowanceId(id, customerId), title, max }
  return { sku, name, unitPriceCents: sale.priceCents, quantity, allowance }
}

function asked(
  current: Allocation | null,
  { orderId, ask }: { orderId: string; ask: Ask },
  at: string,
): Allocation {
  // It came before its `reserve`, which from now on can only be refused.
  if (current === null)
    return answered({ id: orderId, lines: [], said: {}, stage: 'given-back' }, ask, at, NEVER_RESERVED)
  if (current.said[ask] !== undefined) return current
  if (current.stage === 'giving-back' || current.stage === 'given-back') {
    return answered(current, ask, at, TAKEN_BACK)
  }
  if (ask === 'release') return released(current, at)
  return ask === 'confirm' && current.stage === 'reserved' ? { ...current, stage: 'confirming' } : current
}

/** What was asked before and not yet answered ends with it. */
function released(current: Allocation, at: string): Allocation {
  const next = answered(givingBack(current, skusOf(current)), 'release', at)
  if (current.stage === 'reserving') return answered(next, 'reserve', at)
  return current.stage === 'confirming' ? answered(next, 'confirm', at) : next
}

/** What is true of an order that holds nothing, or soon will hold nothing. */
function answered(allocation: Allocation, ask: Ask, at: string, reason?: string): Allocation {
  const said: Record<Ask, Said> = {
    reserve: { answer: 'refused', at, reason: reason ?? TAKEN_BACK },
    confirm: { answer: 'lost', at, reason: reason ?? TAKEN_BACK },
    release: { answer: 'released', at },
  }
  return { ...allocation, said: { ...allocation.said, [ask]: said[ask] } }
}

function givingBack({ id, lines, said, stage }: Allocation, skus: readonly string[]): Allocation {
  return { id, lines, said, stage: 'giving-back', skus, sold: stage === 'confirmed' }
}

/** Takes down what came of an intent, unless somebody else was faster. */
export function noteOutcome(current: Allocation | null, outcome: Outcome, now: Date): Decision<Allocation> {
  if (current === null) throw new Error(`there is no allocation ${outcome.id}`)
  return { next: current.stage === outcome.stage ? after(current, outcome, now) : current, tell: [] }
}

function after(current: Allocation, { no }: Outcome, now: Date): Allocation {
  const { id, lines, said } = current
  const at = now.toISOString()
  if (current.stage === 'reserving') {
    if (no === undefined)
      return { id, lines, said: { ...said, reserve: { answer: 'reserved', at } }, stage: 'reserved' }
    return answered(givingBack(current, no.giveBack), 'reserve', at, no.reason)
  }
  if (current.stage === 'confirming') {
    if (no === undefined)
      return { id, lines, said: { ...said, confirm: { answer: 'confirmed', at } }, stage: 'confirmed' }
    return answered(givingBack(current, no.giveBack), 'confirm', at, no.reason)
  }
  return { id, lines, said, stage: 'given-back' }
}

/** What there is to be done. */
export function isIntent({ stage }: Allocation): boolean {
  return stage === 'reserving' || stage === 'confirming' || stage === 'giving-back'
}

/** Null as long as there is none. */
export function answerTo(allocation: Allocation, ask: Ask): Outgoing | null {
  const said = allocation.said[ask]
  if (said === undefined || isIntent(allocation)) return null
  return orderStockResponse.tell({
    subject: allocation.id,
    version: VERSION[ask],
    time: said.at,
    data: dataOf(allocation, said),
  })
}

/** Each ask has one answer, so each answer has its number. */
const VERSION: Record<Ask, number> = { reserve: 1, confirm: 2, release: 3 }

function dataOf(
  { id: orderId, lines }: Allocation,
  { answer, reason = '' }: Said,
): OrderStockResponse['data'] {
  if (answer === 'refused' || answer === 'lost') return { answer, orderId, reason }
  if (answer !== 'reserved') return { answer, orderId }
  const shown = lines.map(({ sku, name, unitPriceCents, quantity }) => ({
    sku,
    name,
    unitPriceCents,
    quantity,
  }))
  return { answer, orderId, lines: shown }
}

export type Pieces = Pick<Line, 'sku' | 'name' | 'allowance'> & { count: number }

/**
 * Pieces by good. In the order of their names, in which all orders ask for them: of two orders that want the same few goods
 * one gets all of them, and not each of them some.
 */
export function goodsOf({ lines }: Allocation): Pieces[] {
  const bySku = Map.groupBy(lines, ({ sku }) => sku)
  return [...bySku.entries()]
    .map(([sku, alike]) => {
      const { name, allowance } = alike[0] as Line
      const count = alike.reduce((sum, { quantity }) => sum + quantity, 0)
      return { sku, name, count, ...(allowance && { allowance }) }
    })
    .sort((one, other) => (one.sku < other.sku ? -1 : 1))
}

export function skusOf({ lines }: Allocation): string[] {
  return [...new Set(lines.map(({ sku }) => sku))]
}
