import path from 'node:path'
import { cacheRoot } from '@tideshop/runtime/cache'
import type { Provided } from '@tideshop/runtime/provide'
import type { AppEntry, ControlPlaneAddresses, Ports } from './dapr-yaml.ts'
import type { Fleet } from './fleet.ts'
import { answers, type Process } from './process.ts'
import type { Rendered } from './render.ts'

/** Node and daprd are ready in half a second on an idle machine; eight of each on two busy cores are not. */
const READY_WITHIN_MS = 60_000

/**
 * daprd gives a broker that does not answer six seconds, and then ends for good. A Kafka that has just started was seen to take four for one
 * event of its own, on two busy cores. Kubernetes would start the sidecar again, and so is it done here.
 */
const SIDECAR_TRIES = 3

/** A service finishes the batch in its hands; Kubernetes gives it 60 s, a laptop's owner has less patience. */
const STOP_WITHIN_MS = 20_000

/** How long a sidecar serves its app after SIGTERM; the same as on Kubernetes. */
const LINGER_S = 15

/**
 * Go's collector at its default runs whenever the heap has doubled, and a sidecar's heap is small: a fifth of its time
 * under load went there. It may grow fivefold, up to a bound (docs/performance.md).
 */
const SIDECAR_MEMORY = { GOGC: '400', GOMEMLIMIT: '300MiB' }

/** One instance of a service: the app and the sidecar beside it. */
export type Replica = {
  app: Process
  sidecar: Process
  appPort: number
  daprHttpPort: number
  daprGrpcPort: number
  metricsPort: number
}

export type SidecarParts = {
  fleet: Fleet
  daprd: Provided
  rendered: Rendered
  /** Left out where there are no actors. */
  controlPlane?: ControlPlaneAddresses
}

/** What a sidecar has to know of its app. */
export type SidecarEntry = Pick<AppEntry, 'appId' | 'appProtocol' | 'logLevel' | 'healthCheck'>

export type ReplicaParts = SidecarParts & {
  mongodbUri: string
  /** Overrides of what dapr.yaml says. */
  env: Record<string, string>
}

/** `name` is the app-id, with a number from the second replica on. */
export function defineReplica(parts: ReplicaParts, entry: AppEntry, name: string, ports: Ports): Replica {
  const [command = '', ...args] = entry.command
  const app = parts.fleet.define(
    {
      name,
      // The system looks up a relative path from the runner's folder or from the app's, depending on the system.
      command: command.includes('/') ? path.resolve(entry.dir, command) : command,
      args,
      cwd: entry.dir,
      env: appEnv(parts, entry, ports),
      isReady: () => answers(`http://127.0.0.1:${ports.appPort}/healthz`, 200),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    },
    'service',
  )
  return {
    app,
    sidecar: defineSidecar(parts, entry, `${name}/daprd`, ports),
    appPort: ports.appPort,
    daprHttpPort: ports.daprHttpPort,
    daprGrpcPort: ports.daprGrpcPort,
    metricsPort: ports.metricsPort,
  }
}

/** The sidecar alone, for an app that somebody else runs. */
export function defineSidecar(
  { fleet, daprd, rendered, controlPlane }: SidecarParts,
  entry: SidecarEntry,
  name: string,
  ports: Ports,
): Process {
  if (daprd.kind !== 'program') throw new Error('daprd runs beside each app: a remote one is of no use')
  return fleet.define(
    {
      name,
      command: daprd.command,
      args: [...daprd.args, ...daprdArgs(entry, ports, rendered, controlPlane)],
      cwd: path.dirname(rendered.configFile),
      // Otherwise it tells the others the address of the network, which changes with the café.
      env: { DAPR_HOST_IP: '127.0.0.1', ...SIDECAR_MEMORY },
      isReady: () => answers(`http://127.0.0.1:${ports.daprHttpPort}/v1.0/healthz`, 204),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
      tries: SIDECAR_TRIES,
    },
    'sidecar',
  )
}

/** Both side by side: daprd itself waits for the app's port. Rejects with the first failure, not after both. */
export async function startReplica({ app, sidecar }: Replica): Promise<void> {
  await Promise.all([app.start(), sidecar.start()])
}

/**
 * As a scale-in on Kubernetes does: SIGTERM to both at once. The sidecar then gives its partitions back and
 * cancels the delivery in hand, so that batch comes again elsewhere; it goes on carrying what the app still
 * says. There it notices by its probes that the app is gone, which takes seconds; here it is told.
 */
export async function stopReplica({ app, sidecar }: Replica): Promise<void> {
  const lingering = sidecar.stop()
  await app.stop()
  await sidecar.stop()
  await lingering
}

/** What the Dapr CLI tells an app, and the ports and the database of this shop. */
function appEnv(parts: ReplicaParts, entry: AppEntry, ports: Ports): Record<string, string> {
  return {
    ...compileCache(),
    ...entry.env,
    APP_ID: entry.appId,
    PORT: String(ports.appPort),
    DAPR_HTTP_PORT: String(ports.daprHttpPort),
    DAPR_GRPC_PORT: String(ports.daprGrpcPort),
    MONGODB_URI: parts.mongodbUri,
    ...parts.env,
  }
}

/**
 * Where Node keeps what it compiled. A service writes it when it leaves, and starts in two thirds of the time from then on
 * (docs/performance.md). Whoever sets the variable has it their way; empty is none.
 */
function compileCache(): Record<string, string> {
  if (process.env['NODE_COMPILE_CACHE'] !== undefined) return {}
  return { NODE_COMPILE_CACHE: path.join(cacheRoot(process.env), 'node-compile-cache') }
}

/** Without an address of placement and scheduler daprd does without both; they serve actors and jobs. */
export function daprdArgs(
  entry: SidecarEntry,
  ports: Ports,
  rendered: Rendered,
  controlPlane?: ControlPlaneAddresses,
): string[] {
  const settings: Record<string, string | number> = {
    'app-id': entry.appId,
    'app-port': ports.appPort,
    'app-protocol': entry.appProtocol,
    'dapr-http-port': ports.daprHttpPort,
    'dapr-grpc-port': ports.daprGrpcPort,
    'dapr-internal-grpc-port': ports.daprInternalGrpcPort,
    'metrics-port': ports.metricsPort,
    'dapr-listen-addresses': '127.0.0.1',
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    'metrics-listen-address': '127.0.0.1',
    'resources-path': rendered.resourcesDir,
    config: rendered.configFile,
    'log-level': entry.logLevel,
    'dapr-block-shutdown-duration': `${LINGER_S}s`,
    ...(controlPlane && {
      'placement-host-address': controlPlane.placement,
      'scheduler-host-address': controlPlane.scheduler,
    }),
  }
  const args = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
  const health = entry.healthCheck
  if (health === null) return args
  return [
    ...args,
    '--enable-app-health-check',
    `--app-health-check-path=${health.path}`,
    `--app-health-probe-interval=${health.intervalS}`,
    `--app-health-probe-timeout=${health.timeoutMs}`,
    `--app-health-threshold=${health.threshold}`,
  ]
}
