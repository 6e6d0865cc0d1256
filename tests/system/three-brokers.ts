import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { root } from '@tideshop/run/arguments'
import { accepts, CLUSTER_ID, kafkaLogging } from '@tideshop/run/backbone'
import { Fleet } from '@tideshop/run/fleet'
import { firstTaken } from '@tideshop/run/ports'
import type { Process } from '@tideshop/run/process'
import type { Provided } from '@tideshop/runtime/part'
import { provide } from '@tideshop/runtime/provide'
import { afterAll } from 'vitest'
import { parseAllDocuments } from 'yaml'

/** Three brokers on this machine, with the settings of production: only where they are differs. */

const PRODUCTION = 'k8s/overlays/production/kafka.yaml'
const IDS = [0, 1, 2]
/** Where to look for ports. Not where the kernel takes those of outgoing connections from: a broker that is away must find its own again. */
const PORTS = Array.from({ length: 50 }, (_, index) => 21_000 + index * 10)
const READY_WITHIN_MS = 90_000
const STOP_WITHIN_MS = 60_000
const FORMAT_WITHIN_MS = 60_000
const ANSWER_MS = 5000

export type Brokers = {
  /** For `KAFKA_BROKERS`. */
  addresses: string
  /** Each counts as started when its startup probe would say so. */
  processes: readonly Process[]
}

type Broker = { id: number; port: number; controllerPort: number; dir: string }

/** They end with the test file. */
export async function openBrokers(): Promise<Brokers> {
  const kafka = await provide('kafka', { env: { ...process.env, KAFKA_BROKERS: '' } })
  if (kafka.kind === 'remote') throw new Error('brokers of this file’s own were asked for')
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-brokers-'))
  const fleet = await Fleet.open({ dir, url: '' })
  afterAll(async () => {
    await fleet.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const firstPort = await firstOfFree(2 * IDS.length)
  const brokers = IDS.map((id) => {
    const port = firstPort + 2 * id
    return { id, port, controllerPort: port + 1, dir: path.join(dir, `kafka-${id}`) }
  })
  const processes: Process[] = []
  for (const broker of brokers) processes.push(await defineBroker(broker, brokers, { fleet, kafka }))
  await Promise.all(processes.map((broker) => broker.start()))
  return { addresses: brokers.map(({ port }) => `127.0.0.1:${port}`).join(','), processes }
}

/** Of so many in a row, none of which anybody listens at. */
async function firstOfFree(count: number): Promise<number> {
  for (const first of PORTS) {
    const needs = Array.from({ length: count }, (_, index) => ({ port: first + index, who: 'a broker' }))
    if ((await firstTaken(needs)) === undefined) return first
  }
  throw new Error('no free ports for three brokers')
}

type Means = { fleet: Fleet; kafka: Extract<Provided, { kind: 'program' }> }

async function defineBroker(broker: Broker, all: Broker[], { fleet, kafka }: Means): Promise<Process> {
  const { id, dir, port } = broker
  mkdirSync(dir, { recursive: true })
  const file = path.join(dir, 'server.properties')
  const logFile = path.join(dir, 'log4j2.properties')
  writeFileSync(file, propertiesOf({ ...settingsOf(productionEnv()), ...placeOf(broker, all) }))
  writeFileSync(logFile, kafkaLogging)
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file]
  await promisify(execFile)(kafka.command, [...kafka.args, ...format], { timeout: FORMAT_WITHIN_MS })
  return fleet.define(
    {
      name: `kafka-${id}`,
      command: kafka.command,
      args: [...kafka.args, `-Dlog4j2.configurationFile=${logFile}`, 'kafka.Kafka', file],
      cwd: dir,
      env: {},
      isReady: async () => (await accepts(port)) && (await isInSync(broker)),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    },
    'backbone',
  )
}

type Env = { name: string; value: string }[]

function productionEnv(): Env {
  const documents = parseAllDocuments(readFileSync(path.join(root, PRODUCTION), 'utf8'))
  const set = documents.map((document) => document.toJS()).find(({ kind }) => kind === 'StatefulSet')
  return set.spec.template.spec.containers[0].env
}

/** As the image makes them of its environment: `KAFKA_NODE_ID` is `node.id`. `KAFKA_HEAP_OPTS` is the JVM's. */
function settingsOf(env: Env): Record<string, string> {
  return Object.fromEntries(
    env
      .filter(({ name }) => name.startsWith('KAFKA_') && name !== 'KAFKA_HEAP_OPTS')
      .map(({ name, value }) => [name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'), value]),
  )
}

/** What its startup probe asks (kafka.yaml), by another client: whether no partition of its own lacks it. That client knows internal topics as well. */
async function isInSync({ id, port }: Broker): Promise<boolean> {
  const admin = new Admin({
    clientId: 'probe',
    bootstrapBrokers: [`127.0.0.1:${port}`],
    connectTimeout: ANSWER_MS,
    timeout: ANSWER_MS,
    retries: 0,
  })
  try {
    const topics = await admin.listTopics()
    const known = await admin.metadata({ topics })
    const partitions = [...known.topics.values()].flatMap((topic) => topic.partitions)
    return partitions.every(({ replicas, isr }) => !replicas.includes(id) || isr.includes(id))
  } catch {
    return false
  } finally {
    await admin.close()
  }
}

function placeOf({ id, port, controllerPort, dir }: Broker, all: Broker[]): Record<string, string> {
  return {
    'node.id': `${id}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.quorum.voters': all.map((one) => `${one.id}@127.0.0.1:${one.controllerPort}`).join(','),
    'log.dirs': path.join(dir, 'data'),
  }
}

function propertiesOf(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
