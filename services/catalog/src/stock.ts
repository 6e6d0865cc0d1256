import type { ReservationView, StockView, StockWish } from '@tideshop/contracts/catalog'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * The stock of one good: pieces that came, pieces that were sold, and reservations between the two.
 *
 *     reserve → held ── confirm → confirmed ── release → returned    free again
 *                   ├── release → released                           free again
 *                   └── `until` → expired                            free again
 *
 * Whatever is asked carries an id, and asking twice is asking once. What is over is remembered for a while, so that a late
 * repeat finds its answer; the oldest is forgotten first. That memory covers the seconds until whoever asked has written down
 * what he was told (allocation.ts). Each decision begins by ending what has expired, so a reservation is over at its time,
 * whether or not an alarm went off.
 */

/**
 * Finished reservations and deliveries that are remembered; some 90 bytes each in a state that every turn reads. As many of those
 * that came back after they were sold, which the others do not crowd out: forgotten too soon, their pieces would come back twice.
 */
export const FINISHED_MAX = 500
/** Reservations at the same time. */
export const HELD_MAX = 1000

export type Held = { id: string; count: number; until: string }
export type Finished = {
  id: string
  count: number
  state: 'confirmed' | 'released' | 'returned' | 'expired' | 'delivered'
}

export type Stock = {
  /** All that ever came, and all that was ever sold, in pieces. */
  received: number
  sold: number
  held: readonly Held[]
  /** The newest last. */
  finished: readonly Finished[]
}

/** What the stock becomes, and what whoever asked is told. `next === current` changes nothing. */
export type StockDecision<A> = { next: Stock; answer: A }
type Reserved = { reservation: ReservationView }
type Delivered = { delivery: { id: string; count: number } }

export function openStock(received: number): Stock {
  return { received, sold: 0, held: [], finished: [] }
}

export function viewStock({ received, sold, held }: Stock): StockView {
  const reserved = sum(held)
  return { free: received - sold - reserved, held: reserved, sold, received }
}

export function reserve(
  current: Stock,
  { id, count, ttlMs }: StockWish<'reserve'>,
  now: Date,
): StockDecision<Reserved> {
  const stock = expire(current, now)
  const known = heldAs(stock, id) ?? finishedAs(stock, id)
  if (known !== undefined) return reservedAgain(stock, known, count)
  const { free } = viewStock(stock)
  if (free < count) throw new Refusal('conflict', free === 0 ? 'sold out' : `only ${free} are left`)
  if (stock.held.length >= HELD_MAX) throw new Refusal('unavailable', 'too many reservations at once')

  const held = { id, count, until: new Date(now.getTime() + ttlMs).toISOString() }
  return { next: { ...stock, held: [...stock.held, held] }, answer: { reservation: viewHeld(held) } }
}

export function confirm(current: Stock, { id }: StockWish<'confirm'>, now: Date): StockDecision<Reserved> {
  const stock = expire(current, now)
  const held = heldAs(stock, id)
  if (held !== undefined) {
    return endedWith(
      { ...stock, sold: stock.sold + held.count },
      { id, count: held.count, state: 'confirmed' },
    )
  }
  const finished = finishedAs(stock, id)
  if (finished === undefined) throw new Refusal('not-found', `there is no reservation ${id}`)
  if (finished.state !== 'confirmed') throw new Refusal('conflict', `the reservation is ${finished.state}`)
  return { next: stock, answer: { reservation: viewFinished(finished) } }
}

export function release(
  current: Stock,
  { id, sold: soldByHisBooks }: StockWish<'release'>,
  now: Date,
): StockDecision<Reserved> {
  const stock = expire(current, now)
  const finished = finishedAs(stock, id)
  if (finished?.state === 'confirmed') return takenBack(stock, id, finished.count)
  if (finished !== undefined) return { next: stock, answer: { reservation: viewFinished(finished) } }
  const held = heldAs(stock, id)
  if (held === undefined && soldByHisBooks !== undefined) return takenBack(stock, id, soldByHisBooks)
  // Of one that is not there nothing was taken. Remembered all the same: its `reserve` may come later, and must not hold.
  return endedWith(stock, { id, count: held?.count ?? 0, state: 'released' })
}

