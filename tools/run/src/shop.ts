import { setTimeout as delay } from 'node:timers/promises'
import { topics } from '@tideshop/contracts/topics'
import { provide } from '@tideshop/runtime/provide'
import {
  backboneNeeds,
  backboneSteps,
  type DatabaseKind,
  provideBackbone,
  startBackbone,
} from './backbone.ts'
import {
  addressesAt,
  controlPlaneNeeds,
  controlPlaneSteps,
  provideControlPlane,
  startControlPlane,
} from './control-plane.ts'
import { Crew } from './crew.ts'
import { type DaprYaml, DaprYamlError, readDaprYaml } from './dapr-yaml.ts'
import { type Fleet, inFleet } from './fleet.ts'
import { findIssuer, ISSUER_STEP, issuerNeeds, startIssuer } from './issuer.ts'
import type { LogFilter } from './log-book.ts'
import type { LogLine } from './log-lines.ts'
import { demandFree } from './ports.ts'
import { answers, NotStarted, type Process } from './process.ts'
import { findRabbitmq, needRabbitmq, RABBITMQ_STEP, rabbitmqNeeds, startRabbitmq } from './rabbitmq.ts'
import { render } from './render.ts'
import type { Replica } from './replica.ts'
import { type Report, Steps } from './steps.ts'

/** The service that people and tests talk to. */
export const FRONT_DOOR = 'apigateway'

/** Who has a part in the saga of a user, beside the door: for `only`. */
export const SAGA = ['operations', 'users', 'approvals']
/** A user who is asked for is one record in each. */
export const SAGA_TOPICS = topics.filter(({ teller }) => SAGA.includes(teller))

/** The front door is ready when what it needs is: the last of the services may be slow. */
const OPEN_WITHIN_MS = 60_000
const ASK_EVERY_MS = 50

export type ShopOptions = {
  /** The repository's root, which holds dapr.yaml. */
  root: string
  /** This shop's own folder: data, logs, rendered components, pid record. */
  dir: string
  /** Added to every port, so that several shops live beside each other. */
  portOffset?: number
  /** Overrides for the apps. */
  env?: Record<string, string>
  /** false empties `dir` first. Default true. */
  keepData?: boolean
  /** Of the embedded database; `memory` is for measuring, it forgets all at its end. Default `disk`. */
  database?: DatabaseKind
  /** App-ids of those to open beside the front door: a test that is about a few need not wait for the others. By default all. */
  only?: readonly string[]
  /** false leaves RabbitMQ out, and who needs it. By default it is used where it is. */
  rabbitmq?: boolean
  /** false leaves out who says who people are: then all are guests. */
  issuer?: boolean
  /** Of each topic that is not there yet, instead of the shop's own number: for measuring. */
  partitions?: number
  /** Starts again what dies by itself. Default false: a test wants to see it dead. */
  restart?: boolean
  onLine?: (line: LogLine) => void
  report?: Report
  /** Ends the start, with all that was started; a shop that is open is closed by `stop`. */
  signal?: AbortSignal
}

export type Shop = {
  /** The front door. */
  url: string
  kafkaBrokers: string
  mongodbUri: string
  /** null where there is none. */
  rabbitmqUrl: string | null
  /** Empty where nobody has an account. */
  issuerUrl: string
  /** One sentence for each service that could not be opened: what is missing, and how to get it. */
  closed: readonly string[]
  /** null when it runs elsewhere. */
  kafka: Process | null
  mongodb: Process | null
  rabbitmq: Process | null
  replicas(appId: string): Replica[]
  addReplica(appId: string): Promise<Replica>
  /** Gracefully, the way a scale-in does; the last one may go too. The newest, unless its place in `replicas` is given. */
  removeReplica(appId: string, which?: number): Promise<void>
  processes(): Process[]
  /** Warnings and errors, then the newest lines, or those that name something: for a test that fails. */
  logs(filter?: LogFilter): string
  stop(): Promise<void>
}

/** The steps that `report` names, in the order of a start. */
export function shopSteps(root: string): string[] {
  return [
    'daprd',
    ...backboneSteps,
    RABBITMQ_STEP,
    ...controlPlaneSteps,
    ISSUER_STEP,
    ...appIds(root),
    'front door',
  ]
}

export function appIds(root: string): string[] {
  return readDaprYaml(root).apps.map((app) => app.appId)
}

