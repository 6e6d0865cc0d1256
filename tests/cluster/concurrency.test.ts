import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addHttpAddOn, hasHttpAddOn, INTERCEPTOR, removeHttpAddOn } from '@tideshop/cluster/http-add-on'
import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { holderOf } from '@tideshop/cluster/record'
import { applyShop } from '@tideshop/cluster/shop'
import { inside } from '@tideshop/cluster/space'
import { perSecond, tellLatencies } from '@tideshop/load/latencies'
import { root } from '@tideshop/run/arguments'
import { plainLines } from '@tideshop/run/progress'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Asked } from './page-callers.ts'
import { askOnce } from './readers.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { askForValue } from './triggers.ts'

/** System E's scaler instead of ours: one replica for every 5 requests in flight, from 0 to 20, with half of its 50 callers. */

const lacks = inject('lacks')

const CALLERS = 25
const CALLERS_PER_REPLICA = 5
const CALLED_S = 40
/** Of the five that they ask for. Two cores do not start the last of them in time. */
const GROWS = 3
/** Of the route in the file below. */
const HOST = 'storefront.tideshop'
const PUBLISHED = join(root, 'keda/as-published/storefront.yaml')
/** Instead of Knative's 60 s: it falls asleep in the same way, and the machine is needed. */
const QUIET_S = 10
const PAGE_CALLERS = fileURLToPath(new URL('./page-callers.ts', import.meta.url))

const REST_WITHIN_MS = 150_000
const SEEN_WITHIN_MS = 60_000
/** Seldom: on two cores whoever asks takes what would answer. */
const LOOK_EVERY_MS = 2000

describe.skipIf(lacks.length > 0)('storefront, scaled as system E had it,', () => {
  const place = placeOf(process.env)
  const { signal } = new AbortController()
  const told: string[] = []
  let kubectl: Kubectl
  let watch: ReplicaWatch
  let wasThere = true
  let isOurs = true
  let interceptor = ''

  beforeAll(async () => {
    kubectl = kubectlAt(place)
    watch = new ReplicaWatch()
    wasThere = await hasHttpAddOn(place)
    await addHttpAddOn(place, { env: process.env, report: plainLines(), signal })
    const { namespace, service, port } = INTERCEPTOR
    const address = '--output=jsonpath={.spec.clusterIP}'
    const ip = await kubectl.run('get', 'service', service, `--namespace=${namespace}`, address)
    interceptor = `http://${ip}:${port}`
  })
  afterAll(async () => {
    await putOursBack()
    if (!wasThere) await removeHttpAddOn(place, { env: process.env, report: () => {}, signal })
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('sleeps while nobody comes, and its trigger says 0', async () => {
    await watch.until('storefront', '0/0', REST_WITHIN_MS)
    isOurs = false
    // Not over ours: its autoscaler would remember what that one had recommended.
    await kubectl.run('delete', 'scaledobject', 'storefront', `--namespace=${NAMESPACE}`)
    await kubectl.apply('--filename', PUBLISHED)
    await sleepSooner()
    await expect.poll(value, { timeout: SEEN_WITHIN_MS, interval: 500 }).toBe(0)
    expect(watch.of('storefront')).toBe('0/0')
  })

  test('serves the first caller, who waits for a replica', async () => {
    // A page is made of goods. Who has to wait for both is served too, but that would be the time of two wakes.
    expect(await askOnce({ path: '/api/goods?limit=5' })).toBeNull()
    const asked = await pagesFor(1, 0)
    expect(asked.why).toEqual([])
    told.push(`storefront: first page after ${seconds(asked.tookMs)}`)
  })

  test(`grows by who waits when ${CALLERS} callers come, and fails none`, async () => {
    const began = watch.nowMs()
    let most = 0
    let isOver = false
    const asking = pagesFor(CALLERS, CALLED_S).finally(() => {
      isOver = true
    })
    while (!isOver) {
      most = Math.max(most, await value())
      await delay(LOOK_EVERY_MS)
    }
    const { pages, tookMs, latencies, why } = await asking
    const at = watch.firstAtMs('storefront', GROWS, began)
    told.push(
      `storefront: ${pages} pages, ${perSecond(pages, tookMs)}/s, ${tellLatencies(latencies)}`,
      `storefront: ${GROWS} ready after ${at === null ? 'never' : seconds(at - began)}, ${watch.mostReady('storefront')} at most; ${most} in flight`,
    )
    expect(why).toEqual([])
    // Not all of them at each moment: some read what they were given.
    expect(most).toBeGreaterThan((GROWS - 1) * CALLERS_PER_REPLICA)
    expect(most).toBeLessThanOrEqual(CALLERS)
    expect(watch.mostReady('storefront')).toBeGreaterThanOrEqual(GROWS)
    expect(watch.mostReady('storefront')).toBeLessThanOrEqual(CALLERS / CALLERS_PER_REPLICA)
  })

  test('sleeps again when nobody comes any more', async () => {
    const over = watch.nowMs()
    await watch.until('storefront', '0/0', REST_WITHIN_MS)
    told.push(`storefront: asleep ${seconds(watch.nowMs() - over)} after the last page`)
    expect(await value()).toBe(0)
  })

  test('wakes for the door again when ours is put back', async () => {
    await putOursBack()
    const triggers = '--output=jsonpath={.spec.triggers[*].type}'
    const of = ['get', 'scaledobject', 'storefront', `--namespace=${NAMESPACE}`, triggers]
    expect(await kubectl.run(...of)).toBe('prometheus external-push')
    expect(await askOnce({ path: '/api/goods?limit=5' })).toBeNull()
    expect(await askOnce({ path: '/p/LMP-0101' })).toBeNull()
  })

  /** Of callers that each ask again as soon as they are answered, for so many seconds, at least once. */
  async function pagesFor(callers: number, forS: number): Promise<Asked> {
    const args = [PAGE_CALLERS, interceptor, HOST, String(callers), String(forS)]
    return JSON.parse(await inside(holderOf(place).pid, process.execPath, args)) as Asked
  }

  /** Requests in flight, as the autoscaler is told. */
  async function value(): Promise<number> {
    const of = ['get', 'scaledobject', 'storefront', `--namespace=${NAMESPACE}`]
    const metric = await kubectl.run(...of, '--output=jsonpath={.status.externalMetricNames[0]}')
    if (metric === '') throw new Error('KEDA has not seen it')
    return askForValue('storefront', metric)
  }

  async function sleepSooner(): Promise<void> {
    const behavior = { scaleDown: { stabilizationWindowSeconds: QUIET_S } }
    const spec = { cooldownPeriod: QUIET_S, advanced: { horizontalPodAutoscalerConfig: { behavior } } }
    const patch = `--patch=${JSON.stringify({ spec })}`
    await kubectl.run(
      'patch',
      'scaledobject',
      'storefront',
      `--namespace=${NAMESPACE}`,
      '--type=merge',
      patch,
    )
  }

  /** Once more at the end, should a test have failed before it did. */
  async function putOursBack(): Promise<void> {
    if (isOurs) return
    await kubectl.run('delete', '--ignore-not-found', '--filename', PUBLISHED)
    await applyShop(kubectl, planAt(place))
    isOurs = true
  }
})
