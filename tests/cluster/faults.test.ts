import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { killPart, startPart } from '@tideshop/cluster/restart'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { BACK_WITHIN_MS, inNamespace, isReady, podsOf, rolledOut, SERVICES, Stage } from './stage.ts'
import { readTriggers, untilHappy } from './triggers.ts'

/** What an operator does to a cluster, and what happens to one, while callers stand at the door. */

const lacks = inject('lacks')

const KEDA = ['--namespace=keda', '--selector=app=keda-operator']
const PROMETHEUS_READERS = ['apigateway', 'operations']
/** `fallback.failureThreshold` in keda/: that many times in a row KEDA is not answered before it falls back. */
const FAILURES_BEFORE_FALLBACK = 10
const BLIND_WITHIN_MS = 120_000
const EVICTED_WITHIN_MS = 300_000

describe.skipIf(lacks.length > 0)('under load, with the ledger closed at the end,', () => {
  const place = placeOf(process.env)
  let stage: Stage
  let kubectl: Kubectl

  beforeAll(() => {
    kubectl = kubectlAt(place)
    stage = new Stage()
  })
  afterAll(() => stage?.[Symbol.dispose]())

  test('a rollout of every service refuses nobody', async () => {
    const { failed } = await stage.happening('rollout of all', async () => {
      await inNamespace('rollout', 'restart', 'deployment')
      await rolledOut(...SERVICES)
    })
    expect(failed).toEqual([])
  })

  test('an eviction of every pod refuses nobody', async () => {
    const { failed } = await stage.happening('eviction of all', async () => {
      // A lone door may be evicted as well, or its node could not be drained; whoever wants no gap has two.
      await stage.untilDoorsTell()
      const pods = await namesOf(`--namespace=${NAMESPACE}`)
      for (const pod of pods) await evict(pod)
      await untilServedWithout(pods)
    })
    expect(failed).toEqual([])
  })

  test.for(['operations', 'users', 'approvals'])('a killed pod of %s loses nothing', async (service) => {
    await stage.happening(`killed pod of ${service}`, async () => {
      const [pod = ''] = await namesOf(`--namespace=${NAMESPACE}`, `--selector=app=${service}`)
      await inNamespace('delete', 'pod', pod, '--grace-period=0', '--force')
      await untilServedWithout([pod])
    })
  })

  test('a killed KEDA leaves the replicas as they are, and scales on when it is back', async () => {
    await stage.happening('killed KEDA', async () => {
      const before = new Set(await namesOf(...KEDA))
      const from = stage.watch.nowMs()
      await kubectl.run('delete', 'pod', ...KEDA, '--grace-period=0', '--force')
      await expect
        .poll(async () => (await namesOf(...KEDA)).filter((pod) => !before.has(pod)), {
          timeout: BACK_WITHIN_MS,
        })
        .not.toEqual([])
      await untilHappy()
      for (const service of SERVICES)
        expect(stage.watch.leastWanted(service, from), service).toBeGreaterThan(0)
    })
  })

  test('an outage of Prometheus puts nothing to sleep', async () => {
    await stage.happening('outage of Prometheus', async () => {
      const from = stage.watch.nowMs()
      await killPart(place, 'prometheus')
      try {
        await expect
          .poll(fallenBack, { timeout: BLIND_WITHIN_MS, interval: 500 })
          .toEqual(expect.arrayContaining(PROMETHEUS_READERS.map((service) => `${service} s0-prometheus`)))
        for (const service of PROMETHEUS_READERS) {
          expect(stage.watch.leastWanted(service, from), service).toBeGreaterThan(0)
        }
      } finally {
        startPart(place, 'prometheus')
      }
      await untilHappy()
    })
  })

  test('a broker that is killed and comes back loses nothing', async () => {
    await stage.happening('restart of Kafka', async () => {
      await killPart(place, 'kafka')
      startPart(place, 'kafka')
      await untilHappy()
    })
  })

  /** Until each service has another one that serves. For a moment its Deployment tells of one that is gone as before. */
  async function untilServedWithout(gone: string[]): Promise<void> {
    const unserved = async () => {
      const pods = await podsOf(`--namespace=${NAMESPACE}`)
      const others = pods.filter((pod) => isReady(pod) && !gone.includes(pod.metadata.name))
      return SERVICES.filter((service) => others.every(({ metadata }) => metadata.labels['app'] !== service))
    }
    await expect.poll(unserved, { timeout: BACK_WITHIN_MS, interval: 1000 }).toEqual([])
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
    await expect.poll(asked, { timeout: EVICTED_WITHIN_MS, interval: 500 }).toMatch(/evicted|NotFound/)
  }

  async function fallenBack(): Promise<string[]> {
    const blind = (await readTriggers()).filter(({ failures }) => failures > FAILURES_BEFORE_FALLBACK)
    return blind.map(({ name }) => name)
  }
})

async function namesOf(...which: string[]): Promise<string[]> {
  return (await podsOf(...which)).map(({ metadata }) => metadata.name)
}

function tellEviction({ message }: Error): string {
  return message
}