/** Starts all in order of readiness. When a step fails, everything is stopped again before this rejects. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const daprYaml = readDaprYaml(options.root)
  const url = frontDoorUrl(daprYaml, options.portOffset ?? 0)
  return inFleet({ ...options, url }, (fleet) => open(options, daprYaml, fleet, url))
}

function isWanted(appId: string, { only }: ShopOptions, hasRabbitmq: boolean): boolean {
  if (!hasRabbitmq && needRabbitmq.includes(appId)) return false
  return only === undefined || appId === FRONT_DOOR || only.includes(appId)
}

async function open(options: ShopOptions, daprYaml: DaprYaml, fleet: Fleet, url: string): Promise<Shop> {
  const { dir, portOffset = 0, database, partitions, signal } = options
  const steps = new Steps(options.report, signal)
  const sought = signal ? { signal } : {}
  const [daprd, parts, controlPlaneParts, rabbitmq] = await Promise.all([
    steps.take('daprd', () => provide('daprd', { ...sought, report: (line) => steps.note('daprd', line) })),
    provideBackbone(steps, sought),
    provideControlPlane(steps, sought),
    findRabbitmq(options.rabbitmq),
  ])
  const apps = daprYaml.apps.filter(({ appId }) => isWanted(appId, options, rabbitmq.provided !== null))
  const crew = new Crew(apps, portOffset)
  const issuer = findIssuer(portOffset, options.issuer)
  const controlPlane = addressesAt(daprYaml.controlPlane, portOffset)
  await demandFree([
    ...backboneNeeds(parts, portOffset),
    ...controlPlaneNeeds(controlPlane),
    ...rabbitmqNeeds(rabbitmq, portOffset),
    ...issuerNeeds(issuer),
    ...crew.firstNeeds(),
  ])

  const [{ kafka, mongodb }, queue] = await Promise.all([
    startBackbone(parts, { fleet, dir, portOffset, database, partitions, signal }, steps),
    startRabbitmq(rabbitmq, { fleet, dir, portOffset }, steps),
    startControlPlane(controlPlaneParts, { fleet, dir, addresses: controlPlane }, steps),
  ])
  const broker = { address: kafka.address, isOurs: kafka.process !== null }
  const rendered = render(daprYaml, dir, broker, queue?.address)
  const env = { OIDC_ISSUER: issuer.url, ...options.env }
  crew.equip({ fleet, daprd, rendered, controlPlane, mongodbUri: mongodb.address, env })
  await Promise.all([
    startIssuer(issuer, { fleet, root: options.root, doorPort: Number(new URL(url).port), env }, steps),
    ...apps.map(({ appId }) => steps.take(appId, () => crew.add(appId))),
  ])
  await steps.take('front door', () => untilOpen(url, steps))
  return {
    url,
    kafkaBrokers: kafka.address,
    mongodbUri: mongodb.address,
    rabbitmqUrl: queue?.address ?? null,
    issuerUrl: issuer.url,
    closed: rabbitmq.closed,
    kafka: kafka.process,
    mongodb: mongodb.process,
    rabbitmq: queue?.process ?? null,
    replicas: (appId) => crew.of(appId),
    addReplica: (appId) => crew.add(appId),
    removeReplica: (appId, which) => crew.remove(appId, which),
    processes: () => fleet.processes(),
    logs: (filter) => fleet.logBook.text(filter),
    stop: () => fleet.stop(),
  }
}

async function untilOpen(url: string, steps: Steps): Promise<void> {
  const deadline = performance.now() + OPEN_WITHIN_MS
  while (!(await answers(`${url}/readyz`, 200))) {
    steps.goOn()
    if (performance.now() > deadline) {
      throw new NotStarted(
        FRONT_DOOR,
        `does not answer 200 at ${url}/readyz within ${OPEN_WITHIN_MS / 1000} s`,
      )
    }
    await delay(ASK_EVERY_MS)
  }
}

function frontDoorUrl(daprYaml: DaprYaml, offset: number): string {
  const entry = daprYaml.apps.find((app) => app.appId === FRONT_DOOR)
  if (!entry) throw new DaprYamlError(`dapr.yaml: there is no app ${FRONT_DOOR}, the shop's front door`)
  return `http://127.0.0.1:${entry.appPort + offset}`
}
