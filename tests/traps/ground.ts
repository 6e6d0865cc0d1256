import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Admin, Producer } from '@platformatic/kafka'
import { root } from '@tideshop/run/arguments'
import { backboneNeeds, type Part, startKafka } from '@tideshop/run/backbone'
import { provideControlPlane, startControlPlane } from '@tideshop/run/control-plane'
import {
  type AppProtocol,
  type ControlPlaneAddresses,
  type Ports,
  readDaprYaml,
} from '@tideshop/run/dapr-yaml'
import { Fleet } from '@tideshop/run/fleet'
import { firstTaken, needsOf } from '@tideshop/run/ports'
import type { Process } from '@tideshop/run/process'
import { render } from '@tideshop/run/render'
import { defineSidecar } from '@tideshop/run/replica'
import { Steps } from '@tideshop/run/steps'
import { type Provided, provide } from '@tideshop/runtime/provide'
import { afterAll, beforeEach, expect, onTestFinished } from 'vitest'
import { parse, parseDocument, stringify } from 'yaml'

/*
 * What a trap needs to show itself: a real sidecar with the shop's own configuration, and a real broker. The component
 * is that of the shop too, and each trap says what it changes about it; so what is proven is proven of our settings.
 */

/**
 * Ports where no shop looks, below those that the kernel hands out. Two runs of these tests beside each other should
 * not look at the same ones at the same time either, so each begins elsewhere.
 */
const PORTS_FROM = 28_000
const PORTS_TO = 32_700
const PORTS_EACH = 5
const PLACES = 400
/** Added to those of the shop's broker, two of them. */
const BROKER_OFFSET = 3000

/** What is awaited comes in milliseconds; a busy machine may take its time. A test has 15 s. */
export const SOON = { timeout: 12_000, interval: 20 }

/** Of all processes, when a test fails. */
const LOG_LINES = 60

/** Settings of a component that a trap wants otherwise; null leaves one out. */
export type Changes = Record<string, string | null>

/** Settings of the sidecar that a trap wants otherwise; a key is the path below `spec`, with dots. */
export type Config = Record<string, unknown>

export type SidecarPlan = {
  appId: string
  ports: Ports
  /** Default http. */
  appProtocol?: AppProtocol
  components?: string[]
  config?: Config
}

export type Ground = {
  /** Free ports for one app and its sidecar. */
  ports(): Promise<Ports>
  /** Resolves when the sidecar is ready, which needs an app at its port. It ends with the test. */
  startSidecar(plan: SidecarPlan): Promise<Process>
}

export type KafkaGround = Ground & {
  /** A new topic with one partition, so that what comes later was told later. */
  topic(): Promise<string>
  tell(topic: string, ...values: string[]): Promise<void>
  /** The shop's component, for this topic. */
  component(topic: string, changes?: Changes): string
  /** How many records of a topic are acknowledged in the broker. They never come again, whoever asks. */
  committed(topic: string): Promise<number>
}

/** For this file. */
export function openGround(): Promise<Ground> {
  return inPlace(groundIn)
}

/** For this file, with placement, a scheduler, and a store that can hold the state of actors. */
export function openActorGround(): Promise<Ground> {
  return inPlace(async (place) => {
    const first = await freePlace()
    const addresses = { placement: `127.0.0.1:${first}`, scheduler: `127.0.0.1:${first + 5}` }
    const steps = new Steps(undefined, undefined)
    await startControlPlane(await provideControlPlane(steps, {}), { ...place, addresses }, steps)
    return groundIn(place, addresses)
  })
}

/** For this file, with a broker that all its tests share. */
export function openKafkaGround(): Promise<KafkaGround> {
  return inPlace(async (place) => {
    const ground = await groundIn(place)
    return { ...ground, ...brokerOf(await startSomewhere(place)) }
  })
}

function brokerOf(broker: Part): Omit<KafkaGround, keyof Ground> {
  const common = { clientId: 'trap', bootstrapBrokers: broker.address.split(','), retries: 3 }
  const admin = new Admin(common)
  const producer = new Producer(common)
  afterAll(async () => {
    await Promise.all([admin.close(), producer.close()])
    // Nobody needs its data any more: an orderly end would only take longer.
    await broker.process?.kill()
  })
  return {
    async topic() {
      const name = `trap-${crypto.randomUUID()}`
      await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 })
      return name
    },
    async tell(topic, ...values) {
      const messages = values.map((value) => ({ topic, partition: 0, value: Buffer.from(value) }))
      await producer.send({ messages, acks: -1 })
    },
    component: (topic, changes) => shopsComponent(topic, { brokers: broker.address, ...changes }),
    async committed(topic) {
      const asked = { groupId: groupOf(topic), topics: [{ name: topic, partitionIndexes: [0] }] }
      const [found] = await admin.listConsumerGroupOffsets({ groups: [asked] })
      return Math.max(0, Number(found?.topics[0]?.partitions[0]?.committedOffset ?? 0))
    },
  }
}

