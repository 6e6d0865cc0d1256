import { setTimeout as delay } from 'node:timers/promises'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { DOOR, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { applyShop } from '@tideshop/cluster/shop'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { ended, post } from '../system/door.ts'
import { demandKept, underLoad } from './ledger.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { readTriggers, setMost, setThreshold, triggersIfTold, untilIdle } from './triggers.ts'

const lacks = inject('lacks')
const place = placeOf(process.env)

/**
 * Where each service is when nobody comes, and the most that it may have here, which the load below has to make of it. Ten pods of each,
 * as keda/ has, take more to start than two slow cores have beside their callers; crowd.test.ts has the great numbers.
 */
const SERVICES = [
  { service: 'apigateway', rest: '1/1', grows: 4 },
  { service: 'operations', rest: '0/0', grows: 2 },
  { service: 'users', rest: '0/0', grows: 2 },
  { service: 'approvals', rest: '0/0', grows: 3 },
]

/** What the same two cores carry while so many start. */
const LOAD = { callers: 30, perSecond: 8 }
/** For one replica, by the place of the trigger in keda/: less than there, as much as the load is smaller than one for keda/ would be. */
const EASED = [
  { service: 'apigateway', trigger: 0, forOne: 1.2 },
  { service: 'operations', trigger: 0, forOne: 2 },
  { service: 'users', trigger: 0, forOne: 2 },
  { service: 'users', trigger: 1, forOne: 2 },
  { service: 'approvals', trigger: 0, forOne: 2 },
]
const GROWN_WITHIN_MS = 120_000
const REST_WITHIN_MS = 120_000
/** From nothing waiting to an end of the first operation: two services wake, one after the other. */
const WAKE_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 250

/** What has to see this load. With the others all that keda/ has; by these names the autoscaler asks. */
const TRIGGERS = [
  'apigateway s0-prometheus',
  'operations s0-prometheus',
  'operations s1-kafka-user-create-response',
  'users s0-kafka-user-create',
  'users s1-kafka-user-approve-response',
  'approvals s0-kafka-user-approve',
  'users s2-demand',
]
/** Over as soon as operations is awake. */
const WAKER = 'operations s2-demand'
/** Of services that this load does not reach: readers.test.ts, and the participants of an order. */
const READERS = [
  ...['basket', 'catalog', 'pricing', 'storefront'].map((service) => `${service} s0-prometheus`),
  'catalog s1-kafka-order-stock',
  'payments s0-kafka-order-payment',
  'orders s0-prometheus',
  'orders s1-kafka-order-stock-response',
  'orders s2-kafka-order-payment-response',
  'orders s3-mongodb-orders',
  ...['basket', 'pricing', 'storefront', 'payments'].map((service) => `${service} s1-demand`),
  'catalog s2-demand',
  'orders s4-demand',
]
/** queue.test.ts; only where RabbitMQ is. */
const QUEUE = 'invoices s0-rabbitmq-queue'

describe.skipIf(lacks.length > 0)('the shop on a real cluster', () => {
  const told: string[] = []
  const tell = (line: string) => told.push(line)
  const wasActive = new Set<string>()
  let watch: ReplicaWatch
  let loadBegan = 0
  let loadOver = 0

  afterAll(async () => {
    await applyShop(kubectlAt(place), planAt(place))
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('sleeps as far as it may while nobody comes', async () => {
    watch = new ReplicaWatch()
    const kubectl = kubectlAt(place)
    for (const { service, trigger, forOne } of EASED) await setThreshold(kubectl, service, trigger, forOne)
    for (const { service, grows } of SERVICES) await setMost(kubectl, service, grows)
    await untilAtRest()
  })

  test('no trigger asks for more than it sees, while nobody comes', async () => {
    await untilIdle()
    const seen = await readTriggers()
    const queue = planAt(place).rabbitmq === null ? [] : [QUEUE]
    expect(seen.map(({ name }) => name).toSorted()).toEqual(
      [...TRIGGERS, WAKER, ...READERS, ...queue].toSorted(),
    )
    for (const { name, value, threshold, isActive, health } of seen) {
      expect({ name, isActive, health }).toEqual({ name, isActive: false, health: 'Happy' })
      // With ensureEvenDistributionOfPartitions KEDA tells one replica's worth for a lag of nothing.
      expect(value, name).toBeLessThanOrEqual(name.includes('kafka') ? threshold : 0)
    }
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

  test('ends every operation of a load that finds it asleep, and loses or doubles none, while it grows', async () => {
    // To ask how the first one fares brought doors, which would count as grown already.
    await untilAtRest()
    loadBegan = watch.nowMs()
    const { promised, failed } = await underLoad(LOAD, untilGrown)
    loadOver = watch.nowMs()
    tell(
      `${promised.length} promises in ${seconds(loadOver - loadBegan)}, ${failed.length} answers asked to repeat`,
    )
    await demandKept(promised)
    tell(`all ended ${seconds(watch.nowMs() - loadOver)} later`)
  })

  test('every trigger saw that load', () => {
    const silent = TRIGGERS.filter((name) => !wasActive.has(name))
    expect(silent).toEqual([])
  })

  test.for(SERVICES)('$service grows to $grows under that load', ({ service, grows }) => {
    const most = watch.mostReady(service, loadBegan)
    const after = [2, grows].map((ready) => {
      const at = watch.firstAtMs(service, ready, loadBegan)
      return `${ready} after ${at === null ? '–' : seconds(at - loadBegan)}`
    })
    tell(`${service}: ${most} ready at most, ${[...new Set(after)].join(', ')}`)
    expect(most).toBe(grows)
  })

  test.for(SERVICES)('$service is back at rest when the load is over', async ({ service, rest }) => {
    await watch.until(service, rest, REST_WITHIN_MS)
    const last = watch.changes.findLast((change) => change.service === service)
    tell(`${service}: back at ${rest} ${seconds((last?.atMs ?? 0) - loadOver)} after the last operation`)
  })

  async function untilAtRest(): Promise<void> {
    for (const { service, rest } of SERVICES) await watch.until(service, rest, REST_WITHIN_MS)
  }

  /** Or until the bound: what did not grow, or was not seen, is told by the tests that follow. */
  async function untilGrown(): Promise<void> {
    const deadline = watch.nowMs() + GROWN_WITHIN_MS
    const isGrown = () => SERVICES.every(({ service, grows }) => watch.mostReady(service, loadBegan) >= grows)
    const isSeen = () => TRIGGERS.every((name) => wasActive.has(name))
    while (!(isGrown() && isSeen()) && watch.nowMs() < deadline) {
      await lookAtTriggers()
      await delay(LOOK_EVERY_MS)
    }
  }

  async function lookAtTriggers(): Promise<void> {
    for (const { name, isActive } of await triggersIfTold()) if (isActive) wasActive.add(name)
  }
})
