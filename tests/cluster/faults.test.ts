import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { killPart, startPart } from '@tideshop/cluster/restart'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { clusterApi } from './api.ts'
import { demandKept, underLoad } from './ledger.ts'
import { ReplicaWatch, seconds } from './replicas.ts'
import { readTriggers, untilHappy } from './triggers.ts'

/** What an operator does to a cluster, and what happens to one, while callers stand at the door. */

const lacks = inject('lacks')

const SERVICES = ['apigateway', 'operations', 'users', 'approvals']
/** Modest, so that two cores have room for what is done to them. */
const LOAD = { callers: 10, perSecond: 7 }
const KEDA = ['--namespace=keda', '--selector=app=keda-operator']
const ROLLED_WITHIN_MS = 300_000
const BACK_WITHIN_MS = 120_000
const PROMETHEUS_READERS = ['apigateway', 'operations']
/** `fallback.failureThreshold` in keda/: that many times in a row KEDA is not answered before it falls back. */
const FAILURES_BEFORE_FALLBACK = 10
const BLIND_WITHIN_MS = 120_000

const TOLD =
  /^tideshop_rpc_seconds_count\{.*rpc="tideshop\.apigateway\.v1\.Apigateway\/Tell".*code="OK".*\} (\d+)$/m

describe.skipIf(lacks.length > 0)('under load, with the ledger closed at the end,', () => {
  const place = placeOf(process.env)
  const told: string[] = []
  let watch: ReplicaWatch
  let kubectl: Kubectl

  beforeAll(() => {
    kubectl = kubectlAt(place)
    watch = new ReplicaWatch()
  })
  afterAll(() => {
    watch?.[Symbol.dispose]()
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
  })

  test('a rollout of every service refuses nobody', async () => {
    const { failed } = await happening('rollout of all', async () => {
      await inNamespace('rollout', 'restart', 'deployment')
      const rolled = SERVICES.map((service) =>
        inNamespace('rollout', 'status', `deployment/${service}`, `--timeout=${ROLLED_WITHIN_MS / 1000}s`),
      )
      await Promise.all(rolled)
    })
    expect(failed).toEqual([])
  })

  test('an eviction of every pod, as a drain of its node does it, refuses nobody', async () => {
    const { failed } = await happening('eviction of all', async () => {
      // A lone door may be evicted as well, or its node could not be drained; whoever wants no gap has two.
      await expect.poll(() => watch.ready('apigateway'), { timeout: BACK_WITHIN_MS }).toBeGreaterThan(1)
      await expect.poll(toldByOtherDoors, { timeout: BACK_WITHIN_MS, interval: 500 }).toBeGreaterThan(0)
      for (const pod of await podsOf(`--namespace=${NAMESPACE}`)) await evict(pod)
      await untilAllServe()
    })
    expect(failed).toEqual([])
  })

  test.for(['operations', 'users', 'approvals'])('a killed pod of %s loses nothing', async (service) => {
    await happening(`killed pod of ${service}`, async () => {
      const [pod = ''] = await podsOf(`--namespace=${NAMESPACE}`, `--selector=app=${service}`)
      await inNamespace('delete', 'pod', pod, '--grace-period=0', '--force')
      await untilAllServe()
    })
  })

  test('a killed KEDA leaves the replicas as they are, and scales on when it is back', async () => {
    await happening('killed KEDA', async () => {
      const before = new Set(await podsOf(...KEDA))
      const from = watch.nowMs()
      await kubectl.run('delete', 'pod', ...KEDA, '--grace-period=0', '--force')
      await expect
        .poll(async () => (await podsOf(...KEDA)).filter((pod) => !before.has(pod)), {
          timeout: BACK_WITHIN_MS,
        })
        .not.toEqual([])
      await untilHappy()
      for (const service of SERVICES) expect(watch.leastWanted(service, from), service).toBeGreaterThan(0)
    })
  })

  test('an outage of Prometheus puts nothing to sleep', async () => {
    await happening('outage of Prometheus', async () => {
      const from = watch.nowMs()
      await killPart(place, 'prometheus')
      try {
        await expect
          .poll(fallenBack, { timeout: BLIND_WITHIN_MS, interval: 500 })
          .toEqual(expect.arrayContaining(PROMETHEUS_READERS.map((service) => `${service} s0-prometheus`)))
        for (const service of PROMETHEUS_READERS) {
          expect(watch.leastWanted(service, from), service).toBeGreaterThan(0)
        }
      } finally {
        startPart(place, 'prometheus')
      }
      await untilHappy()
    })
  })

  test('a broker that is killed and comes back loses nothing', async () => {
    await happening('restart of Kafka', async () => {
      await killPart(place, 'kafka')
      startPart(place, 'kafka')
      await untilHappy()
    })
  })

  /** Something happens to a shop that is at work; whatever it is, no promise may be lost or kept twice. */
  async function happening(what: string, happens: () => Promise<void>) {
    const began = watch.nowMs()
    const called = await underLoad(LOAD, async () => {
      await untilAllServe()
      await happens()
    })
    await demandKept(called.promised)
    const took = seconds(watch.nowMs() - began)
    told.push(`${what}: ${called.promised.length} promises, ${called.failed.length} asked to repeat, ${took}`)
    return called
  }

  /** How often a door heard from another what that one saw, by which KEDA hears of it. */
  async function toldByOtherDoors(): Promise<number> {
    const doors = await podsOf(`--namespace=${NAMESPACE}`, '--selector=app=apigateway')
    const ways = doors.map((pod) => `/api/v1/namespaces/${NAMESPACE}/pods/${pod}:8080/proxy/metrics`)
    // One that comes or leaves has none.
    const metrics = await Promise.all(
      ways.map((way) =>
        clusterApi()
          .text(way)
          .catch(() => ''),
      ),
    )
    return metrics.map(toldIn).reduce((one, other) => one + other, 0)
  }

  async function untilAllServe(): Promise<void> {
    const asleep = () => SERVICES.filter((service) => watch.ready(service) === 0)
    await expect.poll(asleep, { timeout: BACK_WITHIN_MS }).toEqual([])
  }

  async function fallenBack(): Promise<string[]> {
    const blind = (await readTriggers()).filter(({ failures }) => failures > FAILURES_BEFORE_FALLBACK)
    return blind.map(({ name }) => name)
  }

  function inNamespace(...args: string[]): Promise<string> {
    return kubectl.run(...args, `--namespace=${NAMESPACE}`)
  }

  async function podsOf(...which: string[]): Promise<string[]> {
    const { items } = await kubectl.get<{ items: Pod[] }>('pods', ...which)
    return items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name)
  }

  /** Repeated while a PodDisruptionBudget says that another one is under way. */
  async function evict(pod: string): Promise<void> {
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace: NAMESPACE },
    }
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`
    const asked = () => kubectl.post(path, eviction).then(() => 'evicted', tellEviction)
    await expect.poll(asked, { timeout: ROLLED_WITHIN_MS, interval: 500 }).toMatch(/evicted|NotFound/)
  }
})

type Pod = { metadata: { name: string; deletionTimestamp?: string } }

function tellEviction({ message }: Error): string {
  return message
}

function toldIn(metrics: string): number {
  return Number(TOLD.exec(metrics)?.[1] ?? 0)
}
