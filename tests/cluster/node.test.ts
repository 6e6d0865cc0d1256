import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { isNodeReady } from '@tideshop/cluster/node'
import { FIRST_NODE, NAMESPACE, placeOf, SECOND_NODE } from '@tideshop/cluster/place'
import { addNode, hasNode, loseNode, removeNode } from '@tideshop/cluster/second-node'
import { plainLines } from '@tideshop/run/progress'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { seconds } from './replicas.ts'
import { BACK_WITHIN_MS, inNamespace, podsOf, rolledOut, SERVICES, Stage } from './stage.ts'
import { untilHappy } from './triggers.ts'

/**
 * A shop on two nodes, of which one is drained, and one is lost. As in production there are two of each service that a caller waits for;
 * whoever listens sleeps before.
 */

const lacks = inject('lacks')

const PAIRS = ['apigateway', 'operations']
const LOAD = { callers: 5, perSecond: 3 }
const DRAINED_WITHIN = '--timeout=300s'
/** Kubernetes calls a node lost that has said nothing for 50 s. */
const MISSED_WITHIN_MS = 90_000
const ASLEEP_WITHIN_MS = 120_000
const PAUSED = 'autoscaling.keda.sh/paused-replicas'

describe.skipIf(lacks.length > 0)('on two nodes', () => {
  const place = placeOf(process.env)
  const { signal } = new AbortController()
  let kubectl: Kubectl
  let stage: Stage
  let wasThere = true

  beforeAll(async () => {
    kubectl = kubectlAt(place)
    stage = new Stage()
    wasThere = await hasNode(place)
    await addNode(place, { env: process.env, report: plainLines(), signal })
    await inNamespace('annotate', 'scaledobject', ...PAIRS, '--overwrite', `${PAUSED}=2`)
  })
  afterAll(async () => {
    stage?.[Symbol.dispose]()
    await kubectl?.run('uncordon', FIRST_NODE.name)
    await inNamespace('annotate', 'scaledobject', ...PAIRS, `${PAUSED}-`)
    if (!wasThere) await removeNode(place)
  })

  // Whether somebody is asked to repeat is told and not demanded: all that moves starts on the same two cores. Demanded is it in faults.test.ts.
  test('one is drained, and all that was promised is kept', async () => {
    // Who sleeps wakes there too.
    await kubectl.run('cordon', FIRST_NODE.name)
    await startAnew()
    const drain = async () => {
      await stage.untilDoorsTell()
      await kubectl.run('uncordon', FIRST_NODE.name)
      const drained = ['drain', SECOND_NODE.name, '--delete-emptydir-data', DRAINED_WITHIN]
      // One after the other, since the other node is on the same two cores: what starts there would take them from who serves.
      for (const service of SERVICES) await kubectl.run(...drained, `--pod-selector=app=${service}`)
      await kubectl.run(...drained)
      expect(await nodesOf(...SERVICES)).not.toContain(SECOND_NODE.name)
      await stage.untilAllServe()
      await kubectl.run('uncordon', SECOND_NODE.name)
    }
    await stage.happening('drained node', drain, LOAD)
  })

  test('one is lost with whatever ran on it, and all that was promised is kept', async () => {
    await startAnew()
    await letKedaListenTo(SECOND_NODE.name)
    for (const service of PAIRS) {
      expect(new Set(await nodesOf(service)), service).toEqual(new Set([FIRST_NODE.name, SECOND_NODE.name]))
    }
    const lose = async () => {
      const lostAt = stage.watch.nowMs()
      await loseNode(place)
      const serves = () => isNodeReady(kubectl, SECOND_NODE)
      await expect.poll(serves, { timeout: MISSED_WITHIN_MS, interval: 500 }).toBe(false)
      stage.tell(`missed after ${seconds(stage.watch.nowMs() - lostAt)}`)
      await untilHappy()
    }
    await stage.happening('lost node', lose, LOAD)
    // Whoever lost its host goes on scaling.
    for (const service of ['users', 'approvals']) await stage.watch.until(service, '0/0', ASLEEP_WITHIN_MS)
  })

  /** New replicas of what is awake, where they may be. */
  async function startAnew(): Promise<void> {
    for (const service of PAIRS) await stage.watch.until(service, '2/2', BACK_WITHIN_MS)
    const awake = [...PAIRS, 'jobs']
    await inNamespace('rollout', 'restart', ...awake.map((service) => `deployment/${service}`))
    await rolledOut(...awake)
  }

  /** It keeps to the door that it found, and turns to another when that one leaves: here to the one on this node. */
  async function letKedaListenTo(node: string): Promise<void> {
    const doors = await podsOf(`--namespace=${NAMESPACE}`, '--selector=app=apigateway')
    const others = doors.filter(({ spec }) => spec.nodeName !== node)
    for (const { metadata } of others) await inNamespace('delete', 'pod', metadata.name)
    await rolledOut('apigateway')
  }

  /** The node of each pod of these services. */
  async function nodesOf(...services: string[]): Promise<string[]> {
    const pods = await podsOf(`--namespace=${NAMESPACE}`, `--selector=app in (${services.join(',')})`)
    return pods.map(({ spec }) => spec.nodeName ?? 'none yet')
  }
})
