import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { INVOICE_QUEUE } from '@tideshop/contracts/invoices'
import { topicPlans, topics } from '@tideshop/contracts/topics'
import { root } from '@tideshop/run/arguments'
import { describe, expect, test } from 'vitest'
import { ALWAYS_ONE, OVERLAYS, objectsIn, objectsOf, services, yaml } from './manifests.ts'

type Trigger = { type: string; metadata: Record<string, string> }

/** What a door's sidecar counts, of what nobody asked for, by the label that tells it apart. */
const PROBES: Record<string, string[]> = {
  path: ['/v1.0/healthz', '/v1.0/healthz/outbound', '/v1.0/state/settings'],
  grpc_server_method: ['/dapr.proto.runtime.v1.Dapr/GetMetadata', '/grpc.health.v1.Health/Check'],
}
/** What is demand on a service, by its name and the same label; the door's is any. */
const CALLS: Record<string, string[]> = {
  'basket path': ['/v1.0/invoke/basket/method/basket', '/v1.0/invoke/basket/method/basket/change'],
  'storefront path': ['/v1.0/invoke/storefront/method/page'],
  'orders path': ['/v1.0/invoke/orders/method/order/place', '/v1.0/invoke/orders/method/orders'],
  'catalog path': [
    '/v1.0/invoke/catalog/method/goods',
    '/v1.0/actors/StockActor/LMP-0101/method/reserve',
    // A page is made of goods.
    '/v1.0/invoke/storefront/method/page',
  ],
}
const CALL: Record<string, string> = {
  path: '/v1.0/invoke/operations/method/operation/create',
  grpc_server_method: '/tideshop.pricing.v1.Pricing/Quote',
}

/** Where a query sees the last call for some seconds; payments stay for as long as the provider may be late. */
const COOLDOWN_S: Record<string, number> = {
  operations: 12,
  storefront: 12,
  catalog: 12,
  basket: 12,
  orders: 12,
  pricing: 12,
  payments: 30,
}

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const scalers = objectsOf(overlay).filter(({ kind }) => kind === 'ScaledObject')

  const scaled = services.filter((service) => !ALWAYS_ONE.includes(service))

  test('scales every service but those that are always one, and nothing else', () => {
    expect(scalers.map(({ metadata }) => metadata.name).sort()).toEqual(scaled.sort())
  })

  test('watches each topic for whoever hears it', () => {
    const watched = scalers.flatMap(({ metadata, spec }) =>
      kafkaOf(spec.triggers).map(({ topic, consumerGroup }) => [metadata.name, topic, consumerGroup]),
    )
    const heard = topics.map(({ name, listener }) => [listener, name, `${listener}.${name}`])
    expect(watched.sort()).toEqual(heard.sort())
  })

  describe.each(scaled)('%s', (service) => {
    const { spec } = scalers.find(({ metadata }) => metadata.name === service)
    const triggers: Trigger[] = spec.triggers

    test('has a partition for every replica', () => {
      for (const { topic } of kafkaOf(triggers)) {
        const plan = topicPlans().find(({ name }) => name === topic)
        expect(plan?.partitions).toBeGreaterThanOrEqual(spec.maxReplicaCount)
      }
    })

    test('begins with what waits', () => {
      for (const metadata of kafkaOf(triggers)) {
        expect(metadata).toMatchObject({ offsetResetPolicy: 'earliest', activationLagThreshold: '0' })
        // Each of them hides lag that is there.
        expect(metadata).not.toHaveProperty('excludePersistentLag')
        expect(metadata).not.toHaveProperty('limitToPartitionsWithLag')
      }
    })

    test('tells no answer from zero', () => {
      for (const { type, metadata } of triggers) {
        if (type === 'prometheus') expect(metadata['ignoreNullValues']).toBe('false')
      }
      expect(spec.fallback).toMatchObject({ behavior: 'currentReplicasIfHigher' })
      expect(spec.fallback.replicas).toBeGreaterThanOrEqual(Math.max(1, spec.minReplicaCount))
    })

    test('counts what was asked, and no probe', () => {
      for (const { label, passes } of filters(triggers)) {
        for (const call of CALLS[`${service} ${label}`] ?? [CALL[label] ?? ''])
          expect(passes(call)).toBe(true)
        expect(PROBES[label]?.filter(passes)).toEqual([])
      }
    })

    test('says how fast it grows and shrinks', () => {
      const { scaleUp, scaleDown } = spec.advanced.horizontalPodAutoscalerConfig.behavior
      expect(scaleUp.stabilizationWindowSeconds).toBe(0)
      expect(scaleUp.policies.length).toBeGreaterThan(0)
      expect(scaleDown.stabilizationWindowSeconds).toBeGreaterThan(0)
      expect(scaleDown.policies.length).toBeGreaterThan(0)
      expect(spec.pollingInterval).toBe(1)
      // What a query still sees of the last call comes before it: both together are what the head says.
      expect(spec.cooldownPeriod).toBe(overlay === 'production' ? 60 : (COOLDOWN_S[service] ?? 5))
    })
  })
})

