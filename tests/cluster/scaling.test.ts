import { DOOR, MONGODB_DOOR_PORT } from '@tideshop/cluster/place'
import { type Ledger, newLedger, runSaga } from '@tideshop/load/saga-run'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { ended, post } from '../system/door.ts'
import { ReplicaWatch, seconds } from './replicas.ts'

const lacks = inject('lacks')

/** Where each service is when nobody comes, and the least that the load below makes of it. */
const SERVICES = [
  { service: 'apigateway', rest: '1/1', grows: 6 },
  { service: 'operations', rest: '1/1', grows: 2 },
  { service: 'users', rest: '0/0', grows: 2 },
  { service: 'approvals', rest: '0/0', grows: 4 },
]

const OPERATIONS = 1500
const CALLERS = 30
const REST_WITHIN_MS = 120_000
/** From nothing waiting to an end of the first operation: two services wake, one after the other. */
const WAKE_WITHIN_MS = 30_000

const stores = { mongodbUri: `mongodb://127.0.0.1:${MONGODB_DOOR_PORT}` }

describe.skipIf(lacks.length > 0)('the shop on a real cluster', () => {
  const told: string[] = []
  const tell = (line: string) => told.push(line)
  let watch: ReplicaWatch
  let ledger: Ledger
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
    const before = await readStores(stores)
    ledger = newLedger()
    loadBegan = watch.nowMs()
    const plan = {
      baseUrl: DOOR,
      operations: OPERATIONS,
      callers: CALLERS,
      denyShare: 0.05,
      waitSeconds: 120,
    }
    await runSaga(plan, ledger, AbortSignal.timeout(240_000))
    loadOver = watch.nowMs()
    tell(`${OPERATIONS} operations ended within ${seconds(loadOver - loadBegan)}`)

    expect(ledger.entries.filter(({ fate }) => fate !== 'ended').slice(0, 5)).toEqual([])
    expect(ledger.entries).toHaveLength(OPERATIONS)
    const { operations, users } = await readStores(stores)
    expect(operations.length - before.operations.length).toBe(OPERATIONS)
    expect(users.length - before.users.length).toBe(OPERATIONS)
    expect(operations.filter(({ version }) => version !== 2)).toEqual([])
    expect(new Set(users.map(({ body }) => body['operationId'])).size).toBe(users.length)
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
})
