import type { ReservationView } from '@tideshop/contracts/catalog'
import { Refusal } from '@tideshop/kit/refusal'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  confirm,
  expire,
  FINISHED_MAX,
  HELD_MAX,
  nextExpiry,
  openStock,
  release,
  reserve,
  restock,
  type Stock,
  viewStock,
} from './stock.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const ttlMs = 60_000

function after(ms: number): Date {
  return new Date(noon.getTime() + ms)
}

function held(pieces = 10, id = 'r-1', count = 2): Stock {
  return reserve(openStock(pieces), { id, count, ttlMs }, noon).next
}

test('what is reserved is not free, and not sold either', () => {
  const { next, answer } = reserve(openStock(10), { id: 'r-1', count: 2, ttlMs }, noon)
  expect(answer.reservation).toEqual({
    id: 'r-1',
    count: 2,
    state: 'held',
    until: after(ttlMs).toISOString(),
  })
  expect(viewStock(next)).toEqual({ free: 8, held: 2, sold: 0, received: 10 })
})

test('more than there is is refused, and takes nothing', () => {
  expect(() => reserve(openStock(1), { id: 'r-1', count: 2, ttlMs }, noon)).toThrow('only 1 are left')
  expect(() => reserve(openStock(0), { id: 'r-1', count: 1, ttlMs }, noon)).toThrow('sold out')
})

test('reserving twice is reserving once, in the same words', () => {
  const stock = held()
  const again = reserve(stock, { id: 'r-1', count: 2, ttlMs: 1000 }, after(500))
  expect(again.next).toBe(stock)
  expect(again.answer).toEqual(reserve(openStock(10), { id: 'r-1', count: 2, ttlMs }, noon).answer)
  expect(() => reserve(stock, { id: 'r-1', count: 3, ttlMs }, noon)).toThrow(/something else/)
})

test('what was confirmed is sold, once', () => {
  const { next, answer } = confirm(held(), { id: 'r-1' }, noon)
  expect(viewStock(next)).toEqual({ free: 8, held: 0, sold: 2, received: 10 })
  expect(confirm(next, { id: 'r-1' }, after(2 * ttlMs))).toEqual({ next, answer })
})

test('what was sold can come back, once, and then is neither held nor sold again', () => {
  const { next, answer } = release(confirm(held(), { id: 'r-1' }, noon).next, { id: 'r-1' }, noon)
  expect(viewStock(next)).toEqual({ free: 10, held: 0, sold: 0, received: 10 })
  expect(release(next, { id: 'r-1', sold: 2 }, noon)).toEqual({ next, answer })
  expect(() => confirm(next, { id: 'r-1' }, noon)).toThrow(/returned/)
  expect(() => reserve(next, { id: 'r-1', count: 2, ttlMs }, noon)).toThrow(/returned/)
})

test('what was sold so long ago that it is forgotten comes back by the books of whoever asks, and once', () => {
  let stock = openStock(2 * FINISHED_MAX)
  for (let index = 0; index <= FINISHED_MAX; index += 1) {
    const id = `r-${index}`
    stock = confirm(reserve(stock, { id, count: 1, ttlMs }, noon).next, { id }, noon).next
  }
  expect(viewStock(release(stock, { id: 'r-0' }, noon).next)).toMatchObject({ sold: FINISHED_MAX + 1 })
  const { next } = release(stock, { id: 'r-0', sold: 1 }, noon)
  expect(viewStock(next)).toMatchObject({ sold: FINISHED_MAX })

  // However many others are sold meanwhile, it is not forgotten again.
  let later = next
  for (let index = 0; index <= FINISHED_MAX; index += 1)
    later = release(later, { id: `x-${index}` }, noon).next
  expect(release(later, { id: 'r-0', sold: 1 }, noon).next).toBe(later)
  expect(later.finished.length).toBeLessThanOrEqual(2 * FINISHED_MAX)
})

test('more than was sold cannot come back', () => {
  expect(() => release(openStock(3), { id: 'r-1', sold: 1 }, noon)).toThrow(/only 0 were sold/)
})

test('what was released is free again, once, and cannot be confirmed any more', () => {
  const { next, answer } = release(held(), { id: 'r-1' }, noon)
  expect(viewStock(next)).toEqual({ free: 10, held: 0, sold: 0, received: 10 })
  expect(release(next, { id: 'r-1' }, noon)).toEqual({ next, answer })
  expect(() => confirm(next, { id: 'r-1' }, noon)).toThrow(/released/)
  expect(() => reserve(next, { id: 'r-1', count: 2, ttlMs }, noon)).toThrow(/released/)
})

test('a release that overtakes its reservation makes sure that it never holds', () => {
  const { next } = release(openStock(10), { id: 'r-1' }, noon)
  expect(() => reserve(next, { id: 'r-1', count: 2, ttlMs }, noon)).toThrow(/released/)
  expect(viewStock(next).free).toBe(10)
})

test('a reservation that nobody confirmed is over at its time, whether or not anybody looked', () => {
  expect(viewStock(expire(held(), after(ttlMs - 1))).held).toBe(2)
  expect(viewStock(expire(held(), after(ttlMs)))).toEqual({ free: 10, held: 0, sold: 0, received: 10 })
  expect(() => confirm(held(), { id: 'r-1' }, after(ttlMs))).toThrow(/expired/)
  expect(reserve(held(2), { id: 'r-2', count: 2, ttlMs }, after(ttlMs)).answer.reservation.state).toBe('held')
})

