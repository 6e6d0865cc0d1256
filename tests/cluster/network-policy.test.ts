import { join } from 'node:path'
import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import {
  addNetworkPolicies,
  hasNetworkPolicies,
  lackOfPolicies,
  removeNetworkPolicies,
} from '@tideshop/cluster/network-policies'
import { DOOR, NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { shopImage } from '@tideshop/cluster/shop-images'
import { plainLines } from '@tideshop/run/progress'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Port, PRODUCTION, templateOf } from '../shared/production.ts'
import { ended, promiseFor } from '../system/door.ts'

/**
 * Who reaches whom under the NetworkPolicies of production, enforced. Doors are real; Kafka, MongoDB and RabbitMQ are played by pods with
 * the labels and ports that production gives them.
 */

const lacks = [...inject('lacks'), lackOfPolicies(process.env)].filter((lack) => lack !== null)
if (inject('lacks').length === 0 && lacks.length > 0)
  console.warn(`NetworkPolicies are not asked: ${lacks.join(', ')}`)

const POLICIES = join(PRODUCTION, 'network-policy.yaml')
const OUTSIDE = 'outside-of-the-shop'
const OF_SHOP = { 'app.kubernetes.io/part-of': 'tideshop' }

/** A rule needs its next synchronisation, and who asks a Node. */
const PATIENCE = { timeout: 30_000, interval: 1000 }
const WITHIN = '--timeout=120s'
/** Milliseconds after which somebody who says nothing is not reached. */
const CONNECT_MS = 1500

type Pod = { name: string; namespace: string; labels: Record<string, string>; ports: Port[] }

/** Says which of `host:port …` take a connection. */
const CALLS = `
const reached = (address) => new Promise((resolve) => {
  const [host, port] = address.split(':')
  const socket = require('node:net').connect({ host, port, timeout: ${CONNECT_MS} })
  const end = (is) => { socket.destroy(); resolve(is) }
  socket.once('connect', () => end(true)).once('error', () => end(false)).once('timeout', () => end(false))
})
Promise.all(process.argv.slice(1).map(reached)).then((all) => console.log(JSON.stringify(all)))`
/** Takes connections at each of its ports. */
const LISTENS = "for (const port of process.argv.slice(1)) require('node:net').createServer().listen(port)"

