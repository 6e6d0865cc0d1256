import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { holderOf } from '@tideshop/cluster/record'
import { applyShop } from '@tideshop/cluster/shop'
import { inside } from '@tideshop/cluster/space'
import { root } from '@tideshop/run/arguments'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { ReplicaWatch, seconds } from './replicas.ts'

/**
 * System D had 11 nodes and 280 pods. Here the nodes and what runs on them are played by KWOK, while all that decides is
 * real: lag in Kafka, KEDA, the autoscaler, the scheduler, Dapr's injector.
 */

const lacks = inject('lacks')

const NODES = Array.from({ length: 11 }, (_, index) => `played-${index}`)
/** 280 in all, of those whose trigger is lag: a door that is played makes no calls. */
const PODS = { operations: 94, users: 93, approvals: 93 }
const services = Object.keys(PODS)
/** Enough for the greatest number at the highest threshold: operations has one replica for every 100. */
const WAITING = 10_000
const GROWN_WITHIN_MS = 180_000
const REST_WITHIN_MS = 180_000

const LAG = fileURLToPath(new URL('lag.ts', import.meta.url))
const PLAYED = { key: 'kwok.x-k8s.io/node', value: 'fake', effect: 'NoSchedule' }

describe.skipIf(lacks.length > 0)(`on ${NODES.length} played nodes`, () => {
  const place = placeOf(process.env)
  const told: string[] = []
  let watch: ReplicaWatch
  let kwok: ChildProcess

  beforeAll(async () => {
    watch = new ReplicaWatch()
    const { binaries, manifests } = planAt(place)
    const settings = ['--manage-all-nodes=false', '--manage-nodes-with-label-selector=type=kwok']
    kwok = spawn(
      binaries.kwok,
      [`--kubeconfig=${place.kubeconfig}`, `--config=${manifests.kwok}`, ...settings],
      // A line for each pod that it plays.
      { stdio: ['ignore', 'ignore', openSync(join(place.logs, 'kwok.log'), 'a')] },
    )
    const kubectl = kubectlAt(place)
    for (const name of NODES) await kubectl.post('/api/v1/nodes', node(name))
  })

  afterAll(async () => {
    process.stdout.write(`\n${told.map((line) => `  ${line}\n`).join('')}`)
    watch?.[Symbol.dispose]()
    const kubectl = kubectlAt(place)
    for (const service of services) await placeOn(service, { nodeSelector: null, tolerations: null })
    await applyShop(kubectl, planAt(place))
    await kubectl.run('delete', 'nodes', ...NODES)
    kwok?.kill()
  })

  test('the shop grows to 280 pods by its own ScaledObjects, and back to none', async () => {
    for (const service of services) await watch.until(service, '0/0', REST_WITHIN_MS)
    for (const [service, most] of Object.entries(PODS)) await playAll(service, most)

    const began = watch.nowMs()
    await lag('make', String(WAITING))
    for (const [service, most] of Object.entries(PODS)) {
      await watch.until(service, `${most}/${most}`, GROWN_WITHIN_MS)
    }
    told.push(`0 → 280 pods ready after ${seconds(watch.nowMs() - began)}`)

    const over = watch.nowMs()
    await lag('clear')
    for (const service of services) await watch.until(service, '0/0', REST_WITHIN_MS)
    told.push(`280 → 0 after ${seconds(watch.nowMs() - over)}`)
    expect(services.map((service) => watch.mostReady(service))).toEqual(Object.values(PODS))
  })

  /** Its pods go to the played nodes, and may be more than there are partitions: they hear nothing anyway. */
  async function playAll(service: string, most: number): Promise<void> {
    const kubectl = kubectlAt(place)
    const inNamespace = [`--namespace=${NAMESPACE}`]
    await placeOn(service, { nodeSelector: { type: 'kwok' }, tolerations: [PLAYED] })
    type ScaledObject = { spec: { triggers: { type: string; metadata: Record<string, string> }[] } }
    const { spec } = await kubectl.get<ScaledObject>('scaledobject', service, ...inNamespace)
    const triggers = spec.triggers
      .filter(({ type }) => type === 'kafka')
      .map(({ type, metadata: { ensureEvenDistributionOfPartitions: _, ...metadata } }) => ({
        type,
        metadata: { ...metadata, allowIdleConsumers: 'true' },
      }))
    const scaled = JSON.stringify({
      spec: { maxReplicaCount: most, triggers, advanced: asPublished(service) },
    })
    await kubectl.run('patch', 'scaledobject', service, ...inNamespace, '--type=merge', `--patch=${scaled}`)
  }

  async function placeOn(service: string, pod: object): Promise<void> {
    const patch = JSON.stringify({ spec: { template: { spec: pod } } })
    const of = [`--namespace=${NAMESPACE}`, '--type=merge', `--patch=${patch}`]
    await kubectlAt(place).run('patch', 'deployment', service, ...of)
  }

  async function lag(what: 'make' | 'clear', ...count: string[]): Promise<void> {
    const args = [LAG, what, services.join(','), ...count]
    await inside(holderOf(place).pid, process.execPath, args)
  }
})

/** By the steps of keda/, which overlays/local shortens for pods that take processor time to start: played ones take none. */
function asPublished(service: string): object {
  return parse(readFileSync(join(root, `keda/${service}.yaml`), 'utf8')).spec.advanced
}

function node(name: string) {
  const room = { cpu: '32', memory: '256Gi', pods: '110' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { type: 'kwok', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
    },
    spec: { taints: [PLAYED] },
    status: { allocatable: room, capacity: room },
  }
}
