import { type OrderPayment, orderPayment } from '@tideshop/contracts/orders'
import type { OrderPaymentResponse, TestCard } from '@tideshop/contracts/payments'
import { memoryBus, memoryRows } from '@tideshop/kit/memory'
import { testDatabase } from '@tideshop/kit/test/database'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { paymentsApp, sweepStep } from '../src/app.ts'
import { type Entry, simulatedProvider } from '../src/simulated-provider.ts'
import { mongoLedger, mongoPayments } from '../src/store.ts'
import { memoryPayments } from './memory-payments.ts'

const customerId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'
const orderId = '01a1fbf0-32ed-7f9a-b994-24953d0679b3'
const otherId = '01a1fbf0-32ed-7f9a-b994-24953d0679b4'
const approves = '4242424242424242'
const declines = '4000000000000002'
const poor = '4000000000009995'
const slow = '4000000000000259'
const twice = '4000000000000341'
const late = '4000000000000408'
const down = '4000000000000119'
const LATE_MS = 20_000
const database = testDatabase()

async function inMemory() {
  return { payments: memoryPayments(), ledger: memoryRows<Entry>() }
}

async function inTheDatabase() {
  await database().dropDatabase()
  const payments = mongoPayments(database())
  await payments.prepare()
  return { payments, ledger: mongoLedger(database()) }
}

function shopWith(
  { payments, ledger }: Awaited<ReturnType<typeof inMemory | typeof inTheDatabase>>,
  bus = memoryBus(),
) {
  const clock = { ms: 0 }
  const now = () => new Date(noon.getTime() + clock.ms)
  const provider = simulatedProvider({ ledger, slowMs: 1500, lateMs: LATE_MS, now })
  const parts = { ...quietParts('payments', bus), payments, provider, now }
  const app = paymentsApp(parts)

  const answersSince = (before: number) =>
    bus.told
      .slice(before)
      .map(({ event }) => ({ id: event.id, ...(event.data as OrderPaymentResponse['data']) }))

  return {
    clock,
    bus,
    payments,
    ledger,
    async statuses(...asks: OrderPayment['data'][]): Promise<string[]> {
      const { body } = await request(app)
        .post('/events/order-payment')
        .send(delivery(...asks.map(tell)))
      return body.statuses.map(({ status }: { status: string }) => status)
    },
    /** What is told while these are heard. */
    async hear(...asks: OrderPayment['data'][]) {
      const before = bus.told.length
      expect(new Set(await this.statuses(...asks))).toEqual(new Set(['SUCCESS']))
      return answersSince(before)
    },
    /** What is told when so much time has passed. */
    async sweepAfter(ms: number) {
      const before = bus.told.length
      clock.ms += ms
      await sweepStep(parts)
      return answersSince(before)
    },
    async moves(id = orderId) {
      const [entry] = await ledger.read([id])
      return (entry?.body.moves ?? []).map(({ kind, cents }) => `${kind} ${cents}`)
    },
  }
}

function tell(data: OrderPayment['data']) {
  return orderPayment.tell({ subject: data.orderId, version: 1, time: noon.toISOString(), data }).event
}

function charge(card: TestCard, cents = 4711, id = orderId): OrderPayment['data'] {
  return { ask: 'charge', orderId: id, customerId, cents, card }
}
const refund: OrderPayment['data'] = { ask: 'refund', orderId }

const paid = { id: `${orderId}:1`, answer: 'paid', orderId, cents: 4711 }
const refunded = { id: `${orderId}:2`, answer: 'refunded', orderId }

