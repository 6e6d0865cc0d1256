import { readdirSync, readFileSync } from 'node:fs'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { MONGODB_DOOR_PORT, placeOf, RABBITMQ_DOOR_PORT } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { holderOf } from '@tideshop/cluster/record'
import { applyShop } from '@tideshop/cluster/shop'
import { Meter } from '@tideshop/load/meter'
import { isKept, type Ledger, newLedger, reportOf, tellReport } from '@tideshop/load/queue-ledger'
import { runQueue } from '@tideshop/load/queue-run'
import { rabbitmqAddress } from '@tideshop/run/rabbitmq'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { setInvoiceWork } from './invoice-work.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { askForValue, readTriggers, type TriggerSeen } from './triggers.ts'

/** System B's queue and keda/invoices.yaml with B's 20 for each replica, but 1 s for a job instead of B's 5: `pnpm load queue` has those. */

const place = placeOf(process.env)
/** What this machine lacks: a cluster, or RabbitMQ in it. */
const lacks = inject('lacks').length > 0 ? inject('lacks') : planAt(place).closed

const JOBS = 60
const JOBS_PER_REPLICA = 20
/** What the queue asks for at first. */
const REPLICAS = JOBS / JOBS_PER_REPLICA
const REST_WITHIN_MS = 120_000
const INVOICE_WORK_MS = 1000
/** The last twenty have one replica, as B has it: 20 s; the forty before them as long. */
const DONE_WITHIN_MS = 400_000
const PATIENCE_SECONDS = 60
const SEEN_WITHIN_MS = 30_000

if (lacks.length > 0) process.stderr.write(`the tests of the queue are skipped: ${lacks.join('; ')}\n`)

describe.skipIf(lacks.length > 0)('invoices', () => {
  const told: string[] = []
  let watch: ReplicaWatch
  let ledger: Ledger

  beforeAll(() => setInvoiceWork(INVOICE_WORK_MS))
  afterAll(async () => {
    await applyShop(kubectlAt(place), planAt(place))
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('sleep while nothing waits, and their trigger says 0', async () => {
    watch = new ReplicaWatch()
    await watch.until('invoices', '0/0', REST_WITHIN_MS)
    expect(await trigger()).toMatchObject({
      value: 0,
      threshold: JOBS_PER_REPLICA,
      isActive: false,
      health: 'Happy',
    })
  })

  test(`write one invoice for each of ${JOBS} orders`, { timeout: DONE_WITHIN_MS }, async () => {
    const began = watch.nowMs()
    ledger = newLedger()
    const url = rabbitmqAddress('127.0.0.1', RABBITMQ_DOOR_PORT)
    const plan = { url, jobs: JOBS, patienceSeconds: PATIENCE_SECONDS }
    const written = runQueue(plan, ledger, new Meter(), AbortSignal.timeout(DONE_WITHIN_MS))
    // The most that it can say: what is in somebody’s hands is not counted.
    const value = () => askForValue('invoices', 's0-rabbitmq-queue')
    await expect.poll(value, { timeout: SEEN_WITHIN_MS, interval: 100 }).toBeGreaterThan(JOBS - REPLICAS - 1)
    expect(await value()).toBeLessThanOrEqual(JOBS)
    await written

    const report = reportOf(ledger)
    for (const count of [1, REPLICAS]) {
      const at = watch.firstAtMs('invoices', count, began)
      told.push(`invoices: ${count} ready after ${at === null ? 'never' : seconds(at - began)}`)
    }
    told.push(...tellReport(report).split('\n'))
    expect(report).toMatchObject({ sent: JOBS, issued: JOBS })
    expect(isKept(report)).toBe(true)
    expect(watch.mostReady('invoices')).toBe(REPLICAS)
  })

  test('keep one row and one document for each, under the number that was told', async () => {
    const client = new MongoClient(`mongodb://127.0.0.1:${MONGODB_DOOR_PORT}`)
    const rows = await client
      .db('invoices')
      .collection<{ _id: string; body: { number: string; serial: number } }>('invoices')
      .find()
      .toArray()
    await client.close()
    const numbers = new Map(rows.map(({ _id, body }) => [_id, body.number]))
    for (const { orderId, issued } of ledger.entries.values()) {
      expect(numbers.get(orderId)).toBe(issued?.number)
    }
    const serials = rows.map(({ body }) => body.serial).toSorted((one, other) => one - other)
    expect(serials).toEqual(rows.map((_, index) => index + 1))

    const files = readdirSync(documents())
    for (const { orderId, issued } of ledger.entries.values()) {
      expect(files.filter((file) => file.includes(orderId))).toEqual([issued?.file])
      const page = readFileSync(`${documents()}/${issued?.file}`, 'utf8')
      expect(page).toContain(`<h1>Invoice ${issued?.number}</h1>`)
    }
  })

  test('sleep again when nothing waits any more', async () => {
    const over = watch.nowMs()
    await watch.until('invoices', '0/0', REST_WITHIN_MS)
    told.push(`invoices: asleep ${seconds(watch.nowMs() - over)} after the last was looked at`)
    expect(await trigger()).toMatchObject({ value: 0, isActive: false, health: 'Happy' })
  })

  async function trigger(): Promise<TriggerSeen | undefined> {
    const all = await readTriggers()
    return all.find(({ name }) => name === 'invoices s0-rabbitmq-queue')
  }

  /** In the cluster’s own /run, which is seen by way of a process in there. */
  function documents(): string {
    return `/proc/${holderOf(place).pid}/root/run/tideshop-invoices`
  }
})