export function restock(
  current: Stock,
  { id, count }: StockWish<'restock'>,
  now: Date,
): StockDecision<Delivered> {
  const stock = expire(current, now)
  const known = heldAs(stock, id) ?? finishedAs(stock, id)
  if (known === undefined) {
    const next = ended({ ...stock, received: stock.received + count }, { id, count, state: 'delivered' })
    return { next, answer: { delivery: { id, count } } }
  }
  if (!('state' in known) || known.state !== 'delivered' || known.count !== count) throw reused(id)
  return { next: stock, answer: { delivery: { id, count } } }
}

/** Gives back what was reserved and not confirmed in time. */
export function expire(current: Stock, now: Date): Stock {
  const over = current.held.filter(({ until }) => until <= now.toISOString())
  return over.reduce((stock, { id, count }) => ended(stock, { id, count, state: 'expired' }), current)
}

/** When the next reservation expires; null when none is held. */
export function nextExpiry({ held }: Stock): string | null {
  return held.reduce<string | null>(
    (first, { until }) => (first === null || until < first ? until : first),
    null,
  )
}

function reservedAgain(stock: Stock, known: Held | Finished, count: number): StockDecision<Reserved> {
  if (!('state' in known)) {
    if (known.count !== count) throw reused(known.id)
    return { next: stock, answer: { reservation: viewHeld(known) } }
  }
  if (known.state === 'delivered') throw reused(known.id)
  // Confirmed is the only end of which a repeated `reserve` may still say yes: whoever repeats believes to hold pieces.
  if (known.state !== 'confirmed') throw new Refusal('conflict', `the reservation is ${known.state}`)
  if (known.count !== count) throw reused(known.id)
  return { next: stock, answer: { reservation: viewFinished(known) } }
}

function takenBack(stock: Stock, id: string, count: number): StockDecision<Reserved> {
  if (stock.sold < count) throw new Refusal('conflict', `only ${stock.sold} were sold`)
  return endedWith({ ...stock, sold: stock.sold - count }, { id, count, state: 'returned' })
}

/** It is held no more, and remembered as it ended last. */
function ended(stock: Stock, finished: Finished): Stock {
  const held = stock.held.filter(({ id }) => id !== finished.id)
  const before = stock.finished.filter(({ id }) => id !== finished.id)
  return { ...stock, held, finished: remembered([...before, finished]) }
}

/** At most one is too many, as one was added. */
function remembered(finished: readonly Finished[]): readonly Finished[] {
  const cameBack = finished.at(-1)?.state === 'returned'
  const alike = finished.filter(({ state }) => (state === 'returned') === cameBack)
  if (alike.length <= FINISHED_MAX) return finished
  return finished.filter((one) => one !== alike[0])
}

function endedWith(stock: Stock, finished: Finished): StockDecision<Reserved> {
  return { next: ended(stock, finished), answer: { reservation: viewFinished(finished) } }
}

function heldAs({ held }: Stock, wanted: string): Held | undefined {
  return held.find(({ id }) => id === wanted)
}

function finishedAs({ finished }: Stock, wanted: string): Finished | undefined {
  return finished.find(({ id }) => id === wanted)
}

function viewHeld({ id, count, until }: Held): ReservationView {
  return { id, count, state: 'held', until }
}

function viewFinished({ id, count, state }: Finished): ReservationView {
  if (state === 'delivered') throw reused(id)
  return { id, count, state }
}

function reused(id: string): Refusal {
  return new Refusal('key-reused', `${id} stands for something else`)
}

function sum(held: readonly Held[]): number {
  return held.reduce((pieces, { count }) => pieces + count, 0)
}
