import { randomUUIDv7 } from 'node:crypto'
import { DOWNSTREAM_QUEUE, INVOICE_QUEUE } from '@tideshop/contracts/invoices'
import { Meter } from '@tideshop/load/meter'
import { isKept, newLedger, reportOf } from '@tideshop/load/queue-ledger'
import { runQueue } from '@tideshop/load/queue-run'
import { findRabbitmq } from '@tideshop/run/rabbitmq'
import { Connection } from 'rabbitmq-client'
import { afterAll, expect, test } from 'vitest'
import { openShop } from './open-shop.ts'

/** What `pnpm load queue` does to a shop of `pnpm start`; where there is no RabbitMQ the tests are skipped, and say why. */
const [lack] = (await findRabbitmq()).closed
const WORK_MS = 50
const PATIENCE_SECONDS = 30

if (lack === undefined) await testLoad()
else test('orders are followed to their invoices', ({ skip }) => skip(lack))

async function testLoad(): Promise<void> {
  const shop = await openShop({ rabbitmq: true, env: { INVOICE_WORK_MS: String(WORK_MS) } })
  const url = shop.rabbitmqUrl ?? ''
  const connection = new Connection(url)
  afterAll(() => connection.close())
  const waiting = async (queue: string) =>
    (await connection.queueDeclare({ queue, passive: true })).messageCount

  test('each order is followed to its invoice, and what others are told stays where it was', async () => {
    const publisher = connection.createPublisher({ confirm: true })
    await publisher.send({ routingKey: INVOICE_QUEUE }, orderOfOthers())
    await publisher.close()
    await expect.poll(() => waiting(DOWNSTREAM_QUEUE), { timeout: 30_000 }).toBe(1)

    const ledger = newLedger()
    const meter = new Meter()
    const plan = { url, jobs: 20, patienceSeconds: PATIENCE_SECONDS }
    await runQueue(plan, ledger, meter, new AbortController().signal)
    const report = reportOf(ledger)
    expect(report).toMatchObject({ sent: 20, issued: 20, open: 0 })
    expect(isKept(report)).toBe(true)
    expect(meter.totals()).toMatchObject({ good: 20, failed: 0 })
    await expect.poll(() => waiting(DOWNSTREAM_QUEUE), { timeout: 10_000 }).toBe(1)
  })

  test('Ctrl-C leaves open what was not told, and loses nothing', async () => {
    const ledger = newLedger()
    const stop = new AbortController()
    const plan = { url, jobs: 200, patienceSeconds: PATIENCE_SECONDS }
    const run = runQueue(plan, ledger, new Meter(), stop.signal)
    await expect.poll(() => ledger.told, { timeout: 30_000 }).toBeGreaterThan(0)
    stop.abort()
    await run
    const report = reportOf(ledger)
    expect(report.open).toBeGreaterThan(0)
    expect(report).toMatchObject({ sent: 200, issued: 200 - report.open, lost: 0 })
  })

  test('where nobody writes invoices any more, orders are lost after the wait', async () => {
    await shop.removeReplica('invoices')
    const ledger = newLedger()
    const meter = new Meter()
    await runQueue({ url, jobs: 2, patienceSeconds: 1 }, ledger, meter, new AbortController().signal)
    expect(reportOf(ledger)).toMatchObject({ sent: 2, lost: 2 })
    expect(meter.totals()).toMatchObject({ good: 0, failed: 2 })
  })
}

/** A text, as the sidecar hears it. */
function orderOfOthers(): Buffer {
  const line = { sku: 'CUP-0001', name: 'Cup', unitPriceCents: 999, quantity: 3, discountCents: 0 }
  return Buffer.from(
    JSON.stringify({
      type: 'invoices.issue-invoice.v1',
      orderId: randomUUIDv7(),
      time: '2026-11-21T12:00:00Z',
      customer: { id: 'c-1', name: 'Hans', address: ['1 Quay'] },
      lines: [line],
      discountCents: 0,
      totalCents: 2997,
    }),
  )
}
