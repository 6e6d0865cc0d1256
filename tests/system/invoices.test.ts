import { randomUUIDv7 } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  DOWNSTREAM_QUEUE,
  INVOICE_QUEUE,
  type InvoiceIssued,
  type IssueInvoice,
  invoiceIssued,
} from '@tideshop/contracts/invoices'
import { orderView } from '@tideshop/contracts/orders'
import { type DeadJob, deadJob, deadJobs } from '@tideshop/kit/binding'
import type { CrashPoint } from '@tideshop/kit/crash-point'
import type { Process } from '@tideshop/run/process'
import { findRabbitmq } from '@tideshop/run/rabbitmq'
import type { Shop } from '@tideshop/run/shop'
import { MongoClient } from 'mongodb'
import { Connection } from 'rabbitmq-client'
import { afterAll, expect, test } from 'vitest'
import { ask } from './door.ts'
import { openShop } from './open-shop.ts'

/** Real sidecars and a real RabbitMQ; where there is none the tests are skipped, and say why. */
const [lack] = (await findRabbitmq()).closed
const WORK_MS = 400

const folder = mkdtempSync(path.join(tmpdir(), 'tideshop-invoices-'))
/** What the next life of the app is to die of. */
const order = path.join(folder, 'crash-at')

if (lack === undefined) await testInvoices()
else leaveOut(lack)

/** The reporter counts what is skipped, and does not say why. */
function leaveOut(why: string): void {
  process.stderr.write(`skipped, ${why}\n`)
  test('so many orders, so many documents, so many results', ({ skip }) => skip(why))
}

