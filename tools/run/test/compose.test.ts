import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { topicPlans } from '@tideshop/contracts/topics'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

/** `docker compose up` and `pnpm start` are the same shop: what dapr.yaml says, compose.yaml says too. */
const ROOT = join(import.meta.dirname, '../../..')
const run = promisify(execFile)

type Service = {
  image?: string
  build?: { args: { SERVICE: string } }
  environment?: Record<string, string | number>
  network_mode?: string
  entrypoint?: string[]
  command?: string[]
  ports?: string[]
  profiles?: string[]
  depends_on?: Record<string, unknown>
  volumes?: string[]
}
type App = {
  appID: string
  appPort: number
  appProtocol?: string
  enableAppHealthCheck?: boolean
  daprHTTPPort: number
  daprGRPCPort: number
  daprInternalGRPCPort: number
  metricsPort: number
  env?: Record<string, string | number>
}

/** The image is daprd as released, which needs a longer wait than the one that the laptop builds: docs/dapr-notes.md. */
const BATCH_WAIT_MS: Record<string, number> = {
  operations: 500,
  users: 500,
  approvals: 3000,
  catalog: 500,
  orders: 500,
  payments: 500,
}

const compose = await yaml('compose.yaml')
const services: Record<string, Service> = compose.services
const dapr = await yaml('dapr.yaml')
const apps: App[] = dapr.apps

test.each(apps)('$appID is built, and runs with the environment of dapr.yaml', (app) => {
  const service = services[app.appID]
  expect(service?.build?.args.SERVICE).toBe(app.appID)
  const onLaptop = { ...dapr.common.env, ...app.env, DAPR_HTTP_PORT: app.daprHTTPPort }
  const batchWaitMs = BATCH_WAIT_MS[app.appID]
  const here = {
    ...onLaptop,
    // The host differs, and a real mongod has to be asked for its journal.
    MONGODB_URI: 'mongodb://mongo:27017/?journal=true',
    ...(batchWaitMs && { BATCH_WAIT_MS: batchWaitMs }),
    // Who calls by gRPC has to be told the port, which in a pod and on a laptop comes by itself.
    // Browsers find the issuer at a port of this machine, the door by its name.
    ...(app.appID === 'apigateway' && {
      OIDC_DISCOVERY_URL: 'http://issuer:8092/.well-known/openid-configuration',
    }),
    ...(['apigateway', 'orders', 'storefront'].includes(app.appID) && { DAPR_GRPC_PORT: app.daprGRPCPort }),
  }
  expect(asText(service?.environment)).toEqual(asText(here))
})

test.each(apps)('$appID has a sidecar beside it, set as in dapr.yaml', (app) => {
  const sidecar = services[`${app.appID}-dapr`]
  const { common } = dapr
  expect(sidecar?.network_mode).toBe(`service:${app.appID}`)
  expect([...(sidecar?.entrypoint ?? []).slice(1), ...(sidecar?.command ?? [])].sort()).toEqual(
    [
      `--app-id=${app.appID}`,
      `--app-port=${app.appPort}`,
      ...(app.appProtocol ? [`--app-protocol=${app.appProtocol}`] : []),
      `--dapr-http-port=${app.daprHTTPPort}`,
      `--dapr-grpc-port=${app.daprGRPCPort}`,
      `--dapr-internal-grpc-port=${app.daprInternalGRPCPort}`,
      `--metrics-port=${app.metricsPort}`,
      `--log-level=${common.logLevel}`,
      ...(common.enableAppHealthCheck ? ['--enable-app-health-check'] : []),
      ...(app.enableAppHealthCheck === false ? ['--enable-app-health-check=false'] : []),
      `--app-health-check-path=${common.appHealthCheckPath}`,
      `--app-health-probe-interval=${common.appHealthProbeInterval}`,
      `--app-health-probe-timeout=${common.appHealthProbeTimeout}`,
      `--app-health-threshold=${common.appHealthThreshold}`,
      '--dapr-listen-addresses=127.0.0.1',
      '--resources-path=/sidecar/components',
      '--config=/sidecar/config.yaml',
      '--placement-host-address=placement:50005',
      '--scheduler-host-address=scheduler:50006',
    ].sort(),
  )
})

test('no service and no sidecar is here that dapr.yaml does not know', () => {
  const built = Object.keys(services).filter((name) => services[name]?.build)
  const sidecars = Object.keys(services).filter((name) => name.endsWith('-dapr'))
  // No app of dapr.yaml, for it has no sidecar (docs/decisions/0016).
  expect(built.sort()).toEqual([...apps.map(({ appID }) => appID), 'issuer'].sort())
  expect(sidecars.sort()).toEqual(apps.map(({ appID }) => `${appID}-dapr`).sort())
})

test('the topics service creates what the contracts plan, and leaves alone what exists', async () => {
  const created = await createdTopics([])
  expect(created.sort(byName)).toEqual(topicPlans().sort(byName))

  const [existing, ...missing] = topicPlans().sort(byName)
  expect((await createdTopics([existing?.name ?? ''])).sort(byName)).toEqual(missing)
})