/** An app of this test, at the port where its sidecar looks for it. */
export async function serve(port: number, listener: RequestListener): Promise<void> {
  const server = createServer(listener)
  server.listen(port, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
}

type Place = { fleet: Fleet; dir: string }

/** Leaves nothing behind, also when what is built in it fails: the hooks of a file that cannot be loaded do not run. */
async function inPlace<T>(build: (place: Place) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-trap-'))
  const fleet = await Fleet.open({ dir, url: 'only traps' })
  const leave = async () => {
    await fleet.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  // Hooks run in reverse: what is built closes its connections first.
  afterAll(leave)
  const tell = () => {
    process.stderr.write(`${fleet.logBook.text({ last: LOG_LINES })}\n`)
  }
  beforeEach(({ onTestFailed }) => onTestFailed(tell))
  try {
    const built = await build({ fleet, dir })
    fleet.opened()
    return built
  } catch (error) {
    tell()
    await leave()
    throw error
  }
}

async function groundIn({ fleet, dir }: Place, controlPlane?: ControlPlaneAddresses): Promise<Ground> {
  const daprd = await provide('daprd', { report: (line) => process.stderr.write(`${line}\n`) })
  const { configFile } = render(readDaprYaml(root), dir, { address: 'nobody reads this', isOurs: true })
  let next = PORTS_FROM + (process.pid % PLACES) * PORTS_EACH
  return {
    async ports() {
      for (; next < PORTS_TO; next += PORTS_EACH) {
        const ports = portsFrom(next)
        if (await firstTaken(needsOf('a trap', ports))) continue
        next += PORTS_EACH
        return ports
      }
      throw new Error(`no free ports below ${PORTS_TO}`)
    },
    async startSidecar({ appId, ports, appProtocol = 'http', components = [], config }) {
      const resourcesDir = path.join(dir, appId)
      mkdirSync(resourcesDir)
      for (const [index, text] of components.entries()) {
        writeFileSync(path.join(resourcesDir, `${index}.yaml`), text)
      }
      const rendered = {
        resourcesDir,
        configFile: config === undefined ? configFile : changedConfig(configFile, appId, config),
      }
      const entry = { appId, appProtocol, logLevel: 'warn', healthCheck: null }
      const parts = { fleet, daprd, rendered, ...(controlPlane && { controlPlane }) }
      const sidecar = defineSidecar(parts, entry, `${appId}/daprd`, ports)
      onTestFinished(() => sidecar.kill())
      await sidecar.start()
      return sidecar
    },
  }
}

/** The first of ten free ports in a row. */
async function freePlace(): Promise<number> {
  for (let first = PORTS_FROM + (process.pid % PLACES) * PORTS_EACH; first < PORTS_TO; first += PORTS_EACH) {
    const ten = Array.from({ length: 10 }, (_, index) => ({ port: first + index, who: 'a trap' }))
    if (!(await firstTaken(ten))) return first
  }
  throw new Error(`no ten free ports below ${PORTS_TO}`)
}

function portsFrom(first: number): Ports {
  return {
    appPort: first,
    daprHttpPort: first + 1,
    daprGrpcPort: first + 2,
    daprInternalGrpcPort: first + 3,
    metricsPort: first + 4,
  }
}

function changedConfig(file: string, name: string, changes: Config): string {
  const document = parseDocument(readFileSync(file, 'utf8'))
  for (const [key, value] of Object.entries(changes)) document.setIn(['spec', ...key.split('.')], value)
  const changed = path.join(path.dirname(file), `config-${name}.yaml`)
  writeFileSync(changed, String(document))
  return changed
}

async function startSomewhere({ fleet, dir }: Place): Promise<Part> {
  const kafka: Provided = await provide('kafka', { report: (line) => process.stderr.write(`${line}\n`) })
  for (let place = process.pid % PLACES; place < 2 * PLACES; place += 1) {
    const portOffset = BROKER_OFFSET + (place % PLACES) * 2
    if (await firstTaken(backboneNeeds({ kafka, mongodb: { kind: 'remote' } }, portOffset))) continue
    return startKafka(kafka, { fleet, dir: path.join(dir, 'kafka'), portOffset })
  }
  throw new Error('no free ports for a broker')
}

function groupOf(topic: string): string {
  return `listener.${topic}`
}

type Component = { metadata: { name: string }; scopes?: string[]; spec: { metadata: Setting[] } }
type Setting = { name: string; value: string }

function shopsComponent(topic: string, changes: Changes): string {
  const component: Component = parse(readFileSync(path.join(root, 'components/user-create.yaml'), 'utf8'))
  const changed: Changes = { ...settings(component), consumerGroup: groupOf(topic), ...changes }
  const kept = Object.entries(changed).filter(([, value]) => value !== null)
  const { scopes: _everybody, ...rest } = component
  return stringify({
    ...rest,
    metadata: { name: topic },
    spec: { ...component.spec, metadata: kept.map(([name, value]) => ({ name, value })) },
  })
}

function settings(component: Component): Changes {
  return Object.fromEntries(component.spec.metadata.map(({ name, value }) => [name, value]))
}

/** Proves a loss: what is committed is never delivered again, to nobody. */
export async function untilCommitted(ground: KafkaGround, topic: string, records: number): Promise<void> {
  await expect.poll(() => ground.committed(topic), SOON).toBe(records)
}
