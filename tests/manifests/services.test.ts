import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { topicPlans } from '@tideshop/contracts/topics'
import { PATIENCE } from '@tideshop/kit/traffic'
import { root } from '@tideshop/run/arguments'
import { describe, expect, test } from 'vitest'
import { ALWAYS_ONE, ISSUER, OVERLAYS, objectsOf, services, yaml } from './manifests.ts'

const dapr = yaml('dapr.yaml')
const run = promisify(execFile)

/** A released daprd needs a longer wait than the one that tools/cluster builds: docs/dapr-notes.md. */
const RELEASED_WAIT_MS: Record<string, string> = {
  operations: '500',
  users: '500',
  approvals: '3000',
  catalog: '500',
  orders: '500',
  payments: '500',
}
const OWN_WAIT_MS = '20'

/** One file on one node, or a database that all replicas reach. */
const actors = { name: 'actorStateStore', value: 'true' }
const stores: Record<string, { service: string; settings: object[] }> = {
  stock: { service: 'catalog', settings: [actors] },
  basket: { service: 'basket', settings: [] },
  settings: { service: 'apigateway', settings: [] },
}

function placeOf(store: string, overlay: string): object {
  const connectionString =
    overlay === 'production' ? expect.stringContaining('replicaSet=rs0') : `/${store}/${store}.db`
  return {
    type: overlay === 'production' ? 'state.mongodb' : 'state.sqlite',
    metadata: expect.arrayContaining([
      ...(stores[store]?.settings ?? []),
      { name: 'connectionString', value: connectionString },
    ]),
  }
}

/** Who says who people are differs from place to place; in `kind` nobody does. */
const accountsIn: Record<string, object> = {
  local: {
    OIDC_ISSUER: 'http://127.0.0.1:28092',
    OIDC_DISCOVERY_URL: 'http://issuer:8092/.well-known/openid-configuration',
  },
  production: {
    OIDC_ISSUER: expect.stringMatching(/^https:/),
    OIDC_AUDIENCE: 'urn:tideshop',
    OIDC_CLIENT_ID: 'tideshop',
    OIDC_ROLES_CLAIM: 'roles',
    PROXIES: '1',
  },
}

/** On a laptop nobody sleeps, and there is one door. */
const WAKING = { WAKES_PORT: '9091', DOORS_HOST: 'apigateway-doors.tideshop.svc' }

function onlyShops(env: Record<string, unknown>): [string, unknown][] {
  return Object.entries(env).filter(([name]) => name !== 'OIDC_ISSUER')
}

