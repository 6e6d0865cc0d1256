import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'

/**
 * Reads `dapr.yaml`, the Dapr CLI's own file for several apps, so that `pnpm start`, the tests and
 * `dapr run -f .` start the same thing. Only the keys this shop uses are known: one that would be
 * silently ignored here, but obeyed by the CLI, is an error.
 */
export type DaprYaml = {
  /** Absolute. */
  resourcesDirs: string[]
  /** Absolute. */
  configFile: string
  controlPlane: ControlPlaneAddresses
  apps: AppEntry[]
}

/** Where sidecars look for the two that actors need: `host:port`. */
export type ControlPlaneAddresses = { placement: string; scheduler: string }

export type AppEntry = Ports & {
  appId: string
  /** Absolute: where the command runs. */
  dir: string
  command: string[]
  env: Record<string, string>
  /** What the sidecar speaks to its app. */
  appProtocol: AppProtocol
  /** daprd's, not the app's. */
  logLevel: string
  healthCheck: HealthCheck | null
}

export type Ports = {
  appPort: number
  daprHttpPort: number
  daprGrpcPort: number
  daprInternalGrpcPort: number
  metricsPort: number
}

export type AppProtocol = 'http' | 'grpc'

/** Units as the Dapr CLI has them: seconds between probes, milliseconds for each. */
export type HealthCheck = { path: string; intervalS: number; timeoutMs: number; threshold: number }

/** The file's content is not what this runner can obey. */
export class DaprYamlError extends Error {
  override name = 'DaprYamlError'
}

type Kind = 'text' | 'protocol' | 'number' | 'flag' | 'texts' | 'env' | 'mapping' | 'list'
type Keys<Fields> = Record<keyof Fields, Kind>

type FileFields = { version?: number; common?: unknown; apps: unknown[] }
type SidecarFields = {
  logLevel?: string
  appProtocol?: AppProtocol
  enableAppHealthCheck?: boolean
  appHealthCheckPath?: string
  appHealthProbeInterval?: number
  appHealthProbeTimeout?: number
  appHealthThreshold?: number
  env?: Record<string, string | number | boolean>
}
type CommonFields = SidecarFields & {
  resourcesPaths: string[]
  configFilePath: string
  placementHostAddress: string
  schedulerHostAddress: string
}
type OwnFields = {
  appID: string
  appDirPath: string
  appPort: number
  daprHTTPPort: number
  daprGRPCPort: number
  daprInternalGRPCPort: number
  metricsPort: number
  command: string[]
}
type AppFields = SidecarFields & OwnFields

const fileKeys: Keys<FileFields> = { version: 'number', common: 'mapping', apps: 'list' }
const sidecarKeys: Keys<SidecarFields> = {
  logLevel: 'text',
  appProtocol: 'protocol',
  enableAppHealthCheck: 'flag',
  appHealthCheckPath: 'text',
  appHealthProbeInterval: 'number',
  appHealthProbeTimeout: 'number',
  appHealthThreshold: 'number',
  env: 'env',
}
const commonKeys: Keys<CommonFields> = {
  ...sidecarKeys,
  resourcesPaths: 'texts',
  configFilePath: 'text',
  placementHostAddress: 'text',
  schedulerHostAddress: 'text',
}
const ownKeys: Keys<OwnFields> = {
  appID: 'text',
  appDirPath: 'text',
  appPort: 'number',
  daprHTTPPort: 'number',
  daprGRPCPort: 'number',
  daprInternalGRPCPort: 'number',
  metricsPort: 'number',
  command: 'texts',
}
const appKeys: Keys<AppFields> = { ...sidecarKeys, ...ownKeys }

export function readDaprYaml(root: string): DaprYaml {
  return parseDaprYaml(readFileSync(path.join(root, 'dapr.yaml'), 'utf8'), root)
}

/** `root` is the folder of the file: paths under `common` and every `appDirPath` are relative to it. */
export function parseDaprYaml(text: string, root: string): DaprYaml {
  const file = checked<FileFields>(parse(text), fileKeys, ['apps'], 'the file')
  const common = checked<CommonFields>(
    file.common ?? {},
    commonKeys,
    ['resourcesPaths', 'configFilePath', 'placementHostAddress', 'schedulerHostAddress'],
    'common',
  )
  const apps = file.apps.map((entry, index) => {
    const own = checked<AppFields>(entry, appKeys, Object.keys(ownKeys), `apps[${index}]`)
    return appEntry({ ...common, ...own, env: { ...common.env, ...own.env } }, root)
  })
  const twice = apps.find((app, index) => apps.findIndex((other) => other.appId === app.appId) !== index)
  if (twice) throw new DaprYamlError(`dapr.yaml: the appID ${twice.appId} stands there twice`)
  return {
    resourcesDirs: common.resourcesPaths.map((dir) => path.resolve(root, dir)),
    configFile: path.resolve(root, common.configFilePath),
    controlPlane: { placement: common.placementHostAddress, scheduler: common.schedulerHostAddress },
    apps,
  }
}

function checked<Fields>(value: unknown, keys: Keys<Fields>, needed: string[], where: string): Fields {
  if (!isMapping(value)) throw new DaprYamlError(`dapr.yaml: ${where} must be a mapping`)
  for (const [key, content] of Object.entries(value)) {
    const kind = (keys as Record<string, Kind>)[key]
    if (kind === undefined) {
      throw new DaprYamlError(`dapr.yaml: ${where} has the key "${key}", which this runner does not know`)
    }
    if (!fits[kind](content)) throw new DaprYamlError(`dapr.yaml: ${where}.${key} must be a ${kind}`)
  }
  const missing = needed.find((key) => !(key in value))
  if (missing) throw new DaprYamlError(`dapr.yaml: ${where} lacks the key "${missing}"`)
  return value as Fields
}

const fits: Record<Kind, (value: unknown) => boolean> = {
  text: isText,
  protocol: (value) => value === 'http' || value === 'grpc',
  number: Number.isInteger,
  flag: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  env: (value) => isMapping(value) && Object.values(value).every(isScalar),
  mapping: isMapping,
  list: (value) => Array.isArray(value) && value.length > 0,
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** `fields` has what is common and, above it, what is the app's own. */
function appEntry(fields: AppFields, root: string): AppEntry {
  return {
    appId: fields.appID,
    dir: path.resolve(root, fields.appDirPath),
    command: fields.command,
    env: Object.fromEntries(Object.entries(fields.env ?? {}).map(([key, value]) => [key, String(value)])),
    appProtocol: fields.appProtocol ?? 'http',
    logLevel: fields.logLevel ?? 'info',
    healthCheck: healthCheck(fields),
    appPort: fields.appPort,
    daprHttpPort: fields.daprHTTPPort,
    daprGrpcPort: fields.daprGRPCPort,
    daprInternalGrpcPort: fields.daprInternalGRPCPort,
    metricsPort: fields.metricsPort,
  }
}

/** The defaults are daprd's own. */
function healthCheck(fields: SidecarFields): HealthCheck | null {
  if (fields.enableAppHealthCheck !== true) return null
  return {
    path: fields.appHealthCheckPath ?? '/healthz',
    intervalS: fields.appHealthProbeInterval ?? 5,
    timeoutMs: fields.appHealthProbeTimeout ?? 500,
    threshold: fields.appHealthThreshold ?? 3,
  }
}
