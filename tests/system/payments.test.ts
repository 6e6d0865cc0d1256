import { randomUUIDv7 } from 'node:crypto'
import { orderPayment } from '@tideshop/contracts/orders'
import { orderPaymentResponse, type TestCard, testCards } from '@tideshop/contracts/payments'
import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { deaths } from './deaths.ts'
import { openShop } from './open-shop.ts'
import { askerOf } from './saga-asks.ts'

const LATE_MS = 2500
const { env, dies } = deaths()
const shop = await openShop({
  only: ['payments'],
  env: { ...env, PAYMENT_SLOW_MS: '1500', PAYMENT_LATE_MS: String(LATE_MS) },
})
const orders = askerOf(shop, orderPayment, orderPaymentResponse)
const client = new MongoClient(shop.mongodbUri)
afterAll(() => client.close())

const customerId = randomUUIDv7()
const CENTS = 4711
const WITHIN = { timeout: 30_000, interval: 50 }
const down = '4000000000000119'

function charge(orderId: string, card: TestCard) {
  return { ask: 'charge' as const, orderId, customerId, cents: CENTS, card }
}
const refund = (orderId: string) => ({ ask: 'refund' as const, orderId })

/** What the provider really did, by order: `charge 4711`. */
async function moves(orderIds: readonly string[]): Promise<string[][]> {
  const entries = await client
    .db('payments')
    .collection<{ _id: string; body: { moves: { kind: string; cents: number }[] } }>('provider')
    .find({ _id: { $in: [...orderIds] } })
    .toArray()
  const byId = new Map(entries.map(({ _id, body }) => [_id, body.moves]))
  return orderIds.map((id) => (byId.get(id) ?? []).map(({ kind, cents }) => `${kind} ${cents}`))
}

test('each card behaves as it declares, and none holds up another', async () => {
  const cards = Object.keys(testCards) as TestCard[]
  const byCard = new Map(cards.map((card) => [card, randomUUIDv7()]))
  const order = (card: TestCard) => byCard.get(card) as string
  await orders.ask(...cards.map((card) => charge(order(card), card)))

  const paid = ['4242424242424242', '4000000000000259', '4000000000000341', '4000000000000408'] as const
  expect((await orders.answers(paid.map(order), 1)).map(({ answer }) => answer)).toEqual(
    Array(4).fill('paid'),
  )
  expect(await orders.answer(order('4000000000000002'), 1)).toMatchObject({
    answer: 'declined',
    reason: 'the card was declined',
  })
  expect(await orders.answer(order('4000000000009995'), 1)).toMatchObject({ answer: 'declined' })
  await expect.poll(() => orders.times(order('4000000000000341'), 1), WITHIN).toBe(2)
  expect(await moves(paid.map(order))).toEqual(Array(4).fill([`charge ${CENTS}`]))
  expect(orders.times(order(down), 1)).toBe(0)

  await orders.ask(...cards.map((card) => refund(order(card))))
  const refunds = await orders.answers(cards.map(order), 2)
  for (const [index, card] of cards.entries()) {
    const cents = (paid as readonly string[]).includes(card) ? CENTS : 0
    expect(refunds[index]).toMatchObject({ answer: 'refunded', cents })
  }
  expect(await moves(paid.map(order))).toEqual(Array(4).fill([`charge ${CENTS}`, `refund ${CENTS}`]))
})

test('a refund that comes first charges nobody', async () => {
  const id = randomUUIDv7()
  await orders.ask(refund(id), charge(id, '4242424242424242'))
  expect(await orders.answer(id, 2)).toMatchObject({ cents: 0 })
  await expect.poll(() => orders.times(id, 2), WITHIN).toBe(2)
  expect(await moves([id])).toEqual([[]])
})

test('money is conserved while payments is killed in the middle of charges and refunds', async () => {
  const ids = Array.from({ length: 800 }, () => randomUUIDv7())
  const cards = ['4242424242424242', '4000000000000341', '4000000000000002', '4000000000000408'] as const
  const cardOf = (index: number) => cards[index % cards.length] as TestCard
  const [replica] = shop.replicas('payments')
  if (replica === undefined) throw new Error('payments does not run')
  const ledger = client.db('payments').collection('provider')
  const before = await ledger.countDocuments()
  const killWhen = async (reached: () => Promise<boolean>) => {
    await expect.poll(reached, { ...WITHIN, interval: 5 }).toBe(true)
    await replica.app.kill()
    await replica.app.start()
  }

  await orders.ask(...ids.map((id, index) => charge(id, cardOf(index))))
  await killWhen(async () => (await ledger.countDocuments()) - before > 50)
  await killWhen(async () => (await ledger.countDocuments()) - before > 400)
  const charged = await orders.answers(ids, 1)
  for (const [index, { answer }] of charged.entries()) {
    expect(answer).toBe(cardOf(index) === '4000000000000002' ? 'declined' : 'paid')
  }
  const moved = await moves(ids)
  for (const [index, one] of moved.entries()) {
    expect(one).toEqual(charged[index]?.answer === 'paid' ? [`charge ${CENTS}`] : [])
  }

  await orders.ask(...ids.map(refund))
  await killWhen(async () => (await ledger.countDocuments({ 'body.state': 'voided' })) > 100)
  const refunds = await orders.answers(ids, 2)
  const sum = refunds.reduce((all, data) => all + ('cents' in data ? data.cents : 0), 0)
  expect(sum).toBe(CENTS * charged.filter(({ answer }) => answer === 'paid').length)
  for (const [index, one] of (await moves(ids)).entries()) {
    const paid = charged[index]?.answer === 'paid'
    expect(one).toEqual(paid ? [`charge ${CENTS}`, `refund ${CENTS}`] : [])
  }
})

test.each([
  ['charge', 'payment.intended', '4242424242424242'],
  ['charge', 'payment.asked', '4242424242424242'],
  ['charge', 'payment.told', '4000000000000408'],
  ['refund', 'payment.asked', '4242424242424242'],
] as const)('payments dies of a %s at %s, and money moves once', async (ask, point, card) => {
  const ids = Array.from({ length: 5 }, () => randomUUIDv7())
  const [replica] = shop.replicas('payments')
  const maybeDies = async (now: string, cause: () => Promise<void>) =>
    now === ask && replica !== undefined ? dies(replica.app, point, cause) : cause()

  await maybeDies('charge', () => orders.ask(...ids.map((id) => charge(id, card))))
  expect(await orders.answers(ids, 1)).toMatchObject(Array(5).fill({ answer: 'paid', cents: CENTS }))
  expect(await moves(ids)).toEqual(Array(5).fill([`charge ${CENTS}`]))
  await maybeDies('refund', () => orders.ask(...ids.map(refund)))
  expect(await orders.answers(ids, 2)).toMatchObject(Array(5).fill({ answer: 'refunded', cents: CENTS }))
  expect(await moves(ids)).toEqual(Array(5).fill([`charge ${CENTS}`, `refund ${CENTS}`]))
})