/** What differs from a laptop, by the name of the setting. */
const ADDRESSES: Record<string, string> = {
  brokers: 'kafka:9092',
  host: 'amqp://guest:guest@rabbitmq:5672',
  rootPath: '/documents',
}

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const objects = objectsOf(overlay)
  const find = (kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name)

  test('is applied so that a sidecar finds its configuration and components', () => {
    const kinds = objects.map(({ kind }) => kind)
    const lastRead = Math.max(...['Configuration', 'Component'].map((kind) => kinds.lastIndexOf(kind)))
    expect(lastRead).toBeGreaterThan(0)
    expect(lastRead).toBeLessThan(kinds.indexOf('Deployment'))
  })

  describe.each(services)('%s', (service) => {
    const { spec: deployment } = find('Deployment', service) ?? {}
    const { metadata, spec: pod } = deployment.template
    const [app] = pod.containers
    const laptop = dapr.apps.find(({ appID }: { appID: string }) => appID === service)
    const annotations = Object.fromEntries(
      Object.entries<string>(metadata.annotations).map(([key, value]) => [
        key.replace('dapr.io/', ''),
        value,
      ]),
    )

    test('has one name everywhere', () => {
      expect(annotations['app-id']).toBe(service)
      expect(metadata.labels.app).toBe(service)
      expect(deployment.selector.matchLabels).toEqual({ app: service })
      expect(pod.serviceAccountName).toBe(service)
      expect(app.image).toMatch(new RegExp(`(^|/)tideshop/${service}:`))
      expect(find('ServiceAccount', service)).toBeDefined()
      expect(find('PodDisruptionBudget', service).spec.selector.matchLabels).toEqual({ app: service })
      if (!ALWAYS_ONE.includes(service))
        expect(find('ScaledObject', service).spec.scaleTargetRef).toEqual({ name: service })
    })

    test('leaves its number to the scaler where it has one, and may lose a replica to a drain', () => {
      const { minAvailable, maxUnavailable } = find('PodDisruptionBudget', service).spec
      if (ALWAYS_ONE.includes(service)) {
        expect([deployment.replicas, maxUnavailable]).toEqual([1, 1])
        return
      }
      expect(deployment).not.toHaveProperty('replicas')
      const atLeast = find('ScaledObject', service).spec.minReplicaCount
      if (minAvailable === undefined) expect(maxUnavailable).toBe(1)
      else expect(minAvailable).toBeLessThan(atLeast)
    })

    test('has a sidecar that watches it as on a laptop', () => {
      const { common } = dapr
      expect(annotations).toMatchObject({
        enabled: 'true',
        'app-port': String(app.ports[0].containerPort),
        'app-protocol': laptop.appProtocol ?? 'http',
        'enable-app-health-check': String(laptop.enableAppHealthCheck ?? common.enableAppHealthCheck),
        'app-health-check-path': common.appHealthCheckPath,
        'app-health-probe-interval': String(common.appHealthProbeInterval),
        'app-health-probe-timeout': String(common.appHealthProbeTimeout),
        'app-health-threshold': String(common.appHealthThreshold),
        'log-level': common.logLevel,
        'enable-metrics': 'true',
        'metrics-port': '9090',
        env: 'GOGC=400,GOMEMLIMIT=300MiB',
      })
      expect(find('Configuration', annotations['config'] ?? '')).toBeDefined()
      // What is not a string is no annotation.
      for (const value of Object.values(annotations)) expect(value).toBeTypeOf('string')
    })

    test('runs with the environment of dapr.yaml', () => {
      const { env } = laptop
      const waitMs = overlay === 'local' ? OWN_WAIT_MS : RELEASED_WAIT_MS[service]
      const here = Object.fromEntries(app.env.map(({ name, value }: Record<string, string>) => [name, value]))
      expect(here).toEqual({
        ...Object.fromEntries(onlyShops(env).map(([name, value]) => [name, String(value)])),
        LOG_LEVEL: dapr.common.env.LOG_LEVEL,
        PORT: String(app.ports[0].containerPort),
        ...(RELEASED_WAIT_MS[service] && { BATCH_WAIT_MS: waitMs }),
        ...(service === 'apigateway' && { ...accountsIn[overlay], ...WAKING }),
        ...(['apigateway', 'orders'].includes(service) && { WAKE_WAIT_MS: '10000' }),
        ...(service === 'storefront' && { WAKE_WAIT_MS: '6000' }),
      })
    })

    test('is asked each second whether it may serve, and seldom whether it lives', () => {
      expect(app.readinessProbe).toMatchObject({
        httpGet: { path: '/readyz', port: 'http' },
        periodSeconds: 1,
      })
      expect(app.livenessProbe).toMatchObject({ httpGet: { path: '/healthz', port: 'http' } })
      expect(app.startupProbe).toMatchObject({
        httpGet: { path: '/healthz', port: 'http' },
        periodSeconds: 1,
      })
      expect(annotations).toMatchObject({
        'sidecar-readiness-probe-delay-seconds': '0',
        'sidecar-readiness-probe-period-seconds': '1',
      })
    })

    test('has the time to finish what it began', () => {
      const before = app.lifecycle?.preStop.sleep.seconds ?? 0
      const block = Number(/^(\d+)s$/.exec(annotations['block-shutdown-duration'] ?? '')?.[1])
      expect(block).toBeGreaterThanOrEqual(before + PATIENCE.mostMs / 1000)
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(
        block + Number(annotations['graceful-shutdown-seconds']),
      )
      expect(annotations['enable-native-sidecar']).toBe('false')
    })

    test('may do nothing that it need not', () => {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true })
      expect(pod.securityContext.sysctls).toEqual([
        { name: 'net.ipv4.ip_local_port_range', value: '10240 49000' },
      ])
      expect(app.securityContext).toEqual({
        runAsUser: 1000,
        runAsGroup: 1000,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(pod.automountServiceAccountToken).toBe(false)
      expect(app.resources.limits).toEqual({ memory: expect.any(String) })
    })

    test('gets the address of the database only if it has one', () => {
      const settings = app.envFrom?.[0].configMapRef.name
      expect(settings !== undefined).toBe(
        ['operations', 'users', 'catalog', 'invoices', 'orders', 'payments', 'jobs'].includes(service),
      )
      if (settings) expect(find('ConfigMap', settings).data.MONGODB_URI).toMatch(/^mongodb:\/\/mongodb/)
    })
  })

  test('has the components of components/, but for addresses and places', () => {
    const components = objects.filter(({ kind }) => kind === 'Component')
    const files = readdirSync(join(root, 'components')).filter((file) => file.endsWith('.yaml'))
    // Its cluster has no RabbitMQ, without which a sidecar that loads it would end.
    expect(components.length).toBe(files.length)
    for (const file of files) {
      const laptop = yaml(`components/${file}`)
      const { spec, scopes } = find('Component', laptop.metadata.name)
      expect(scopes).toEqual(laptop.scopes)
      if (Object.hasOwn(stores, laptop.metadata.name)) {
        expect(spec).toMatchObject(placeOf(laptop.metadata.name, overlay))
        continue
      }
      const metadata = laptop.spec.metadata.map((entry: { name: string }) => {
        const value = ADDRESSES[entry.name]
        return value === undefined ? entry : { ...entry, value }
      })
      // A clock is everywhere the same.
      if (laptop.spec.type !== 'bindings.cron') expect(metadata).not.toEqual(laptop.spec.metadata)
      expect(spec).toEqual({ ...laptop.spec, metadata })
    }
  })

  test('has the configuration of dapr/, but for names, which Kubernetes has', () => {
    const { nameResolution, ...rest } = yaml('dapr/config.yaml').spec
    expect(nameResolution).toBeDefined()
    expect(find('Configuration', 'tideshop').spec).toEqual(rest)
  })

  test('opens the door only', () => {
    const open = objects.filter(({ kind, spec }) => kind === 'Service' && spec.type)
    expect(open.map(({ metadata }) => metadata.name)).toEqual(overlay === 'kind' ? ['apigateway'] : [])
    const doors = objects.filter(({ kind }) => kind === 'Ingress')
    expect(doors.length).toBe(overlay === 'production' ? 1 : 0)
    for (const { spec } of doors) expect(spec.tls[0].hosts).toEqual([spec.rules[0].host])
  })
})

