import { setTimeout as delay } from 'node:timers/promises'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { DOOR, ISSUER_DOOR_PORT, MONGODB_DOOR_PORT, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { applyShop, SERVICES } from '@tideshop/cluster/shop'
import { type OrderView, orderView } from '@tideshop/contracts/orders'
import type { TestCard } from '@tideshop/contracts/payments'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Customer, moneyOf, steps } from '../system/customer.ts'
import { type Answer, ask } from '../system/door.ts'
import { setInvoiceWork } from './invoice-work.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { readTriggers, setThreshold, type TriggerSeen, triggersIfTold, untilIdle } from './triggers.ts'

/** Orders, by HTTP and by the front door only, of a shop that sleeps: one, one that nobody pays for, and many at once. */

const lacks = inject('lacks')
const place = placeOf(process.env)
const hasInvoices = lacks.length === 0 && planAt(place).rabbitmq !== null

const door = { url: DOOR }
const REST = SERVICES.filter((service) => service !== 'invoices' || hasInvoices).map((service) => ({
  service,
  rest: ['apigateway', 'jobs'].includes(service) ? '1/1' : '0/0',
}))
const REST_WITHIN_MS = 120_000
const INVOICED_WITHIN_MS = 180_000
/** For one invoice, instead of five seconds: what those do to the replicas is queue.test.ts's. */
const INVOICE_WORK_MS = 500
/** Three services wake one after the other. */
const ENDED_WITHIN_MS = 180_000
/** `jobs` asks every 10 s, and what was asked has two services to wake. */
const EXPIRED_WITHIN_MS = 180_000
const LOOK_EVERY_MS = 250
/** Of customers who wait for their order: four times as often asked for ten doors, who took the cores from those that work at orders. */
const ASK_EVERY_MS = 1000

/** Calls a second for one replica of orders: less than half of what keda/ has, as are the customers that two slow cores serve. */
const ORDERS_CALLS = 4

const GOODS = ['LMP-0101', 'LMP-0102', 'LMP-0103'] as const
const CALLERS = 10
const ORDERS_EACH = 3
/** Of five orders one is declined, and one taken back as soon as it is placed. */
const CARDS: readonly TestCard[] = [
  '4242424242424242',
  '4000000000000002',
  '4242424242424242',
  '4000000000000341',
  '4242424242424242',
]
const TAKEN_BACK = 4

const UNPAID = 'orders s3-mongodb-orders'

type Ended = { order: OrderView; customer: Customer }
/** What became of the calls of a crowd. */
type Crowd = { ended: Ended[]; repeats: number; cut: number; failed: string[] }

