import { randomUUIDv7 } from 'node:crypto'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { applyShop } from '@tideshop/cluster/shop'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { askPrometheus, unscraped } from './prometheus.ts'
import { askOnce, type Question, whileAsked } from './readers.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { setMost, setThreshold } from './triggers.ts'

/**
 * Services that are asked and answer at once: each sleeps, is woken by its first caller, grows, and sleeps again. By a quarter of the calls
 * that keda/ has for one replica, and so by a quarter of the load: how they grow is the same, and two slow cores carry it as well.
 */

const lacks = inject('lacks')
const place = placeOf(process.env)

const basket = { lines: [{ sku: 'TEA-0101', unitPriceCents: 490, quantity: 3 }] }
type Reader = { service: string; question: Question; forOne: number; perSecond: number; grows: number }
/** While one is asked, those before it fall asleep: who is woken by another's work comes long after that one. */
const READERS: Reader[] = [
  // With it wakes catalog.
  { service: 'storefront', question: { path: '/p/LMP-0101' }, forOne: 2.5, perSecond: 8, grows: 2 },
  {
    service: 'pricing',
    question: { method: 'POST', path: '/api/prices/quote', body: basket },
    forOne: 10,
    perSecond: 16,
    grows: 2,
  },
  {
    service: 'basket',
    question: { path: '/api/basket', cookie: `tideshop-customer=${randomUUIDv7()}` },
    forOne: 10,
    perSecond: 23,
    grows: 2,
  },
  { service: 'catalog', question: { path: '/api/goods?limit=5' }, forOne: 5, perSecond: 15, grows: 3 },
]
const DOORS = 2
const REST_WITHIN_MS = 120_000
const GROWN_WITHIN_MS = 120_000
const SCRAPED_WITHIN_MS = 60_000
/** Longer than a query looks back for what is new, with a look of KEDA's. */
const SEEN_FOR_S = 15

describe.skipIf(lacks.length > 0)('of the services that answer at once', () => {
  const told: string[] = []
  let watch: ReplicaWatch

  beforeAll(async () => {
    watch = new ReplicaWatch()
    await setMost(kubectlAt(place), 'apigateway', DOORS)
  })
  afterAll(async () => {
    await applyShop(kubectlAt(place), planAt(place))
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  describe.for(READERS)('$service', ({ service, question, forOne, perSecond, grows }) => {
    beforeAll(() => setThreshold(kubectlAt(place), service, 0, forOne))

    test('answers the caller who finds it asleep', async () => {
      await watch.until(service, '0/0', REST_WITHIN_MS)
      const began = watch.nowMs()
      expect(await askOnce(question)).toBeNull()
      told.push(`${service}: first answer of a sleeping service after ${seconds(watch.nowMs() - began)}`)
    })

    test(`grows to ${grows} at ${perSecond} questions a second, and refuses none`, async () => {
      const began = watch.nowMs()
      const { answered, failed } = await whileAsked(question, perSecond, () =>
        expect
          .poll(() => watch.ready(service), { timeout: GROWN_WITHIN_MS, interval: 100 })
          .toBeGreaterThanOrEqual(grows),
      )
      told.push(`${service}: ${grows} ready after ${seconds(watch.nowMs() - began)}, ${answered} answers`)
      expect(failed).toEqual([])
    })
  })

  test.for(READERS)('$service sleeps again', async ({ service }) => {
    const over = watch.nowMs()
    await watch.until(service, '0/0', REST_WITHIN_MS)
    told.push(`${service}: asleep ${seconds(watch.nowMs() - over)} after all questions`)
  })

  test('none wakes because a door could not be scraped for a moment', async () => {
    const known = await Promise.all(READERS.map(({ service }) => seriesOf(service)))
    expect(known.filter(Boolean).length).toBeGreaterThan(0)
    const from = watch.nowMs()
    const patience = { timeout: SCRAPED_WITHIN_MS, interval: 250 }
    await unscraped(place, () => expect.poll(() => askPrometheus('max(up{job="doors"})'), patience).toBe(0))
    const seen = `min(min_over_time(up{job="doors"}[${SEEN_FOR_S}s]))`
    await expect.poll(() => askPrometheus(seen), patience).toBe(1)
    for (const { service } of READERS) expect(watch.mostWanted(service, from), service).toBe(0)
  })

  /** How many the doors have of calls to it: what they could seem to have called anew. */
  function seriesOf(service: string): Promise<number | null> {
    const http = `dapr_http_server_request_count{app_id="apigateway",path=~".*/invoke/${service}/.*"}`
    const grpc = `dapr_grpc_io_server_completed_rpcs{app_id="apigateway",grpc_server_method=~"/tideshop[.]${service}[.].*"}`
    return askPrometheus(`count(${http}) or count(${grpc})`)
  }
})
