import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  DOWNSTREAM_QUEUE,
  INVOICE_QUEUE,
  type InvoiceIssued,
  type IssueInvoice,
  invoiceIssued,
} from '@tideshop/contracts/invoices'
import { Connection, ConsumerStatus } from 'rabbitmq-client'
import { CannotRun } from './arguments.ts'
import type { Meter } from './meter.ts'
import { giveUp, hear, type Ledger, noteSent } from './queue-ledger.ts'

/**
 * Puts jobs into system B's queue, all at once, and takes from `downstream` what comes of them, until each has its invoice, or
 * none has come for `patienceSeconds`. What `downstream` tells of other orders is put back when it is over: somebody may wait
 * for it.
 */
export type QueuePlan = { url: string; jobs: number; patienceSeconds: number }

/** Results of others that are held meanwhile; the protocol counts in 16 bits, and `jobs` is added. */
const OTHERS_MAX = 10_000
const CONNECTED_WITHIN_MS = 5000
const CLOSED_WITHIN_MS = 5000
const LOOK_EVERY_MS = 100
const AGAIN_AFTER_MS = { min: 100, max: 1000 }
const SENT_AT_ONCE = 100
const SENDS_MAX = 20

/** Fills the ledger. A broker that goes away meanwhile is waited for like the invoices. */
export async function runQueue(
  plan: QueuePlan,
  ledger: Ledger,
  meter: Meter,
  stop: AbortSignal,
): Promise<void> {
  const connection = await connect(plan.url)
  meter.openIs(() => ledger.entries.size - ledger.told)
  const over = new AbortController()
  try {
    await demandQueues(connection)
    const consumer = follow(connection, plan.jobs, { ledger, meter, over: over.signal })
    await send(connection, plan.jobs, ledger, stop)
    await untilTold(plan, ledger, stop)
    const closed = consumer.close()
    over.abort()
    // A broker that is gone does not say that it has closed; it gives back what was not acknowledged by itself.
    await Promise.race([closed, delay(CLOSED_WITHIN_MS, undefined, { ref: false })])
  } finally {
    over.abort()
    // Not `close`, which waits for whatever was left open by a failure.
    connection.unsafeDestroy()
  }
  if (stop.aborted) return
  for (let open = ledger.entries.size - ledger.told; open > 0; open -= 1) meter.failed()
  giveUp(ledger, plan.patienceSeconds)
}

async function connect(url: string): Promise<Connection> {
  const connection = new Connection({ url, retryLow: AGAIN_AFTER_MS.min, retryHigh: AGAIN_AFTER_MS.max })
  let why = 'no answer'
  connection.on('error', (error: Error) => {
    why = error.message
  })
  try {
    await connection.onConnect(CONNECTED_WITHIN_MS, true)
    return connection
  } catch {
    connection.unsafeDestroy()
    throw new CannotRun(`no RabbitMQ can be used at ${new URL(url).host} (${why})`)
  }
}

/** What is sent to a queue that is not there is nowhere, and nobody says so. */
async function demandQueues(connection: Connection): Promise<void> {
  for (const queue of [INVOICE_QUEUE, DOWNSTREAM_QUEUE]) {
    await connection.queueDeclare({ queue, passive: true }).catch((error: Error) => {
      throw new CannotRun(
        `RabbitMQ has no queue "${queue}" yet, so nobody writes invoices there: ${error.message}`,
      )
    })
  }
}

type Following = { ledger: Ledger; meter: Meter; over: AbortSignal }

function follow(connection: Connection, jobs: number, { ledger, meter, over }: Following) {
  const settings = {
    queue: DOWNSTREAM_QUEUE,
    queueOptions: { passive: true },
    qos: { prefetchCount: jobs + OTHERS_MAX },
  }
  const ended = new Promise((resolve) => {
    over.addEventListener('abort', resolve)
  })
  const consumer = connection.createConsumer(settings, async ({ body }) => {
    const before = ledger.told
    const issued = issuedIn(body)
    if (issued === null || !hear(ledger, issued, performance.now())) {
      await ended
      return ConsumerStatus.REQUEUE
    }
    if (ledger.told > before) meter.good(ledger.entries.get(issued.orderId)?.ms ?? 0)
    return ConsumerStatus.ACK
  })
  // The client comes back by itself.
  consumer.on('error', () => undefined)
  return consumer
}

/** The sidecar calls what it writes a text, whatever it is. */
function issuedIn(body: unknown): InvoiceIssued | null {
  try {
    return invoiceIssued.parse(JSON.parse(String(body)))
  } catch {
    return null
  }
}

async function send(connection: Connection, jobs: number, ledger: Ledger, stop: AbortSignal): Promise<void> {
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: SENDS_MAX })
  const sendOne = async (): Promise<void> => {
    const order = newOrder(ledger.entries.size)
    noteSent(ledger, order, performance.now())
    await publisher.send({ routingKey: INVOICE_QUEUE, durable: true }, Buffer.from(JSON.stringify(order)))
  }
  while (ledger.entries.size < jobs && !stop.aborted) {
    const count = Math.min(SENT_AT_ONCE, jobs - ledger.entries.size)
    await Promise.all(Array.from({ length: count }, sendOne))
  }
  ledger.sentAt = performance.now()
  await publisher.close()
}

/** Each with a sum of its own, so that no invoice can be taken for another. */
function newOrder(index: number): IssueInvoice {
  const line = { sku: 'CUP-0001', name: 'Cup', unitPriceCents: 500 + index, quantity: 3, discountCents: 0 }
  return {
    type: 'invoices.issue-invoice.v1',
    orderId: randomUUIDv7(),
    time: new Date().toISOString(),
    customer: { id: 'load', name: 'Load', address: ['1 Quay'] },
    lines: [line],
    discountCents: 0,
    totalCents: line.unitPriceCents * line.quantity,
  }
}

async function untilTold(
  { jobs, patienceSeconds }: QueuePlan,
  ledger: Ledger,
  stop: AbortSignal,
): Promise<void> {
  const patienceMs = patienceSeconds * 1000
  const newsAt = () => Math.max(ledger.lastAt ?? 0, ledger.sentAt ?? ledger.startedAt)
  while (ledger.told < jobs && performance.now() - newsAt() < patienceMs && !stop.aborted) {
    await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
  }
}
