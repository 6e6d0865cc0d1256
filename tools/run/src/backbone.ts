import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Program } from '@tideshop/runtime/part'
import { type Provided, type ProvideOptions, provide } from '@tideshop/runtime/provide'
import type { Fleet } from './fleet.ts'
import type { Need } from './ports.ts'
import type { Process, Spec } from './process.ts'
import type { Steps } from './steps.ts'
import { ensureTopics, kafkaAnswers } from './topics.ts'

const KAFKA_PORT = 19_092
const CONTROLLER_PORT = 19_093
const MONGODB_PORT = 27_117

/** Generous: after a kill Kafka first reads its log, and the machine may be busy. */
const READY_WITHIN_MS = 60_000
const FORMATTED_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000

/** Any id does for the only node of a cluster nobody joins; 16 bytes, as base64 without a leading dash. */
export const CLUSTER_ID = Buffer.from('tideshop-laptop.').toString('base64url')

/** What one part of the backbone has become: an address to use, and the process behind it unless it runs elsewhere. */
export type Part = { address: string; process: Process | null }

export type BackboneParts = { kafka: Provided; mongodb: Provided }

/** Where the embedded database keeps what it holds. Any other decides for itself. */
export type DatabaseKind = 'disk' | 'memory'
export type Backbone = { kafka: Part; mongodb: Part }

/** As `report` names them. */
export const backboneSteps = ['Kafka', 'MongoDB server', 'topics'] as const

/** Finds or fetches what is to run; starts nothing. */
export async function provideBackbone(steps: Steps, options: ProvideOptions): Promise<BackboneParts> {
  const [kafka, mongodb] = await Promise.all([
    provide('kafka', { ...options, report: (line) => steps.note('Kafka', line) }),
    provide('mongodb', { ...options, report: (line) => steps.note('MongoDB server', line) }),
  ])
  return { kafka, mongodb }
}

export function backboneNeeds(
  { kafka, mongodb }: Record<keyof BackboneParts, Pick<Provided, 'kind'>>,
  offset: number,
): Need[] {
  const needs: Need[] = []
  if (kafka.kind === 'program') {
    needs.push({ port: KAFKA_PORT + offset, who: 'Kafka' })
    needs.push({ port: CONTROLLER_PORT + offset, who: "Kafka's controller" })
  }
  if (mongodb.kind === 'program') needs.push({ port: MONGODB_PORT + offset, who: 'the MongoDB server' })
  return needs
}

/** Both side by side, then the topics. */
export async function startBackbone(parts: BackboneParts, place: Place, steps: Steps): Promise<Backbone> {
  const kafkaPlace = { ...place, dir: path.join(place.dir, 'kafka') }
  const mongodbPlace = { ...place, dir: path.join(place.dir, 'mongodb') }
  const [kafka, mongodb] = await Promise.all([
    steps.take('Kafka', () => startKafka(parts.kafka, kafkaPlace)),
    steps.take('MongoDB server', () => startMongodb(parts.mongodb, mongodbPlace)),
  ])
  await steps.take('topics', () => ensureTopics(kafka.address, place.partitions))
  return { kafka, mongodb }
}

/** Where a part of the backbone is to live. */
type Place = {
  fleet: Fleet
  dir: string
  portOffset: number
  /** Default `disk`. */
  database?: DatabaseKind | undefined
  partitions?: number | undefined
  /** Ends a start that is under way. */
  signal?: AbortSignal | undefined
}

/** A single KRaft node; formats its folder at the first start. */
export async function startKafka(provided: Provided, place: Place): Promise<Part> {
  if (provided.kind === 'remote') return { address: provided.address, process: null }
  const { dir, portOffset: offset } = place
  const [host, port, controllerPort] = ['127.0.0.1', KAFKA_PORT + offset, CONTROLLER_PORT + offset]
  const address = `${host}:${port}`
  const data = dataOf(dir)
  const broker = {
    name: 'kafka',
    dir,
    properties: kafkaProperties({ host, port, controllerPort, data }),
    isReady: async () => (await accepts(port)) && (await kafkaAnswers(address)),
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
  }
  const process = await defineBroker(broker, provided, place)
  await process.start()
  return { address, process }
}

