import { setImmediate as turn } from 'node:timers/promises'
import { type OrderPayment, orderPayment } from '@tideshop/contracts/orders'
import { type TestCard, testCards } from '@tideshop/contracts/payments'
import type { Rows } from '@tideshop/kit/aggregates'
import type { Bus } from '@tideshop/kit/bus'
import type { Outgoing } from '@tideshop/kit/event'
import { memoryBus, memoryRows } from '@tideshop/kit/memory'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sweepStep } from '../src/app.ts'
import { pay } from '../src/pay.ts'
import { isIntent, type Payment } from '../src/payment.ts'
import type { Provider } from '../src/provider.ts'
import { type Entry, simulatedProvider } from '../src/simulated-provider.ts'
import { memoryPayments } from './memory-payments.ts'

const ids = Array.from({ length: 4 }, (_, n) => `01a1fbf0-32ed-7f9a-b994-00000000000${n}`)
const customerId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'

const quiet = quietParts('payments')

/** As the dice fall a call does not arrive, or its answer does not, or the process dies before it writes. */
function world(falls: readonly number[]) {
  const ledger = memoryRows<Entry>()
  const payments = memoryPayments()
  const bus = memoryBus()
  const slowBus: Bus = {
    async publish(outgoing) {
      for (let turns = 0; turns < fall(); turns += 1) await turn()
      return bus.publish(outgoing)
    },
  }
  const clock = { ms: 0 }
  const now = () => new Date(noon.getTime() + clock.ms)
  let fallen = 0
  let fair = false
  const fall = () => (fair ? 9 : (falls[fallen++ % falls.length] ?? 9))
  const real = simulatedProvider({ ledger, slowMs: 0, lateMs: 3000, now })

  async function call<T>(work: () => Promise<T>): Promise<T> {
    const dice = fall()
    for (let turns = 0; turns < dice; turns += 1) await turn()
    if (dice === 0) throw new Error('did not arrive')
    const answer = await work()
    if (dice === 1) throw new Error('no answer')
    for (let turns = 0; turns < dice; turns += 1) await turn()
    return answer
  }
  const provider: Provider = {
    charge: (charge) => call(() => real.charge(charge)),
    refund: (key) => call(() => real.refund(key)),
  }
  const mortal: Rows<Payment> = {
    read: payments.read,
    write(writes) {
      if (fall() === 2) throw new Error('died before it wrote')
      return payments.write(writes)
    },
  }
  const parts = { ...quiet, bus: slowBus, provider, now, payments: { ...payments, ...mortal } }
  return {
    parts,
    clock,
    payments,
    told: () => bus.told,
    ledger: (id: string) => ledger.read([id]).then(([row]) => row?.body.moves ?? []),
    rolled: () => {
      fair = true
    },
  }
}

const step = fc.record({
  order: fc.nat(ids.length - 1),
  what: fc.constantFrom('charge', 'charge', 'refund', 'sweep', 'again'),
  waitMs: fc.constantFrom(0, 0, 600, 4000),
  /** Replicas at the same time: the second sweeps, the third is at the same, the fourth is given the refund of the order. */
  replicas: fc.constantFrom(1, 1, 2, 3, 4),
})
const cards = fc.array(fc.constantFrom(...(Object.keys(testCards) as TestCard[])), {
  minLength: ids.length,
  maxLength: ids.length,
})

function eventOf(order: number, ask: string, card: TestCard | undefined): OrderPayment {
  const orderId = ids[order] as string
  const data = ask === 'charge' ? { ask, orderId, customerId, cents: 100 + order, card } : { ask, orderId }
  const time = noon.toISOString()
  return orderPayment.tell({ subject: orderId, version: 1, time, data: data as OrderPayment['data'] })
    .event as OrderPayment
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Lets it all happen, and then come to rest. What was told by the inbox. */
async function play(
  here: ReturnType<typeof world>,
  withCards: readonly TestCard[],
  steps: readonly Step[],
): Promise<Outgoing[]> {
  const told: Outgoing[] = []
  const asked: OrderPayment[] = []
  const hear = async (events: readonly OrderPayment[]) => {
    const results = await pay(here.parts, events).catch(() => [])
    told.push(...results.flatMap((result) => (result.outcome === 'done' ? result.tell : [])))
  }
  const live = (what: string, batch: readonly OrderPayment[]) =>
    what === 'sweep' ? sweepStep(here.parts).catch(() => false) : hear(batch)

  for (const { order, what, waitMs, replicas } of steps) {
    here.clock.ms += waitMs
    if (what === 'charge' || what === 'refund') asked.push(eventOf(order, what, withCards[order]))
    const batch = what === 'again' ? asked.slice(-3) : asked.slice(-1)
    const refund = eventOf(order, 'refund', undefined)
    if (replicas === 4) asked.push(refund)
    const others = [() => live('sweep', []), () => live(what, batch), () => live('refund', [refund])]
    await Promise.all([live(what, batch), ...others.slice(0, replicas - 1).map((other) => other())])
  }
  // The broker does not rest, nor does the sweep.
  here.rolled()
  await hear(asked)
  for (let tried = 0; tried < 3; tried += 1) {
    here.clock.ms += 60_000
    await sweepStep(here.parts)
  }
  return told
}

test('whatever fails, comes twice or at once, no money is made or lost, and what was told is true', async () => {
  const falls = fc.array(fc.nat(9), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(cards, fc.array(step, { maxLength: 25 }), falls, async (withCards, steps, dice) => {
      const here = world(dice)
      const told = [...(await play(here, withCards, steps)), ...here.told()]
      for (const id of ids) expectTrue(await here.ledger(id), told, id)
      // Only who is down is still being asked.
      const open = here.payments.all().filter(isIntent)
      expect(open.filter(({ charge }) => charge?.card !== '4000000000000119')).toEqual([])
    }),
    { numRuns: 1000 },
  )
}, 30_000)

type Moves = Awaited<ReturnType<ReturnType<typeof world>['ledger']>>

/** What was told of one order, against what the provider did. */
function expectTrue(moves: Moves, told: readonly Outgoing[], id: string): void {
  const sum = (kind: string) =>
    moves.filter((move) => move.kind === kind).reduce((all, { cents }) => all + cents, 0)
  const words = new Set(
    told
      .filter(({ event }) => event.subject === id)
      .map(({ event }) => JSON.stringify({ ...event, traceparent: '' })),
  )
  const said = [...words].map((text) => JSON.parse(text))
  expect(new Set(said.map((event) => event.id)).size).toBe(said.length)
  expect(moves.filter(({ kind }) => kind === 'charge').length).toBeLessThanOrEqual(1)
  const answers = new Map(said.map(({ data }) => [data.answer, data]))
  if (answers.has('paid')) expect(answers.get('paid').cents).toBe(sum('charge'))
  if (answers.has('declined')) expect(sum('charge')).toBe(0)
  if (answers.has('refunded')) {
    expect(answers.get('refunded').cents).toBe(sum('refund'))
    expect(sum('refund')).toBe(sum('charge'))
  } else expect(sum('refund')).toBe(0)
}