async function testInvoices(): Promise<void> {
  const dir = path.join(folder, 'shop')
  const shop = await openShop({
    dir,
    rabbitmq: true,
    env: { CRASH_AT: `@${order}`, INVOICE_WORK_MS: String(WORK_MS) },
  })
  const queues = queuesOf(shop)
  afterAll(async () => {
    await queues.close()
    await shop.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('so many orders, so many documents, so many results', async () => {
    const asked = orders(8)
    await queues.ask(...asked)
    const told = await queues.told(asked)
    expect(told).toHaveLength(asked.length)
    const numbers = told.map(({ number }) => number).sort()
    expect(numbers).toEqual(asked.map((_, index) => `TS-${String(index + 1).padStart(6, '0')}`))
    for (const { file, number } of told) {
      const document = readFileSync(path.join(dir, 'invoices', file), 'utf8')
      expect(document).toContain(`<h1>Invoice ${number}</h1>`)
      expect(document).toMatch(/^<!doctype html>[\s\S]*€29\.97[\s\S]*<\/html>\n$/)
    }
    expect(readdirSync(path.join(dir, 'invoices'))).toHaveLength(asked.length)
  })

  test('an order that is asked three times has one invoice, and is told the same', async () => {
    const asked = orders(1)
    await queues.ask(...asked, ...asked, ...asked)
    await expect.poll(() => queues.toldSoFar(asked).length, { timeout: 30_000 }).toBe(3)
    const [first, ...others] = queues.toldSoFar(asked)
    for (const other of others) expect(other).toEqual(first)
    await hasOneInvoiceEach(asked)
  })

  test.for<CrashPoint>(['job.received', 'job.written', 'job.handing-on', 'job.handled'])(
    'an app that dies at %s gets the order again, and there is one invoice',
    async (point) => {
      const app = shop.replicas('invoices')[0]?.app as Process
      await app.kill()
      writeFileSync(order, `${point}:1`)
      const asked = orders(2)
      await queues.ask(...asked)
      await app.start().catch(() => undefined)
      await expect.poll(() => app.running, { timeout: 30_000 }).toBe(false)
      writeFileSync(order, '')
      await app.start()
      await queues.told(asked)
      await hasOneInvoiceEach(asked)
      await queues.areEmpty()
    },
  )

  test('an app that is killed while it works gets the order again, and there is one invoice', async () => {
    const app = shop.replicas('invoices')[0]?.app as Process
    const asked = orders(3)
    await queues.ask(...asked)
    await queues.told(asked.slice(0, 1))
    // The next is in its hands: a sidecar holds one at a time, and RabbitMQ does not count that one.
    await expect.poll(queues.waiting, { timeout: 30_000, interval: 20 }).toBeLessThanOrEqual(1)
    await app.kill()
    await app.start()
    await queues.told(asked)
    await hasOneInvoiceEach(asked)
  })

  test('a sidecar that is killed while its app works brings the order again, and there is one invoice', async () => {
    const sidecar = shop.replicas('invoices')[0]?.sidecar as Process
    const asked = orders(3)
    await queues.ask(...asked)
    await queues.told(asked.slice(0, 1))
    await sidecar.kill()
    await sidecar.start()
    await queues.told(asked)
    await hasOneInvoiceEach(asked)
  })

  test('a broker that goes in the middle comes back with every order', async () => {
    const asked = orders(4)
    await queues.ask(...asked)
    await queues.told(asked.slice(0, 1))
    await shop.rabbitmq?.stop()
    await shop.rabbitmq?.start()
    await queues.told(asked)
    await hasOneInvoiceEach(asked)
  })

  test('an order that is confirmed gets its invoice, and its job is brought to nobody but invoices', async () => {
    await shop.removeReplica('invoices')
    const id = await confirmedOrder(shop)
    await expect.poll(queues.waiting, { timeout: 30_000 }).toBe(1)
    const [orders] = shop.replicas('orders')
    const metrics = await (await fetch(`http://127.0.0.1:${orders?.appPort}/metrics`)).text()
    await shop.addReplica('invoices')
    expect(metrics).toMatch(/tideshop_request_seconds_count.*method="POST",route="\/order\/place"/)
    // Neither asked whether it wants jobs, nor brought one: it would know neither route.
    expect(metrics).not.toMatch(/tideshop_request_seconds_count.*method="(POST|OPTIONS)",route="none"/)
    const [told] = await queues.told([{ orderId: id }])
    const { body } = await ask(shop, `/api/orders/${id}`, { headers: { cookie: CUSTOMER } })
    const { quote, timeline } = orderView.parse(body)
    expect(timeline.at(-1)?.step).toBe('invoice-asked')
    expect(told).toMatchObject({ orderId: id, totalCents: quote?.totalCents })
  })

  test('what can never be an invoice is put aside with its reason, and the next ones flow on', async () => {
    const [good, wrong] = orders(2) as [IssueInvoice, IssueInvoice]
    const rubbish = ['{"half', JSON.stringify({ ...wrong, totalCents: 1 }), '', '\u0000\uFFFD']
    await queues.send(...rubbish)
    await queues.ask(good)
    await queues.told([good])
    await expect.poll(() => queues.dead.length, { timeout: 30_000 }).toBe(rubbish.length)
    const payloads = queues.dead.map(({ payload }) => Buffer.from(payload, 'base64').toString())
    expect(payloads.sort()).toEqual(rubbish.toSorted())
    const reasons = queues.dead.map(({ reason }) => reason).join('\n')
    expect(reasons).toMatch(/not JSON/)
    expect(reasons).toMatch(/totalCents is 1, but lines and discounts come to 2997/)
    await queues.areEmpty()
  })

  test('two replicas empty the queue in clearly less time than one', async () => {
    const alone = await secondsFor(12)
    await shop.addReplica('invoices')
    const together = await secondsFor(12)
    await shop.removeReplica('invoices')
    process.stderr.write(`12 orders: ${alone.toFixed(2)} s by one replica, ${together.toFixed(2)} s by two\n`)
    // Half, but for the machine's other work: the wait is most of it.
    expect(together / alone).toBeLessThan(0.8)
  })

  test('a replica that is told to leave finishes the order in its hands', async () => {
    await shop.addReplica('invoices')
    const failures = () => shop.logs({ last: 1 }).match(/a job failed and will come again/g)?.length
    const before = failures()
    const asked = orders(6)
    await queues.ask(...asked)
    await queues.told(asked.slice(0, 1))
    await shop.removeReplica('invoices')
    await queues.told(asked)
    await hasOneInvoiceEach(asked)
    expect(failures()).toBe(before)
  })

  async function secondsFor(count: number): Promise<number> {
    const asked = orders(count)
    const began = performance.now()
    await queues.ask(...asked)
    await queues.told(asked)
    return (performance.now() - began) / 1000
  }

  async function hasOneInvoiceEach(asked: readonly IssueInvoice[]): Promise<void> {
    const files = readdirSync(path.join(dir, 'invoices'))
    for (const { orderId } of asked) {
      expect(files.filter((file) => file.includes(orderId))).toHaveLength(1)
      const ids = new Set(queues.toldSoFar([{ orderId }]).map((told) => JSON.stringify(told)))
      expect(ids.size).toBe(1)
    }
    const client = new MongoClient(shop.mongodbUri)
    const rows = await client.db('invoices').collection('invoices').find().toArray()
    await client.close()
    const serials = rows.map(({ body }) => body.serial as number).sort((one, other) => one - other)
    expect(serials).toEqual(rows.map((_, index) => index + 1))
  }
}

function orders(count: number): IssueInvoice[] {
  return Array.from({ length: count }, () => ({
    type: 'invoices.issue-invoice.v1',
    orderId: randomUUIDv7(),
    time: '2026-11-21T12:00:00Z',
    customer: { id: 'c-1', name: 'Hans', address: ['1 Quay'] },
    lines: [{ sku: 'CUP-0001', name: 'Cup', unitPriceCents: 999, quantity: 3, discountCents: 0 }],
    discountCents: 0,
    totalCents: 2997,
  }))
}

const CUSTOMER = `tideshop-customer=${randomUUIDv7()}`

/** By the door, as a browser does it. */
async function confirmedOrder(shop: Shop): Promise<string> {
  const headers = { cookie: CUSTOMER, 'content-type': 'application/json', 'idempotency-key': 'k-1' }
  const send = (method: string, path: string, body: object) =>
    ask(shop, path, { method, headers, body: JSON.stringify(body) })
  await send('PUT', '/api/basket/lines/LMP-0101', { quantity: 3 })
  const checkout = { contact: { name: 'Hans', address: ['1 Quay'] }, card: '4242424242424242' }
  const place = async () => String((await send('POST', '/api/orders', checkout)).body['id'])
  await expect.poll(place, { timeout: 30_000 }).toMatch(/^[0-9a-f-]{36}$/)
  const id = await place()
  const status = async () => (await ask(shop, `/api/orders/${id}`, { headers })).body['status']
  await expect.poll(status, { timeout: 30_000 }).toBe('confirmed')
  return id
}

/** The three queues, as another service sees them. */
function queuesOf({ rabbitmqUrl }: Shop) {
  const connection = new Connection({ url: rabbitmqUrl ?? '', retryLow: 100, retryHigh: 500 })
  connection.on('error', () => undefined)
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 20 })
  const issued: InvoiceIssued[] = []
  const dead: DeadJob[] = []
  const consumers = [
    consume(DOWNSTREAM_QUEUE, (body) => issued.push(invoiceIssued.parse(body))),
    consume(deadJobs(INVOICE_QUEUE), (body) => dead.push(deadJob.parse(body))),
  ]

  function consume(queue: string, take: (body: unknown) => unknown) {
    const consumer = connection.createConsumer(
      { queue, queueOptions: { passive: true } },
      async ({ body }) => {
        // The sidecar calls what it writes a text, whatever it is.
        take(JSON.parse(String(body)))
      },
    )
    consumer.on('error', () => undefined)
    return consumer
  }

  async function send(...jobs: string[]): Promise<void> {
    const envelope = { routingKey: INVOICE_QUEUE, durable: true }
    for (const job of jobs) await publisher.send(envelope, Buffer.from(job))
  }

  function toldSoFar(asked: readonly { orderId: string }[]): InvoiceIssued[] {
    const ids = new Set(asked.map(({ orderId }) => orderId))
    return issued.filter(({ orderId }) => ids.has(orderId))
  }

  async function waiting(): Promise<number> {
    return (await connection.queueDeclare({ queue: INVOICE_QUEUE, passive: true })).messageCount
  }

  return {
    dead,
    send,
    waiting,
    toldSoFar,
    ask: (...asked: IssueInvoice[]) => send(...asked.map((one) => JSON.stringify(one))),
    /** Each at least once; the first of each. */
    async told(asked: readonly { orderId: string }[]): Promise<InvoiceIssued[]> {
      const first = () =>
        [...Map.groupBy(toldSoFar(asked), ({ orderId }) => orderId).values()].map(([one]) => one)
      await expect
        .poll(() => first().length, { timeout: 60_000, interval: 20 })
        .toBeGreaterThanOrEqual(asked.length)
      return first() as InvoiceIssued[]
    },
    /** Nothing waits and nothing is in anybody's hands: RabbitMQ counts only the first, so the queue is left by all before. */
    async areEmpty(): Promise<void> {
      await expect.poll(waiting, { timeout: 30_000 }).toBe(0)
    },
    async close(): Promise<void> {
      await Promise.all(consumers.map((consumer) => consumer.close()))
      await publisher.close()
      await connection.close()
    },
  }
}