/** `properties` say that its data is in `dataOf(dir)`. */
type Broker = Pick<Spec, 'name' | 'isReady' | 'readyWithinMs' | 'stopWithinMs'> & {
  dir: string
  properties: string
}

export function dataOf(dir: string): string {
  return path.join(dir, 'data')
}

/** Formats its folder where that has not been done yet, and starts nothing. */
export async function defineBroker(
  { dir, properties, ...others }: Broker,
  { command, args }: Program,
  { fleet, signal }: Pick<Place, 'fleet' | 'signal'>,
): Promise<Process> {
  const file = path.join(dir, 'server.properties')
  const logFile = path.join(dir, 'log4j2.properties')
  mkdirSync(dataOf(dir), { recursive: true })
  writeFileSync(file, properties)
  writeFileSync(logFile, kafkaLogging)
  if (!existsSync(path.join(dataOf(dir), 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file]
    const limits = { timeout: FORMATTED_WITHIN_MS, ...(signal && { signal }) }
    await promisify(execFile)(command, [...args, ...format], limits)
  }
  const started = [...args, `-Dlog4j2.configurationFile=${logFile}`, 'kafka.Kafka', file]
  return fleet.define({ ...others, command, args: started, cwd: dir, env: {} }, 'backbone')
}

/** A MongoDB server, or the small one for the JVM that speaks its protocol. */
async function startMongodb(provided: Provided, place: Place): Promise<Part> {
  if (provided.kind === 'remote') return { address: provided.address, process: null }
  const { fleet, dir } = place
  const port = MONGODB_PORT + place.portOffset
  mkdirSync(dir, { recursive: true })
  const file = place.database === 'memory' ? [] : [path.join(dir, 'shop.h2')]
  const where =
    provided.dialect === 'mongod'
      ? ['--port', String(port), '--dbpath', dir, '--bind_ip', '127.0.0.1']
      : [String(port), ...file]
  const process = fleet.define(
    {
      name: 'mongodb',
      command: provided.command,
      args: [...provided.args, ...where],
      cwd: dir,
      env: {},
      isReady: () => accepts(port),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    },
    'backbone',
  )
  await process.start()
  return { address: `mongodb://127.0.0.1:${port}`, process }
}

type KafkaPlace = { host: string; port: number; controllerPort: number; data: string }

/** How a broker of ours behaves, wherever it listens; its controller is nobody else's business. */
export function kafkaProperties({ host, port, controllerPort, data }: KafkaPlace): string {
  return propertiesOf({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${host}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': data,
    // A topic nobody declared is a typing error, not a wish.
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // 50 by default, each with files of its own: the first consumer would wait for all of them.
    'offsets.topic.num.partitions': 4,
    // Otherwise the first consumer of a group waits 3 s for a second one.
    'group.initial.rebalance.delay.ms': 0,
    // The sidecars' groups miss a dead member after 3 s (components/); the broker's own least is 6 s.
    'group.min.session.timeout.ms': 1000,
    // A killed broker may register again only when the session of its former life is over: 9 s by default.
    'broker.heartbeat.interval.ms': 200,
    'broker.session.timeout.ms': 1000,
    // A week, but never more than 1 GiB of a partition, in pieces small enough to be deleted one by one.
    'log.retention.hours': 168,
    'log.retention.bytes': 1024 ** 3,
    'log.segment.bytes': 64 * 1024 ** 2,
    'log.index.size.max.bytes': 1024 ** 2,
  })
}

/** As Java reads them. */
export function propertiesOf(settings: Record<string, string | number | boolean>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

/** Left to itself log4j prints errors only, and without line ends. */
export const kafkaLogging = `appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} [%t] %p %c{1} - %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`

/** Whether anybody listens there. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