describe.skipIf(lacks.length > 0)('under the policies of production', () => {
  const place = placeOf(process.env)
  const { signal } = new AbortController()
  const stores = ['kafka', 'mongodb', 'rabbitmq'].map(playedBy)
  const callers: Pod[] = [
    { name: 'of-the-shop', namespace: NAMESPACE, labels: OF_SHOP, ports: [] },
    { name: 'beside-the-shop', namespace: NAMESPACE, labels: {}, ports: [] },
    { name: 'of-keda', namespace: 'keda', labels: {}, ports: [] },
    { name: 'outside', namespace: OUTSIDE, labels: {}, ports: [] },
    { ...playedBy('kafka'), name: 'kafka-peer' },
  ]
  const pods = [...stores, ...callers]
  let kubectl: Kubectl
  let wasThere = true
  let doors: { name: string; ip: string }[] = []
  /** By what it is called below. */
  let addresses: Record<string, string> = {}

  beforeAll(async () => {
    kubectl = kubectlAt(place)
    wasThere = await hasNetworkPolicies(place)
    await addNetworkPolicies(place, { env: process.env, report: plainLines(), signal })
    await kubectl.apply(`--namespace=${NAMESPACE}`, '--filename', POLICIES)
    await kubectl.given(namespaceOutside, 'apply')
    await kubectl.given({ apiVersion: 'v1', kind: 'List', items: pods.map(podOf) }, 'apply')
    for (const { name, namespace } of pods) {
      await kubectl.run('wait', `pod/${name}`, `--namespace=${namespace}`, '--for=condition=Ready', WITHIN)
    }
    await twoDoors()
    addresses = await addressesOf()
  })
  afterAll(async () => {
    await kubectl?.run('annotate', 'scaledobject', 'apigateway', `--namespace=${NAMESPACE}`, `${PAUSED}-`)
    for (const { name, namespace } of pods) {
      await kubectl?.run('delete', 'pod', name, `--namespace=${namespace}`, '--ignore-not-found', '--now')
    }
    await kubectl?.run('delete', 'namespace', OUTSIDE, '--ignore-not-found')
    await kubectl?.run('delete', `--namespace=${NAMESPACE}`, '--ignore-not-found', '--filename', POLICIES)
    if (!wasThere) await removeNetworkPolicies(place)
  })

  const open = ['door http', 'door dapr-internal']
  const ofStores = ['kafka kafka', 'mongodb mongodb', 'rabbitmq amqp']
  test.each([
    ['of-the-shop', [...ofStores, ...open, 'door dapr-metrics']],
    ['of-keda', [...ofStores, ...open, 'door wakes']],
    ['kafka-peer', [...ofStores, 'kafka controller', ...open, 'door dapr-metrics']],
    ['beside-the-shop', open],
    ['outside', open],
  ])('a pod %s reaches what it needs, and nothing else', async (name, expected) => {
    const caller = pods.find((pod) => pod.name === name) as Pod
    await expect.poll(() => reachedBy(caller.namespace, name), PATIENCE).toEqual(expected.toSorted())
  })

  test('a door reaches the other', async () => {
    const other = doors[1]?.name ?? ''
    const expected = [...ofStores, ...open, 'door dapr-metrics', 'door wakes'].toSorted()
    await expect.poll(() => reachedBy(NAMESPACE, other, '--container=app'), PATIENCE).toEqual(expected)
  })

  test('the shop does what it did', async () => {
    const uuid = await promiseFor({ url: DOOR }, 'anna')
    expect(await ended({ url: DOOR }, uuid)).toMatchObject({ state: 'completed' })
  })

  async function twoDoors(): Promise<void> {
    const ofDoor = ['scaledobject', 'apigateway', `--namespace=${NAMESPACE}`]
    await kubectl.run('annotate', ...ofDoor, '--overwrite', `${PAUSED}=2`)
    const ready = '--for=jsonpath={.status.readyReplicas}=2'
    await kubectl.run('wait', 'deployment/apigateway', `--namespace=${NAMESPACE}`, ready, WITHIN)
    const { items } = await kubectl.get<{ items: Listed[] }>(
      'pods',
      `--namespace=${NAMESPACE}`,
      '--selector=app=apigateway',
    )
    doors = items.map(({ metadata, status }) => ({ name: metadata.name, ip: status.podIP ?? '' }))
  }

  /** Of all ports that production names, and of those of one door, which Dapr's injector adds to. */
  async function addressesOf(): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const { name, ports } of stores) {
      const { status } = await kubectl.get<Listed>('pod', name, `--namespace=${NAMESPACE}`)
      for (const port of ports) found[`${name} ${port.name}`] = `${status.podIP}:${port.containerPort}`
    }
    const door = doors[0] ?? { name: '', ip: '' }
    const { spec } = await kubectl.get<Listed>('pod', door.name, `--namespace=${NAMESPACE}`)
    for (const { name, containerPort } of spec.containers.flatMap(({ ports }) => ports ?? [])) {
      found[`door ${name}`] = `${door.ip}:${containerPort}`
    }
    return found
  }

  async function reachedBy(namespace: string, pod: string, ...where: string[]): Promise<string[]> {
    const command = ['--', 'node', '-e', CALLS, ...Object.values(addresses)]
    const said = await kubectl.run('exec', pod, `--namespace=${namespace}`, ...where, ...command)
    const reached = JSON.parse(said) as boolean[]
    return Object.keys(addresses)
      .filter((_, index) => reached[index])
      .toSorted()
  }
})

const PAUSED = 'autoscaling.keda.sh/paused-replicas'

type Listed = {
  metadata: { name: string }
  spec: { containers: { ports?: Port[] }[] }
  status: { podIP?: string }
}

const namespaceOutside = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OUTSIDE } }

/** As production's StatefulSet of that name makes it, as far as a network is concerned. */
function playedBy(name: string): Pod {
  const { metadata, spec } = templateOf(name)
  return { name, namespace: NAMESPACE, labels: metadata.labels, ports: spec.containers[0].ports }
}

function podOf({ name, namespace, labels, ports }: Pod) {
  const listened = ports.map(({ containerPort }) => String(containerPort))
  // Of one that listens nowhere there is still somebody who asks.
  const stays = 'setInterval(() => {}, 60_000);'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'played',
          image: shopImage('pricing'),
          imagePullPolicy: 'Never',
          command: ['node', '-e', stays + LISTENS, ...listened],
          ports,
        },
      ],
    },
  }
}