test('the alarm is wanted for the first that expires, and for nobody when none is held', () => {
  const two = reserve(held(), { id: 'r-2', count: 1, ttlMs: 5000 }, noon).next
  expect(nextExpiry(two)).toBe(after(5000).toISOString())
  expect(nextExpiry(openStock(3))).toBeNull()
})

test('a delivery counts once', () => {
  const { next, answer } = restock(openStock(1), { id: 'd-1', count: 5 }, noon)
  expect(viewStock(next)).toMatchObject({ free: 6, received: 6 })
  expect(restock(next, { id: 'd-1', count: 5 }, noon)).toEqual({ next, answer })
  expect(() => restock(next, { id: 'd-1', count: 6 }, noon)).toThrow(/something else/)
  expect(() => reserve(next, { id: 'd-1', count: 1, ttlMs }, noon)).toThrow(/something else/)
  expect(() => release(next, { id: 'd-1' }, noon)).toThrow(/something else/)
})

test('what nobody reserved cannot be confirmed', () => {
  expect(() => confirm(openStock(3), { id: 'r-9' }, noon)).toThrow(/no reservation/)
})

test('reservations at once have a bound, which is said to be of the moment', () => {
  let stock = openStock(2 * HELD_MAX)
  for (let index = 0; index < HELD_MAX; index += 1) {
    stock = reserve(stock, { id: `r-${index}`, count: 1, ttlMs }, noon).next
  }
  expect(() => reserve(stock, { id: 'one more', count: 1, ttlMs }, noon)).toThrow(/too many/)
})

/** What anybody may ask, at any time and again: few ids, so that they meet. */
const wish = fc.record({
  method: fc.constantFrom('reserve', 'confirm', 'release', 'restock', 'look'),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  count: fc.integer({ min: 1, max: 4 }),
  ttlMs: fc.integer({ min: 1000, max: 5000 }),
  waitMs: fc.integer({ min: 0, max: 2000 }),
})
type Wish = typeof wish extends fc.Arbitrary<infer W> ? W : never

type Said = { reservation?: ReservationView; delivery?: object } | { refused: string }

function asked(stock: Stock, { method, ...rest }: Wish, now: Date): { next: Stock; said: Said } {
  try {
    const { next, answer } = decisionFor(stock, method, rest, now)
    return { next, said: answer }
  } catch (error) {
    if (error instanceof Refusal) return { next: stock, said: { refused: error.message } }
    throw error
  }
}

function decisionFor(stock: Stock, method: string, wish: Omit<Wish, 'method'>, now: Date) {
  if (method === 'reserve') return reserve(stock, wish, now)
  if (method === 'confirm') return confirm(stock, wish, now)
  if (method === 'release') return release(stock, wish, now)
  if (method === 'restock') return restock(stock, wish, now)
  return { next: expire(stock, now), answer: {} }
}

function noteSold(sold: Map<string, number>, { id, count, state }: ReservationView): void {
  if (state === 'confirmed') sold.set(id, count)
  if (state === 'returned') sold.delete(id)
}

test('in any order and with any repetition no piece is lost, made or sold twice', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.array(wish, { maxLength: 60 }), (opening, wishes) => {
      let stock = openStock(opening)
      let at = 0
      const sold = new Map<string, number>()
      let delivered = 0
      const deliveries = new Set<string>()
      for (const one of wishes) {
        at += one.waitMs
        const { next, said } = asked(stock, one, after(at))
        const view = viewStock(next)
        expect(Math.min(...Object.values(view))).toBeGreaterThanOrEqual(0)
        expect(view.free + view.held + view.sold).toBe(view.received)

        // Only a wish that was granted moves anything, and each id once.
        if ('reservation' in said && said.reservation) noteSold(sold, said.reservation)
        if ('delivery' in said && !deliveries.has(one.id)) {
          deliveries.add(one.id)
          delivered += one.count
        }
        expect(view.received).toBe(opening + delivered)
        expect(view.sold).toBe([...sold.values()].reduce((total, count) => total + count, 0))
        stock = next
      }
    }),
    { numRuns: 2000 },
  )
})

test('a repeat of any wish, at once, says the same and changes nothing', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.array(wish, { minLength: 1, maxLength: 40 }), (opening, wishes) => {
      let stock = openStock(opening)
      let at = 0
      for (const one of wishes) {
        at += one.waitMs
        const first = asked(stock, one, after(at))
        const second = asked(first.next, one, after(at))
        expect(second).toEqual(first)
        stock = first.next
      }
    }),
    { numRuns: 1000 },
  )
})

test('however long it goes on, a state stays small', () => {
  let stock = openStock(3 * FINISHED_MAX)
  for (let index = 0; index < 3 * FINISHED_MAX; index += 1) {
    const id = `r-${index}`
    stock = confirm(reserve(stock, { id, count: 1, ttlMs }, noon).next, { id }, noon).next
  }
  expect(stock.finished).toHaveLength(FINISHED_MAX)
  expect(viewStock(stock)).toMatchObject({ free: 0, sold: 3 * FINISHED_MAX })
  // The newest are those that may still be asked for again.
  expect(confirm(stock, { id: `r-${3 * FINISHED_MAX - 1}` }, noon).next).toBe(stock)
})
