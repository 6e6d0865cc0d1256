import { setTimeout as delay } from 'node:timers/promises'
import { DOOR, MONGODB_DOOR_PORT } from '@tideshop/cluster/place'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { callAll } from '../chaos/callers.ts'
import { readStores, type Stored } from '../shared/stores.ts'
import { ended, post } from '../system/door.ts'
import { ReplicaWatch, seconds } from './replicas.ts'

const lacks = inject('lacks')

/** Where each service is when nobody comes, and the least that the load below makes of it. */
const SERVICES = [
  { service: 'apigateway', rest: '1/1', grows: 4 },
  { service: 'operations', rest: '0/0', grows: 2 },
  { service: 'users', rest: '0/0', grows: 2 },
  { service: 'approvals', rest: '0/0', grows: 4 },
]

/** Enough for the scalers to ask for all of the above; on two cores the replicas that come take most of the time. */
const PER_SECOND = 60
const CALLERS = 60
const GROWN_WITHIN_MS = 120_000
const ENDED_WITHIN_MS = 120_000
const REST_WITHIN_MS = 120_000
/** From nothing waiting to an end of the first operation: two services wake, one after the other. */
const WAKE_WITHIN_MS = 30_000

const stores = { mongodbUri: `mongodb://127.0.0.1:${MONGODB_DOOR_PORT}` }

describe.skipIf(lacks.length > 0)('the shop on a real cluster', () => {
  const told: string[] = []
  const tell = (line: string) => told.push(line)
  let watch: ReplicaWatch
  let loadBegan = 0
  let loadOver = 0

  afterAll(() => {
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('sleeps as far as it may while nobody comes', async () => {
    watch = new ReplicaWatch()
    for (const { service, rest } of SERVICES) await watch.until(service, rest, REST_WITHIN_MS)
  })

  test('wakes for a single operation, and ends it', async () => {
    const began = watch.nowMs()
    const { status, body } = await post({ url: DOOR }, { name: 'hans' })
    expect(status).toBe(202)
    const { state } = await ended({ url: DOOR }, String(body['uuid']), WAKE_WITHIN_MS)
    expect(state).toBe('completed')
    tell(`first operation of a sleeping shop ended after ${seconds(watch.nowMs() - began)}`)
    for (const service of ['users', 'approvals']) {
      const at = watch.firstAtMs(service, 1, began)
      tell(`  ${service} 0→1 ready after ${at === null ? 'never seen' : seconds(at - began)}`)
    }
  })

  test('ends every operation of a load, and loses or doubles none, while it grows', async () => {
    const promised: string[] = []
    loadBegan = watch.nowMs()
    const enough = new AbortController()
    const plan = { url: DOOR, callers: CALLERS, perSecond: PER_SECOND, cut: new AbortController().signal }
    const calling = callAll({ ...plan, promised: (uuid) => promised.push(uuid) }, enough.signal)
    await untilGrown()
    enough.abort()
    const asked = await calling
    loadOver = watch.nowMs()
    const repeats = asked.reduce((sum, { answers }) => sum + answers.length - 1, 0)
    tell(`${promised.length} promises in ${seconds(loadOver - loadBegan)}, ${repeats} repeats`)

    await expect.poll(pending, { timeout: ENDED_WITHIN_MS, interval: 500 }).toEqual([])
    tell(`all ended ${seconds(watch.nowMs() - loadOver)} later`)
    const { operations, users } = await readStores(stores)
    const known = new Set(operations.map(({ _id }) => _id))
    expect(promised.filter((uuid) => !known.has(uuid))).toEqual([])
    expect(twice(operations.flatMap(({ body }) => body['idempotencyKey'] ?? []))).toEqual([])
    expect(twice(users.map(({ body }) => body['operationId']))).toEqual([])
    expect(users).toHaveLength(operations.length)
  })

  test.for(SERVICES)('$service grows to $grows or more under that load', ({ service, grows }) => {
    const most = watch.mostReady(service)
    const at = watch.firstAtMs(service, grows, loadBegan)
    tell(`${service}: ${most} ready at most, ${grows} after ${at === null ? '–' : seconds(at - loadBegan)}`)
    expect(most).toBeGreaterThanOrEqual(grows)
  })

  test.for(SERVICES)('$service is back at rest when the load is over', async ({ service, rest }) => {
    await watch.until(service, rest, REST_WITHIN_MS)
    const last = watch.changes.findLast((change) => change.service === service)
    tell(`${service}: back at ${rest} ${seconds((last?.atMs ?? 0) - loadOver)} after the last operation`)
  })

  /** Or until the bound: what did not grow is told by the tests that follow. */
  async function untilGrown(): Promise<void> {
    const deadline = watch.nowMs() + GROWN_WITHIN_MS
    const isGrown = () => SERVICES.every(({ service, grows }) => watch.mostReady(service) >= grows)
    while (!isGrown() && watch.nowMs() < deadline) await delay(100)
  }
})

async function pending(): Promise<string[]> {
  const { operations } = await readStores(stores)
  return operations.filter(({ body }: Stored) => body['status'] === 'pending').map(({ _id }) => _id)
}

function twice(values: unknown[]): unknown[] {
  return values.filter((value, index) => values.indexOf(value) !== index)
}