test('where the overlay brings Kafka, a Job creates what the contracts plan, and leaves alone what exists', async () => {
  const created = await createdTopics([])
  expect(created.sort(byName)).toEqual(topicPlans().sort(byName))
  const [existing, ...missing] = topicPlans().sort(byName)
  expect((await createdTopics([existing?.name ?? ''])).sort(byName)).toEqual(missing)
})

describe.each(Object.entries(stores))('%s', (store, { service }) => {
  test.each([
    ['local', { hostPath: { path: `/run/tideshop-${store}`, type: 'Directory' } }],
    ['kind', { persistentVolumeClaim: { claimName: store } }],
  ])('overlay %s gives its file to every sidecar of its service', (overlay, source) => {
    const objects = objectsOf(overlay)
    const { spec } = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === service)
    const mounts = { 'dapr.io/volume-mounts-rw': `${store}:/${store}` }
    expect(spec.template.metadata.annotations).toMatchObject(mounts)
    expect(spec.template.spec.volumes).toEqual([{ name: store, ...source }])
    const claims = objects.filter(({ kind, metadata }) => {
      return kind === 'PersistentVolumeClaim' && metadata.name === store
    })
    expect(claims.length).toBe(overlay === 'kind' ? 1 : 0)
  })
})

test.each([
  ['local', { hostPath: { path: '/run/tideshop-invoices', type: 'Directory' } }],
  ['kind', { persistentVolumeClaim: { claimName: 'invoice-documents' } }],
  ['production', { persistentVolumeClaim: { claimName: 'invoice-documents' } }],
])('overlay %s gives the folder of documents to every sidecar of invoices', (overlay, source) => {
  const objects = objectsOf(overlay)
  const { spec } = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'invoices')
  const mounts = { 'dapr.io/volume-mounts-rw': 'documents:/documents' }
  expect(spec.template.metadata.annotations).toMatchObject(mounts)
  expect(spec.template.spec.volumes).toEqual([{ name: 'documents', ...source }])
})