const [sidecarFiles = ''] = services['sidecar-files']?.command ?? []

test('the sidecars get the components of components/, but for addresses and places', async () => {
  const substitution = /sed '([^']+)' "\$\$file"/.exec(sidecarFiles)?.[1] ?? 'no sed'
  const files = (await readdir(join(ROOT, 'components'))).filter((file) => file.endsWith('.yaml'))
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) {
    const laptop = await readFile(join(ROOT, 'components', file), 'utf8')
    const { stdout } = await run('sed', [substitution, join(ROOT, 'components', file)])
    // A clock is everywhere the same.
    if (!laptop.includes('type: bindings.cron')) expect(stdout, file).not.toBe(laptop)
    const back = stdout
      .replaceAll('kafka:9092', '127.0.0.1:19092')
      .replaceAll('rabbitmq:5672', '127.0.0.1:28672')
      .replace(/ (\w+\.db)/, ' ../../$1')
      .replace('/sidecar/invoices', '../../invoices')
    expect(back, file).toBe(laptop)
    expect(stdout, file).not.toMatch(/127\.0\.0\.1|localhost/)
  }
})

test('the sidecars get the configuration of dapr/, but for the place of their names', async () => {
  const substitution = /sed '([^']+)' \/config\.yaml/.exec(sidecarFiles)?.[1] ?? 'no sed'
  const { stdout } = await run('sed', [substitution, join(ROOT, 'dapr/config.yaml')])
  const laptop = await yaml('dapr/config.yaml')
  const { configuration } = laptop.spec.nameResolution
  expect(configuration.connectionString).not.toBe('names.db')
  configuration.connectionString = 'names.db'
  expect(parse(stdout)).toEqual(laptop)
})

test('Prometheus scrapes the sidecar of every service', async () => {
  const { scrape_configs: jobs } = await yaml('compose/prometheus.yaml')
  const targets = jobs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
    job.static_configs.flatMap((group) => group.targets),
  )
  expect(targets.sort()).toEqual(apps.map(({ appID, metricsPort }) => `${appID}:${metricsPort}`).sort())
})

describe('the file as a whole', () => {
  test('every image has a version', () => {
    const images = Object.values(services).flatMap(({ image }) => image ?? [])
    expect(images.length).toBeGreaterThan(0)
    for (const image of images) expect(image).toMatch(/^[\w./-]+:v?\d[\w.-]*$/)
  })

  test('only the gateway and the issuer are open, and only to this machine', () => {
    const open = Object.entries(services).filter(([, { ports, profiles }]) => ports && !profiles)
    expect(open.map(([name, { ports }]) => [name, ports])).toEqual([
      ['apigateway', ['127.0.0.1:8080:8080']],
      ['issuer', ['127.0.0.1:8092:8092']],
    ])
    for (const port of Object.values(services).flatMap(({ ports }) => ports ?? [])) {
      expect(port).toMatch(/^127\.0\.0\.1:/)
    }
  })

  test('what is waited for, shared and mounted exists', () => {
    for (const [name, { depends_on = {}, volumes = [] }] of Object.entries(services)) {
      for (const other of Object.keys(depends_on)) expect(services, name).toHaveProperty(other)
      const named = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => /^\w/.test(source))
      for (const volume of named) expect(compose.volumes, name).toHaveProperty(volume)
    }
  })

  test('docker compose accepts it', async ({ skip }) => {
    const installed = await run('docker', ['compose', 'version']).catch(() => null)
    // Without the plugin only the tests above speak; CI has it.
    if (!installed) skip('docker compose is not installed')
    await run('docker', ['compose', '-f', join(ROOT, 'compose.yaml'), '--profile', 'watch', 'config', '-q'])
  })
})

/** Runs the script of the topics service with a function in place of Kafka's tool. */
async function createdTopics(existing: string[]): Promise<ReturnType<typeof topicPlans>> {
  const {
    entrypoint: [shell = '', ...flags] = [],
    command: [script = ''] = [],
    environment,
  } = services['topics'] ?? {}
  const tool = `kafka_topics() { if [ "$3" = --list ]; then printf '%s\\n' ${existing.join(' ')}; else echo "$@"; fi; }\n`
  // In a compose file `$$` is a dollar for the shell.
  const here = script.replaceAll('$$', '$').replaceAll('/opt/kafka/bin/kafka-topics.sh', 'kafka_topics')
  const { stdout } = await run(shell, [...flags, tool + here], {
    env: { ...process.env, ...asText(environment) },
  })
  const calls = stdout.trim().split('\n')
  return calls.map((call) => {
    const option = (name: string) => new RegExp(`--${name} (\\S+)`).exec(call)?.[1] ?? ''
    const [setting = '', value = ''] = option('config').split('=')
    return { name: option('topic'), partitions: Number(option('partitions')), config: { [setting]: value } }
  })
}

async function yaml(file: string) {
  return parse(await readFile(join(ROOT, file), 'utf8'), { merge: true })
}

function asText(environment: Record<string, string | number> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name.localeCompare(other.name)
}