describe.each([
  ['in memory', inMemory],
  ['in the database', inTheDatabase],
])('payments %s', (_where, open) => {
  const shop = async () => shopWith(await open())

  test('a card that approves is charged once, however often it is asked', async () => {
    const here = await shop()
    expect(await here.hear(charge(approves), charge(approves))).toEqual([paid, paid])
    expect(await here.hear(charge(approves))).toEqual([paid])
    expect(await here.moves()).toEqual(['charge 4711'])
    expect(await here.sweepAfter(60_000)).toEqual([])
  })

  test.each([
    [declines, /declined/],
    [poor, /too little money/],
  ] as const)('card %s is declined with a reason, and gives back nothing', async (card, reason) => {
    const here = await shop()
    const [answer] = await here.hear(charge(card))
    expect(answer).toMatchObject({
      id: `${orderId}:1`,
      answer: 'declined',
      reason: expect.stringMatching(reason),
    })
    expect(await here.hear(refund)).toEqual([{ ...refunded, cents: 0 }])
    expect(await here.moves()).toEqual([])
  })

  test('what was charged is given back once, and both are told again in the same words', async () => {
    const here = await shop()
    await here.hear(charge(approves))
    expect(await here.hear(refund, refund)).toEqual(Array(2).fill({ ...refunded, cents: 4711 }))
    expect(await here.hear(charge(approves), refund)).toEqual([paid, { ...refunded, cents: 4711 }])
    expect(await here.moves()).toEqual(['charge 4711', 'refund 4711'])
  })

  test('a refund that overtakes its charge makes sure that it never comes', async () => {
    const here = await shop()
    expect(await here.hear(refund)).toEqual([{ ...refunded, cents: 0 }])
    expect(await here.hear(charge(approves))).toEqual([{ ...refunded, cents: 0 }])
    expect(await here.moves()).toEqual([])
  })

  test('a charge and its refund in one batch charge nobody', async () => {
    const here = await shop()
    expect(await here.hear(charge(approves), refund)).toEqual(Array(2).fill({ ...refunded, cents: 0 }))
    expect(await here.moves()).toEqual([])
  })

  test('an order that costs nothing is paid without the provider', async () => {
    const here = await shop()
    expect(await here.hear(charge(down, 0))).toEqual([{ ...paid, cents: 0 }])
    expect(await here.ledger.read([orderId])).toEqual([])
    expect(await here.hear(refund)).toEqual([{ ...refunded, cents: 0 }])
  })

  test('another amount for the same order is put aside', async () => {
    const here = await shop()
    await here.hear(charge(approves))
    await here.statuses(charge(approves, 1))
    expect(here.bus.told.at(-1)).toMatchObject({ topic: 'order-payment.dead' })
    expect(await here.moves()).toEqual(['charge 4711'])
  })

  test('a provider that says yes twice is told of twice, with one id, and charges once', async () => {
    const here = await shop()
    expect(await here.hear(charge(twice))).toEqual([paid])
    expect(await here.sweepAfter(1000)).toEqual([])
    expect(await here.sweepAfter(2000)).toEqual([paid])
    expect(await here.sweepAfter(60_000)).toEqual([])
    expect(await here.moves()).toEqual(['charge 4711'])
  })

  test('a provider that is late is told of when it tells', async () => {
    const here = await shop()
    expect(await here.hear(charge(late), charge(approves, 1, otherId))).toMatchObject([
      { id: `${otherId}:1` },
    ])
    expect(await here.sweepAfter(LATE_MS - 1)).toEqual([])
    expect(await here.sweepAfter(1)).toEqual([paid])
    expect(await here.moves()).toEqual(['charge 4711'])
    expect(await here.sweepAfter(60_000)).toEqual([])
  })

  test('a refund while the provider is late charges nobody', async () => {
    const here = await shop()
    await here.hear(charge(late))
    expect(await here.hear(refund)).toEqual([{ ...refunded, cents: 0 }])
    expect(await here.sweepAfter(2 * LATE_MS)).toEqual([])
    expect(await here.moves()).toEqual([])
  })

  test('a provider that is down holds up nobody, is asked less and less often, and is ended by a refund', async () => {
    const here = await shop()
    expect(await here.hear(charge(down), charge(approves, 1, otherId))).toMatchObject([
      { id: `${otherId}:1` },
    ])
    const triesAfter = async (ms: number) => {
      expect(await here.sweepAfter(ms)).toEqual([])
      return (await here.payments.read([orderId]))[0]?.body.tries
    }
    expect(await triesAfter(500)).toBe(2)
    expect(await triesAfter(500)).toBe(2)
    expect(await triesAfter(500)).toBe(3)
    expect(await here.hear(refund)).toEqual([{ ...refunded, cents: 0 }])
    expect(await here.sweepAfter(600_000)).toEqual([])
    expect(await here.moves()).toEqual([])
  })

  test('a provider that is slow does not hold up the batch for as long as it needs, and is told of later', async () => {
    const here = await shop()
    expect(await here.hear(charge(slow), charge(approves, 1, otherId))).toMatchObject([
      { id: `${otherId}:1` },
    ])
    expect(await here.sweepAfter(500)).toEqual([paid])
    expect(await here.moves()).toEqual(['charge 4711'])
  })
})

test('what a sweep cannot tell it tells later', async () => {
  let away = true
  const books = await inMemory()
  const here = shopWith(
    books,
    memoryBus(() => away),
  )
  expect(await here.statuses(charge(late))).toEqual(['SUCCESS'])
  expect(await here.sweepAfter(LATE_MS)).toEqual([])
  away = false
  expect(await here.sweepAfter(0)).toEqual([paid])
  expect(await here.sweepAfter(0)).toEqual([])
})

test('what the inbox cannot tell comes again', async () => {
  let away = true
  const here = shopWith(
    await inMemory(),
    memoryBus(() => away),
  )
  expect(await here.statuses(charge(approves))).toEqual(['RETRY'])
  away = false
  expect(await here.hear(charge(approves))).toEqual([paid])
  expect(await here.moves()).toEqual(['charge 4711'])
})
