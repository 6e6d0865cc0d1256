import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { lowStock, type ReportsPage, reportsPage } from '@tideshop/contracts/jobs'
import { withMetadata } from '@tideshop/run/render'
import type { Replica } from '@tideshop/run/replica'
import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { openShop } from './open-shop.ts'
import { openOrders } from './orders.ts'
import { putGood, stockOf } from './stock.ts'

/** Strikes of the clocks here; a day of the shop would take a day. */
const EVERY = '@every 1s'
const SOON = { timeout: 30_000, interval: 100 }

const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-jobs-'))
const shop = await openShop({ dir, env: { WAKE_WAIT_MS: '0' } })
const orders = await openOrders(shop, dir)
const database = new MongoClient(shop.mongodbUri)
afterAll(async () => {
  await Promise.all([orders.stop(), database.close()])
  await shop.stop()
  rmSync(dir, { recursive: true, force: true })
})

await hurryTheClocks()

test('by its clock jobs lets all orders expire that are due, round after round', async () => {
  orders.due = 1700
  await expect.poll(() => orders.due, SOON).toBe(0)
  expect(orders.expiredAtOnce.slice(-5).filter((expired) => expired > 0)).toEqual([500, 500, 500, 200])
})

test('while orders fails the clock strikes on, and when it is well again what is due expires', async () => {
  orders.isSick = true
  orders.due = 3
  const failedBefore = await counted('503')
  await expect.poll(() => counted('503'), SOON).toBeGreaterThan(failedBefore + 1)
  orders.isSick = false
  await expect.poll(() => orders.due, SOON).toBe(0)
})

test('a jobs that is killed goes on when it is back: its sidecar’s clock, too', async () => {
  const { app, sidecar } = first('jobs')
  await app.kill()
  await app.start()
  orders.due = 1
  await expect.poll(() => orders.due, SOON).toBe(0)
  await sidecar.kill()
  await sidecar.start()
  orders.due = 1
  await expect.poll(() => orders.due, SOON).toBe(0)
})

test('today and yesterday have their reports, the newest first, page by page', async () => {
  orders.placed = 42
  await expect.poll(async () => (await reports()).reports[1]?.orders?.placed, SOON).toBe(42)
  await expect.poll(async () => (await reports()).reports[0]?.lowStock?.isWhole, SOON).toBe(true)
  const page = await reports()
  expect(page.reports.map(({ day }) => day)).toEqual([daysAgo(0), daysAgo(1)])
  for (const { orders: counts } of page.reports) {
    expect(counts).toMatchObject({ byStatus: { delivered: 42 }, turnoverCents: 42 * 999 })
  }
  const newest = await reports('?limit=1')
  expect(newest).toMatchObject({ reports: [{ day: daysAgo(0) }], next: daysAgo(0) })
  expect(await reports(`?limit=1&after=${newest.next}`)).toMatchObject({
    reports: [{ day: daysAgo(1) }],
    next: null,
  })
})

test('who asks is told which goods run out, by what their actors say now', async () => {
  const stock = stockOf(shop)
  await putGood(shop, 'TST-LOW', 12)
  const isLow = async () => {
    const response = await fetch(jobsAt('restock'), { method: 'POST' })
    expect(response.status).toBe(200)
    const { goods, isWhole } = lowStock.parse(await response.json())
    expect(isWhole).toBe(true)
    return goods.find(({ sku }) => sku === 'TST-LOW')?.free
  }
  expect(await isLow()).toBeUndefined()
  await stock.ask('TST-LOW', 'reserve', { id: 'r-1', count: 9, ttlMs: 3_600_000 })
  expect(await isLow()).toBe(3)
  expect((await reports()).reports[0]?.lowStock?.goods).toContainEqual(
    expect.objectContaining({ sku: 'TST-LOW', free: 3 }),
  )
})

// The last one: the second replica stays.
test('two replicas strike twice, and what came of it is there once', async () => {
  const before = await strikes(first('jobs'))
  const other = await shop.addReplica('jobs')
  orders.due = 1200
  await expect.poll(() => strikes(other), SOON).toBeGreaterThan(2)
  await expect.poll(() => strikes(first('jobs')), SOON).toBeGreaterThan(before + 2)
  expect(orders.due).toBe(0)
  orders.placed = 77
  const today = async () => (await reports()).reports[0]?.orders?.placed
  await expect.poll(today, SOON).toBe(77)
  const kept = await database.db('jobs').collection<{ _id: string }>('days').find().toArray()
  expect(kept.map(({ _id }) => _id).sort()).toEqual([daysAgo(1), daysAgo(0)])
})

/** In the components that the sidecars of jobs read when they start. */
async function hurryTheClocks(): Promise<void> {
  for (const job of ['expire', 'statistics', 'restock']) {
    const file = path.join(dir, 'components', `jobs-${job}.yaml`)
    writeFileSync(file, withMetadata(readFileSync(file, 'utf8'), { schedule: EVERY }))
  }
  const { sidecar } = first('jobs')
  await sidecar.kill()
  await sidecar.start()
}

function first(appId: string): Replica {
  const [replica] = shop.replicas(appId)
  if (replica === undefined) throw new Error(`there is no ${appId}`)
  return replica
}

/** As another service would ask. */
function jobsAt(below: string): string {
  return `http://127.0.0.1:${first('apigateway').daprHttpPort}/v1.0/invoke/jobs/method/${below}`
}

async function reports(query = ''): Promise<ReportsPage> {
  return reportsPage.parse(await (await fetch(jobsAt(`reports${query}`))).json())
}

/** What the clock of this replica made it do about expiry, by the status of its answers. */
async function counted(status: string, replica = first('jobs')): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${replica.appPort}/metrics`)).text()
  const line = new RegExp(
    `^tideshop_request_seconds_count\\{.*route="/jobs/expire",status="${status}".*\\} (\\d+)$`,
    'm',
  )
  return Number(line.exec(text)?.[1] ?? 0)
}

function strikes(replica: Replica): Promise<number> {
  return counted('200', replica)
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}
