import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, PROMETHEUS_DOOR_PORT, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { applyShop } from '@tideshop/cluster/shop'
import { quantity } from '@tideshop/load/cluster/quantity'
import { root } from '@tideshop/run/arguments'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { whileAsked } from './readers.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { setMost } from './triggers.ts'

/** System C's scaler as it was published, instead of ours: half of its processor time, or 100 calls a second, from 1 to 10. */

const lacks = inject('lacks')

/** For each replica that is there. Less than one more replica's worth: who asks for that can only be the processor's time. */
const PER_SECOND = 40
const CALLS_PER_REPLICA = 100
const CPU_PERCENT = 50
const LINES = [
  { sku: 'TEA-0101', unitPriceCents: 490, quantity: 3 },
  { sku: 'CUP-0001', unitPriceCents: 999, quantity: 12 },
]
const QUESTION = { method: 'POST', path: '/api/prices/quote', body: { lines: LINES } } as const
/** Half of what overlays/production asks for: half of what this cluster asks for is less than a service takes that does nothing. */
const REQUESTED = { app: '50m', sidecar: '50m' }

/** Not the ten that such a load asks for, which would have the processor's time that is measured here. */
const DOORS = 2

const PUBLISHED = join(root, 'keda/as-published/pricing.yaml')
const FORGOTTEN_WITHIN_MS = 180_000
const REST_WITHIN_MS = 120_000
/** Of metrics-server: a value is of the time between two. */
const TWO_LOOKS_MS = 20_000
const SEEN_WITHIN_MS = 120_000
const GROWN_WITHIN_MS = 180_000

describe.skipIf(lacks.length > 0)('pricing, scaled as system C had it,', () => {
  const place = placeOf(process.env)
  const told: string[] = []
  let kubectl: Kubectl
  let watch: ReplicaWatch

  beforeAll(async () => {
    kubectl = kubectlAt(place)
    watch = new ReplicaWatch()
    await setMost(kubectl, 'apigateway', DOORS)
  })
  afterAll(async () => {
    // Once more, should a test have failed before it put ours back.
    await applyShop(kubectl, planAt(place))
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('is there while nobody asks, and its processor time is known', async () => {
    // Two minutes are what its query looks back.
    await expect.poll(callsSeen, { timeout: FORGOTTEN_WITHIN_MS, interval: 1000 }).toBe(0)
    // Not over ours: its autoscaler would remember what that one had recommended for five minutes.
    await kubectl.run('delete', 'scaledobject', 'pricing', `--namespace=${NAMESPACE}`)
    await request(REQUESTED)
    await kubectl.apply('--filename', PUBLISHED)
    await expect.poll(isSettled, { timeout: SEEN_WITHIN_MS, interval: 1000 }).toBe(true)
    told.push(`pricing: ${await processorPercent()} % of its processor time while nobody asks`)
    // As kubectl top tells it.
    expect(await kubectl.run('top', 'pods', `--namespace=${NAMESPACE}`, '--containers')).toMatch(
      /^pricing-\S+ +app +\d+m/m,
    )
  })

  test(`grows by its processor time at ${PER_SECOND} calls a second for each, and refuses none`, async () => {
    const before = watch.ready('pricing')
    const began = watch.nowMs()
    let most = 0
    let mostCalls = 0
    const { answered, failed } = await whileAsked(QUESTION, before * PER_SECOND, () =>
      expect
        .poll(
          async () => {
            most = Math.max(most, (await processorPercent()) ?? 0)
            mostCalls = Math.max(mostCalls, await calls())
            return watch.ready('pricing')
          },
          { timeout: GROWN_WITHIN_MS, interval: 500 },
        )
        .toBeGreaterThan(before),
    )
    told.push(
      `pricing: ${before + 1} ready after ${seconds(watch.nowMs() - began)} at ${most} %, ${answered} answers`,
    )
    expect(failed).toEqual([])
    expect(most).toBeGreaterThan(CPU_PERCENT)
    expect(mostCalls).toBeLessThan(CALLS_PER_REPLICA)
  })

  test('sleeps as it did when ours is put back', async () => {
    await applyShop(kubectl, planAt(place))
    await watch.until('pricing', '0/0', REST_WITHIN_MS)
    const triggers = '--output=jsonpath={.spec.triggers[*].type}'
    const of = ['get', 'scaledobject', 'pricing', `--namespace=${NAMESPACE}`, triggers]
    expect(await kubectl.run(...of)).toBe('prometheus external-push')
  })

  async function request({ app, sidecar }: typeof REQUESTED): Promise<void> {
    const template = {
      metadata: { annotations: { 'dapr.io/sidecar-cpu-request': sidecar } },
      spec: { containers: [{ name: 'app', resources: { requests: { cpu: app } } }] },
    }
    const patch = `--patch=${JSON.stringify({ spec: { template } })}`
    await kubectl.run('patch', 'deployment', 'pricing', `--namespace=${NAMESPACE}`, patch)
  }

  /**
   * That a pod began to serve takes more than half of a core for a moment, which can bring another one by itself, and that one stays
   * for five minutes.
   */
  async function isSettled(): Promise<boolean> {
    const percent = await processorPercent()
    const [wanted, ready] = watch.of('pricing').split('/')
    const last = watch.changes.findLast(({ service }) => service === 'pricing')
    const isQuiet = watch.nowMs() - (last?.atMs ?? 0) > TWO_LOOKS_MS
    return isQuiet && wanted === ready && percent !== null && percent > 0 && percent <= CPU_PERCENT
  }

  /** What the autoscaler is told of all pods of pricing; null while it is told nothing. */
  async function processorPercent(): Promise<number | null> {
    const [cpu] = (await metrics()).flatMap(({ resource }) => resource ?? [])
    return cpu?.current.averageUtilization ?? null
  }

  /** A second, for each replica. */
  async function calls(): Promise<number> {
    const [asked] = (await metrics()).flatMap(({ external }) => external ?? [])
    return quantity(asked?.current.averageValue ?? '0')
  }

  /** By its own query, of those who asked in the tests before this one. */
  async function callsSeen(): Promise<number> {
    const { spec } = parse(readFileSync(PUBLISHED, 'utf8'))
    const query: string = spec.triggers.find(({ type }: { type: string }) => type === 'prometheus').metadata
      .query
    const url = `http://127.0.0.1:${PROMETHEUS_DOOR_PORT}/api/v1/query?query=${encodeURIComponent(query)}`
    const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } }
    return Number(data.result[0]?.value[1] ?? 0)
  }

  async function metrics(): Promise<Metric[]> {
    const of = ['hpa', 'keda-hpa-pricing', `--namespace=${NAMESPACE}`]
    const { status } = await kubectl.get<{ status: { currentMetrics?: Metric[] } }>(...of)
    return status.currentMetrics ?? []
  }
})

type Metric = {
  resource?: { current: { averageUtilization?: number } }
  external?: { current: { averageValue?: string } }
}