test('only where files are on a node are there claims, and one for the documents of invoices', () => {
  const claims = objectsOf('kind').filter(({ kind }) => kind === 'PersistentVolumeClaim')
  expect(claims.map(({ metadata }) => metadata.name).sort()).toEqual([
    'basket',
    'invoice-documents',
    'settings',
    'stock',
  ])
})

test('the issuer that asks for no password is in the cluster of this machine alone', () => {
  const found = OVERLAYS.filter((overlay) =>
    JSON.stringify(objectsOf(overlay)).includes(`tideshop/${ISSUER}`),
  )
  expect(found).toEqual(['local'])
})

test('in production a write counts when two of three have it', () => {
  const objects = objectsOf('production')
  const statefulSet = (name: string) =>
    objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name)
  for (const name of ['kafka', 'mongodb']) {
    const { spec } = statefulSet(name)
    expect(spec.replicas).toBe(3)
    expect(spec.volumeClaimTemplates.length).toBe(1)
  }
  expect(statefulSet('kafka').spec.template.spec.containers[0].env).toEqual(
    expect.arrayContaining([
      { name: 'KAFKA_DEFAULT_REPLICATION_FACTOR', value: '3' },
      { name: 'KAFKA_MIN_INSYNC_REPLICAS', value: '2' },
      { name: 'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR', value: '3' },
    ]),
  )
})

/** Runs the script of the Job with functions in place of Kafka and its tool. */
async function createdTopics(existing: string[]): Promise<ReturnType<typeof topicPlans>> {
  const job = objectsOf('kind').find(({ kind, metadata }) => kind === 'Job' && metadata.name === 'topics')
  const [{ env, command, args }] = job.spec.template.spec.containers
  const [shell, ...flags]: [string, ...string[]] = command
  const tool = `kafka_topics() { if [ "$3" = --list ]; then printf '%s\\n' ${existing.join(' ')}; else echo "$@"; fi; }\n`
  const script = args[0]
    .replace(/^until .*$/m, '')
    .replaceAll('/opt/kafka/bin/kafka-topics.sh', 'kafka_topics')
  const settings = env.map(({ name, value }: Record<string, string>) => [name, value])
  const { stdout } = await run(shell, [...flags, tool + script], {
    env: { ...process.env, ...Object.fromEntries(settings) },
  })
  return stdout
    .trim()
    .split('\n')
    .map((call) => {
      const option = (name: string) => new RegExp(`--${name} (\\S+)`).exec(call)?.[1] ?? ''
      const [setting = '', value = ''] = option('config').split('=')
      return { name: option('topic'), partitions: Number(option('partitions')), config: { [setting]: value } }
    })
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name.localeCompare(other.name)
}