test.each(['catalog', 'basket', 'pricing'])(
  'whoever calls %s counts: the doors, and storefront',
  (service) => {
    const { spec } = objectsOf('local').find(
      ({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === service,
    )
    const [{ metadata }] = spec.triggers
    const counted = [...metadata.query.matchAll(/app_id(=~|!=|=)"([^"]*)",(?:path|grpc_server_method)=~/g)]
    expect(counted.length).toBe(3)
    for (const [, operator, pattern] of counted) {
      const callers = ['apigateway', 'storefront'].filter(
        (caller) => new RegExp(`^(?:${pattern})$`).test(caller) === (operator !== '!='),
      )
      expect(callers).toEqual(['apigateway', 'storefront'])
    }
  },
)

describe('who sleeps is woken by the door at once', () => {
  const objects = objectsOf('local')
  const ofDoor = (kind: string, name = 'apigateway') =>
    objects.find((object) => object.kind === kind && object.metadata.name === name)
  const pushes = objects
    .filter(({ kind }) => kind === 'ScaledObject')
    .flatMap(({ metadata, spec }) =>
      (spec.triggers as Trigger[])
        .filter(({ type }) => type === 'external-push')
        .map((trigger) => [metadata.name, trigger.metadata] as const),
    )

  test('where the door calls it in vain', () => {
    const called = pushes.filter(([service, { calls = '' }]) => calls.split(',').includes(service))
    const answering = ['operations', 'catalog', 'pricing', 'basket', 'orders', 'storefront']
    expect(called.map(([service]) => service).toSorted()).toEqual(answering.toSorted())
  })

  test.each([
    ['user-create', 'operations'],
    ['order-stock', 'orders'],
  ])('where it hears %s, which comes of a change that %s took on', (topic, speaker) => {
    const listener = topics.find(({ name }) => name === topic)?.listener
    expect(pushes).toContainEqual([listener, expect.objectContaining({ changes: speaker })])
  })

  test('at a port that the door has', () => {
    const { spec } = ofDoor('Service')
    const { env, ports } = ofDoor('Deployment').spec.template.spec.containers[0]
    const { port, targetPort } = spec.ports.find(({ name }: { name: string }) => name === 'grpc-wakes')
    for (const [, { scalerAddress }] of pushes) expect(scalerAddress).toBe(`apigateway.tideshop.svc:${port}`)
    const { containerPort } = ports.find(({ name }: { name: string }) => name === targetPort)
    expect(env).toContainEqual({ name: 'WAKES_PORT', value: String(containerPort) })
  })

  test('by whichever door sees it: each finds all others', () => {
    const { template } = ofDoor('Deployment').spec
    const { env } = template.spec.containers[0]
    const { value: host } = env.find(({ name }: { name: string }) => name === 'DOORS_HOST')
    const { spec } = ofDoor('Service', host.replace('.tideshop.svc', ''))
    expect(spec.clusterIP).toBe('None')
    expect(template.metadata.labels).toMatchObject(spec.selector)
  })

  test('by ids that there are', () => {
    const named = pushes.flatMap(([, { calls, changes }]) => [calls, changes].join(',').split(','))
    expect(named.filter((appId) => appId !== '' && !services.includes(appId))).toEqual([])
  })
})

/** Their addresses are in no trigger, and have tests of their own. */
const ELSEWHERE = ['rabbitmq', 'mongodb']

test('no trigger leaves its namespace out: KEDA asks from another', () => {
  for (const { spec } of objectsOf('local').filter(({ kind }) => kind === 'ScaledObject')) {
    for (const { metadata } of (spec.triggers as Trigger[]).filter(({ type }) => !ELSEWHERE.includes(type))) {
      expect(metadata['bootstrapServers'] ?? metadata['serverAddress'] ?? metadata['scalerAddress']).toMatch(
        /^(http:\/\/)?\w+\.tideshop\.svc:\d+$/,
      )
    }
  }
})

test('a cluster starts with those asleep who sleep while nobody comes', () => {
  const { replicas } = yaml('k8s/asleep/kustomization.yaml') as {
    replicas: { name: string; count: number }[]
  }
  const sleepers = objectsOf('local')
    .filter(({ kind, spec }) => kind === 'ScaledObject' && spec.minReplicaCount === 0)
    .map(({ metadata }) => metadata.name)
  // Theirs make the queue that their trigger asks.
  const first = ['invoices']
  expect([...replicas.map(({ name }) => name), ...first].toSorted()).toEqual(sleepers.toSorted())
  expect(replicas.every(({ count }) => count === 0)).toBe(true)
})

test('who is unpaid keeps orders awake, and no second of them', () => {
  for (const overlay of OVERLAYS) {
    const { spec } = objectsOf(overlay).find(
      ({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === 'orders',
    )
    const { metadata } = (spec.triggers as Trigger[]).find(({ type }) => type === 'mongodb') ?? {}
    expect(metadata).toMatchObject({
      connectionStringFromEnv: 'MONGODB_URI',
      dbName: 'orders',
      collection: 'orders',
    })
    expect(JSON.parse(metadata?.['query'] ?? '')).toEqual({ 'body.status': { $in: ['reserving', 'paying'] } })
    const address = objectsOf(overlay).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('tideshop-'),
    )
    expect(address.data['MONGODB_URI']).toMatch(/^mongodb:\/\/[\w.-]+\.tideshop\.svc:/)
  }
})

test('docs/scaling.md says from how few to how many', () => {
  const text = readFileSync(join(root, 'docs/scaling.md'), 'utf8')
  for (const { metadata, spec } of objectsOf('kind').filter(({ kind }) => kind === 'ScaledObject')) {
    const row = new RegExp(
      `^\\| ${metadata.name} .*\\| ${spec.minReplicaCount}–${spec.maxReplicaCount} `,
      'm',
    )
    expect(text).toMatch(row)
  }
})

test('two cores start no more than four of each service that works at once', () => {
  const most = Object.fromEntries(
    objectsOf('local')
      .filter(({ kind }) => kind === 'ScaledObject')
      .map(({ metadata, spec }) => [metadata.name, spec.maxReplicaCount]),
  )
  expect(most).toEqual({ ...Object.fromEntries(Object.keys(most).map((name) => [name, 4])), invoices: 20 })
})

test.each(OVERLAYS)('in overlay %s KEDA is told the address of RabbitMQ by a Secret', (overlay) => {
  const objects = objectsOf(overlay)
  const find = (kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name)
  const [trigger] = find('ScaledObject', 'invoices').spec.triggers
  expect(trigger.metadata).toEqual({
    protocol: 'amqp',
    queueName: INVOICE_QUEUE,
    mode: 'QueueLength',
    value: '20',
    activationValue: '0',
  })
  const { secretTargetRef } = find('TriggerAuthentication', trigger.authenticationRef.name).spec
  expect(secretTargetRef).toEqual([{ parameter: 'host', name: 'rabbitmq', key: 'url' }])
  expect(find('Secret', 'rabbitmq').stringData.url).toMatch(/@rabbitmq\.tideshop\.svc:5672$/)
})

describe('as published', () => {
  const published = (service: string) => objectsIn(join(root, 'keda/as-published', `${service}.yaml`))[0]

  test('A: 3 requests a second, 1 to 10, over two minutes', () => {
    const { metadata, spec } = published('apigateway')
    expect([metadata.name, spec.scaleTargetRef.name]).toEqual(['apigateway', 'apigateway'])
    expect(spec).toMatchObject({ pollingInterval: 15, minReplicaCount: 1, maxReplicaCount: 10 })
    expect(spec.triggers[0].metadata).toMatchObject({
      query: 'sum(rate(dapr_http_server_request_count{app_id="apigateway"}[2m]))',
      threshold: '3',
    })
  })

  test('B: 20 that wait, 0 to 20, asked every 30 s, asleep after 300 s', () => {
    const { metadata, spec } = published('invoices')
    expect([metadata.name, spec.scaleTargetRef.name]).toEqual(['invoices', 'invoices'])
    expect(spec).toMatchObject({
      pollingInterval: 30,
      cooldownPeriod: 300,
      minReplicaCount: 0,
      maxReplicaCount: 20,
    })
    expect(spec.triggers).toMatchObject([
      { type: 'rabbitmq', metadata: { queueName: 'queue', mode: 'QueueLength', value: '20' } },
    ])
  })

  test('C: 50 % of the processor and 100 calls a second, 1 to 10', () => {
    const { metadata, spec } = published('pricing')
    expect([metadata.name, spec.scaleTargetRef.name]).toEqual(['pricing', 'pricing'])
    expect(spec).toMatchObject({ minReplicaCount: 1, maxReplicaCount: 10 })
    expect(spec.triggers).toMatchObject([
      { type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } },
      { type: 'prometheus', metadata: { threshold: '100' } },
    ])
  })

  test('D: a lag of 5', () => {
    const { metadata, spec } = published('approvals')
    expect([metadata.name, spec.scaleTargetRef.name]).toEqual(['approvals', 'approvals'])
    expect(spec.triggers[0].metadata).toMatchObject({ topic: 'user-approve', lagThreshold: '5' })
  })
})

function kafkaOf(triggers: Trigger[]): Record<string, string>[] {
  return triggers.filter(({ type }) => type === 'kafka').map(({ metadata }) => metadata)
}

type Filter = { label: string; passes: (value: string) => boolean }

/** Every filter by path or method of every query of Prometheus; one query without would be another test's green. */
function filters(triggers: Trigger[]): Filter[] {
  const asked = triggers.filter(({ type }) => type === 'prometheus')
  const queries = asked.flatMap(({ metadata }) => metadata['query'] ?? [])
  for (const query of queries) expect(query).toMatch(/(path|grpc_server_method)(=~|!~)"/)
  const found = queries.flatMap((query) => [...query.matchAll(/(path|grpc_server_method)(=~|!~)"([^"]*)"/g)])
  return found.map(([, label = '', operator, pattern]) => {
    const matches = new RegExp(`^(?:${pattern})$`)
    return { label, passes: (value) => matches.test(value) === (operator === '=~') }
  })
}
