import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { accepts, dataOf, defineBroker, propertiesOf } from '@tideshop/run/backbone'
import { Fleet } from '@tideshop/run/fleet'
import { firstTaken } from '@tideshop/run/ports'
import type { Process } from '@tideshop/run/process'
import { withAdmin } from '@tideshop/run/topics'
import { provide } from '@tideshop/runtime/provide'
import { afterAll } from 'vitest'
import { type Env, templateOf } from '../shared/production.ts'

/** Three brokers on this machine, with the settings of production: only where they are differs. */

const IDS = [0, 1, 2]
/** Where to look for ports. Not where the kernel takes those of outgoing connections from: a broker that is away must find its own again. */
const PORTS = Array.from({ length: 50 }, (_, index) => 21_000 + index * 10)
const READY_WITHIN_MS = 90_000
const STOP_WITHIN_MS = 60_000

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
  const settings = settingsOf(templateOf('kafka').spec.containers[0].env)
  for (const broker of brokers) {
    const { id, port } = broker
    const spec = {
      name: `kafka-${id}`,
      dir: broker.dir,
      properties: propertiesOf({ ...settings, ...placeOf(broker, brokers) }),
      isReady: async () => (await accepts(port)) && (await isInSync(broker)),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    }
    processes.push(await defineBroker(spec, kafka, { fleet }))
  }
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

/** As the image makes them of its environment: `KAFKA_NODE_ID` is `node.id`. `KAFKA_HEAP_OPTS` is the JVM's. */
function settingsOf(env: Env): Record<string, string> {
  return Object.fromEntries(
    env
      .filter(({ name }) => name.startsWith('KAFKA_') && name !== 'KAFKA_HEAP_OPTS')
      .map(({ name, value }) => [name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'), value]),
  )
}

/** What its startup probe asks (kafka.yaml): whether no partition of its own lacks it. By another client, which shows no internal topics. */
async function isInSync({ id, port }: Broker): Promise<boolean> {
  const partitions = await withAdmin(`127.0.0.1:${port}`, async (admin) => {
    const known = await admin.metadata({ topics: await admin.listTopics() })
    return [...known.topics.values()].flatMap((topic) => topic.partitions)
  }).catch(() => null)
  return partitions?.every(({ replicas, isr }) => !replicas.includes(id) || isr.includes(id)) ?? false
}

function placeOf({ id, port, controllerPort, dir }: Broker, all: Broker[]): Record<string, string> {
  return {
    'node.id': `${id}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.quorum.voters': all.map((one) => `${one.id}@127.0.0.1:${one.controllerPort}`).join(','),
    'log.dirs': dataOf(dir),
  }
}