describe.skipIf(lacks.length > 0)('a customer', () => {
  const told: string[] = []
  let watch: ReplicaWatch
  let client: MongoClient

  beforeAll(async () => {
    watch = new ReplicaWatch()
    client = new MongoClient(`mongodb://127.0.0.1:${MONGODB_DOOR_PORT}`)
    if (hasInvoices) await setInvoiceWork(INVOICE_WORK_MS)
    await setThreshold(kubectlAt(place), 'orders', 0, ORDERS_CALLS)
  })
  afterAll(async () => {
    await applyShop(kubectlAt(place), planAt(place))
    watch?.[Symbol.dispose]()
    await client?.close()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('finds a shop of which all sleep who may', () => untilRest())

  test('fills a basket, orders, and has it confirmed and invoiced', async () => {
    const began = watch.nowMs()
    const hans = new Customer(door)
    answered(await hans.put(GOODS[0], 1), 200)
    told.push(`basket filled after ${seconds(watch.nowMs() - began)}`)
    const { id } = orderView.parse(answered(await hans.place(), 202).body)
    told.push(`order taken after ${seconds(watch.nowMs() - began)}`)
    const order = await untilStatus(hans, id, ['confirmed'])
    told.push(`order confirmed after ${seconds(watch.nowMs() - began)}`)
    const asked = hasInvoices ? ['invoice-asked'] : []
    expect(steps(order).toSorted()).toEqual(
      ['placed', 'stock-reserved', 'priced', 'paid', 'stock-confirmed', ...asked].toSorted(),
    )
    expect(await moneyOf(client, [id])).toBe(order.quote?.totalCents)
    expect(answered(await hans.ask('GET', '/api/basket'), 200).body).toMatchObject({ lines: [] })
    if (hasInvoices) {
      await untilInvoiced([id])
      told.push(`invoice written after ${seconds(watch.nowMs() - began)}`)
    }
  })

  test('is shown a page by a storefront that sleeps', async () => {
    await watch.until('storefront', '0/0', REST_WITHIN_MS)
    const began = watch.nowMs()
    const { status, body } = await ask(door, `/p/${GOODS[0]}`, { headers: { accept: 'text/html' } })
    told.push(`page of a sleeping storefront after ${seconds(watch.nowMs() - began)}`)
    expect(status).toBe(200)
    expect(body['text']).toContain(`/api/goods/${GOODS[0]}/picture.svg`)
  })

  test('who does not pay keeps one of orders awake, until the order expires', async () => {
    const hans = new Customer(door)
    answered(await hans.put(GOODS[0], 1), 200)
    const { id } = orderView.parse(
      answered(await hans.place({ card: '4000000000000119' satisfies TestCard }), 202).body,
    )
    await untilStatus(hans, id, ['paying'])
    // Payments have heard of it, and sleep later than orders would: 30 s against 20 s after the last that was heard of either.
    const heard = () =>
      client.db('payments').collection<{ _id: string }>('payments').countDocuments({ _id: id })
    await expect.poll(heard, { timeout: ENDED_WITHIN_MS, interval: LOOK_EVERY_MS }).toBe(1)
    await watch.until('payments', '0/0', REST_WITHIN_MS)
    const others = (await triggersOf('orders')).filter(({ name }) => name !== UNPAID)
    expect(others.filter(({ isActive }) => isActive)).toEqual([])
    const [unpaid] = (await triggersOf('orders')).filter(({ name }) => name === UNPAID)
    expect(unpaid).toMatchObject({ value: 1, isActive: true, health: 'Happy' })
    expect(watch.of('orders')).toBe('1/1')

    const began = watch.nowMs()
    const past = new Date(Date.now() - 1000).toISOString()
    const orders = client
      .db('orders')
      .collection<{ _id: string; body: Pick<OrderView, 'status' | 'timeline'> }>('orders')
    await orders.updateOne({ _id: id }, { $set: { 'body.payBy': past } as object })
    // In the store and not by the door, whose call would wake orders.
    const look = async () => (await orders.findOne({ _id: id }))?.body
    await expect
      .poll(async () => (await look())?.status, { timeout: EXPIRED_WITHIN_MS, interval: 100 })
      .toBe('cancelled')
    told.push(`unpaid order cancelled ${seconds(watch.nowMs() - began)} after its time was over`)
    expect(steps({ timeline: (await look())?.timeline ?? [] })).toContain('expired')
    expect(await moneyOf(client, [id])).toBe(0)
  })

  test('among many is served as well, and no piece and no cent is lost or doubled', async () => {
    await untilRest()
    const before = await piecesOf()
    await untilRest()
    const began = watch.nowMs()
    const crowd: Crowd = { ended: [], repeats: 0, cut: 0, failed: [] }
    const most = new Map<string, number>()
    const over = new AbortController()
    const watching = watchTriggers(most, over.signal)
    await Promise.all(Array.from({ length: CALLERS }, (_, nth) => buyOften(nth, crowd)))
    over.abort()
    await watching
    const { ended, repeats, cut, failed } = crowd
    told.push(
      `${ended.length} orders ended in ${seconds(watch.nowMs() - began)}, ${repeats} answers asked to repeat, ${cut} connections cut`,
    )
    for (const service of ['orders', 'payments', 'catalog', 'basket', 'pricing', 'apigateway']) {
      const wanted = [...most].filter(([name]) => name.startsWith(`${service} `))
      const byTrigger = wanted.map(([name, replicas]) => `${name.split(' ')[1]} ${replicas.toFixed(1)}`)
      told.push(
        `${service}: ${watch.mostReady(service)} ready at most; its triggers saw ${byTrigger.join(', ')}`,
      )
    }
    expect(failed).toEqual([])
    expect(ended).toHaveLength(CALLERS * ORDERS_EACH)

    const ids = ended.map(({ order }) => order.id)
    expect(new Set(ids).size).toBe(ids.length)
    const stored = client.db('orders').collection('orders')
    const theirs = { 'body.customerId': { $in: ended.map(({ customer }) => customer.id) } }
    expect(await stored.countDocuments(theirs)).toBe(ids.length)
    const confirmed = ended.filter(({ order }) => order.status === 'confirmed').map(({ order }) => order)
    const declined = ended.filter(({ order }) => steps(order).includes('declined'))
    const takenBack = ended.filter(({ order }) => steps(order).includes('cancel-asked'))
    told.push(`${confirmed.length} confirmed, ${declined.length} declined, ${takenBack.length} taken back`)
    expect([confirmed.length, declined.length, takenBack.length]).toEqual([18, 6, 6])
    const cents = confirmed.reduce((sum, { quote }) => sum + (quote?.totalCents ?? 0), 0)
    expect(await moneyOf(client, ids)).toBe(cents)
    const sold = (sku: string) => confirmed.filter(({ lines }) => lines[0]?.sku === sku).length
    expect(await piecesOf()).toEqual(
      before.map((stock) => ({
        ...stock,
        free: Number(stock['free']) - sold(String(stock['sku'])),
        sold: Number(stock['sold']) + sold(String(stock['sku'])),
      })),
    )
    expect(watch.mostReady('orders')).toBeGreaterThan(1)
    if (hasInvoices) {
      await untilInvoiced(confirmed.map(({ id }) => id))
      told.push(`all invoiced ${seconds(watch.nowMs() - began)} after the first of them came`)
    }
  }, 600_000)

  test('leaves a shop that sleeps again', async () => {
    const over = watch.nowMs()
    await untilRest()
    told.push(`all at rest again ${seconds(watch.nowMs() - over)} later`)
    await untilIdle()
  })

  async function untilRest(): Promise<void> {
    for (const { service, rest } of REST) await watch.until(service, rest, REST_WITHIN_MS)
  }

  /** One order after the other; whatever is not answered well is written down, and ends it. */
  async function buyOften(caller: number, crowd: Crowd): Promise<void> {
    try {
      for (let nth = caller * ORDERS_EACH; nth < (caller + 1) * ORDERS_EACH; nth += 1) {
        crowd.ended.push(await buy(nth, crowd))
      }
    } catch (error) {
      crowd.failed.push(String((error as Error).cause ?? error))
    }
  }

  async function buy(nth: number, crowd: Crowd): Promise<Ended> {
    const customer = new Customer(door)
    const insist = (ask: () => Promise<Answer>, status: number) => insistOn(ask, status, crowd)
    await insist(() => customer.put(GOODS[nth % GOODS.length] as string, 1), 200)
    const checkout = { card: CARDS[nth % CARDS.length] as TestCard, key: customer.id }
    const { id } = orderView.parse((await insist(() => customer.place(checkout), 202)).body)
    const isTakenBack = nth % CARDS.length === TAKEN_BACK
    if (isTakenBack) await insist(() => customer.ask('POST', `/api/orders/${id}/cancel`), 200)
    const order = await untilStatus(
      customer,
      id,
      isTakenBack ? ['cancelled'] : ['confirmed', 'cancelled'],
      crowd,
    )
    return { order, customer }
  }

  /** Who is one of many says it again when told to, or when a door that leaves cuts the connection: each may be said twice. */
  async function insistOn(ask: () => Promise<Answer>, status: number, crowd?: Crowd): Promise<Answer> {
    if (crowd === undefined) return answered(await ask(), status)
    const giveUpAt = watch.nowMs() + ENDED_WITHIN_MS
    let answer = await tried(ask, crowd)
    while (answer === null && watch.nowMs() < giveUpAt) {
      await delay(LOOK_EVERY_MS)
      answer = await tried(ask, crowd)
    }
    if (answer === null) throw new Error('was told to say it again for too long')
    return answered(answer, status)
  }

  /** Null where it is to be said again. */
  async function tried(ask: () => Promise<Answer>, crowd: Crowd): Promise<Answer | null> {
    const answer = await ask().catch(cutOff)
    if (answer === null) crowd.cut += 1
    if (answer?.status === 503) crowd.repeats += 1
    return answer?.status === 503 ? null : answer
  }

  async function untilStatus(
    customer: Customer,
    id: string,
    wanted: readonly string[],
    crowd?: Crowd,
  ): Promise<OrderView> {
    for (const giveUpAt = watch.nowMs() + ENDED_WITHIN_MS; watch.nowMs() < giveUpAt; ) {
      const order = orderView.parse(
        (await insistOn(() => customer.ask('GET', `/api/orders/${id}`), 200, crowd)).body,
      )
      const isInvoiceAsked = !hasInvoices || steps(order).includes('invoice-asked')
      if (wanted.includes(order.status) && (order.status !== 'confirmed' || isInvoiceAsked)) return order
      await delay(patience(crowd))
    }
    throw new Error(`order ${id} was not ${wanted.join(' or ')} in time`)
  }

  async function untilInvoiced(ids: readonly string[]): Promise<void> {
    const invoices = client.db('invoices').collection<{ _id: string }>('invoices')
    await expect
      .poll(() => invoices.countDocuments({ _id: { $in: [...ids] } }), {
        timeout: INVOICED_WITHIN_MS,
        interval: LOOK_EVERY_MS,
      })
      .toBe(ids.length)
  }

  async function triggersOf(service: string): Promise<TriggerSeen[]> {
    return (await readTriggers()).filter(({ name }) => name.startsWith(`${service} `))
  }

  /** How many replicas each trigger asked for at most, without bounds. */
  async function watchTriggers(most: Map<string, number>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { name, value, threshold } of await triggersIfTold()) {
        most.set(name, Math.max(most.get(name) ?? 0, value / threshold))
      }
      await delay(LOOK_EVERY_MS)
    }
  }
})

/** Milliseconds from one look at an order to the next. */
function patience(crowd: Crowd | undefined): number {
  return crowd === undefined ? LOOK_EVERY_MS : ASK_EVERY_MS
}

/** Null for a connection that was closed; any other fault stays one. */
function cutOff(error: Error): null {
  const { code } = (error.cause ?? {}) as { code?: string }
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') return null
  throw error
}

function answered(answer: Answer, status: number): Answer {
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer
}

/** As the shop's people see it. Who counts wakes catalog and its actors, and asks again for as long as that takes. */
async function piecesOf(): Promise<Record<string, unknown>[]> {
  const said = await fetch(`http://127.0.0.1:${ISSUER_DOOR_PORT}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('administrator:for-development-only')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token } = (await said.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${access_token}` }
  return Promise.all(
    GOODS.map(async (sku) => {
      let answer: Answer | undefined
      const look = async () => {
        answer = await ask(door, `/api/admin/stock/${sku}`, { headers })
        return answer.status
      }
      await expect.poll(look, { timeout: ENDED_WITHIN_MS, interval: LOOK_EVERY_MS }).toBe(200)
      return { sku, ...answer?.body }
    }),
  )
}
