import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { accepts, CLUSTER_ID, kafkaLogging, kafkaProperties } from '@tideshop/run/backbone'
import { rabbitmqSpecs } from '@tideshop/run/rabbitmq'
import { kafkaAnswers } from '@tideshop/run/topics'
import type { Program } from '@tideshop/runtime/part'
import { startDaemon } from './daemon.ts'
import { KAFKA_PORT, MONGODB_PORT, NODE, type Place, RABBITMQ_PORT, READY_WITHIN_MS } from './place.ts'
import { writeIn } from './write-in.ts'

const CONTROLLER_PORT = 9093
const RABBITMQ_DIST_PORT = 25_672
const EPMD_PORT = 4369
export const KAFKA = `${NODE}:${KAFKA_PORT}`

/** The broker of `pnpm start`, at the node's address. */
export async function startKafka(place: Place, { command, args }: Program): Promise<void> {
  const data = place.file('kafka/data')
  mkdirSync(data, { recursive: true })
  const settings = kafkaProperties({ host: NODE, port: KAFKA_PORT, controllerPort: CONTROLLER_PORT, data })
  const file = writeIn(place, 'kafka/server.properties', settings)
  const logging = writeIn(place, 'kafka/log4j2.properties', kafkaLogging)
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file]
  await promisify(execFile)(command, [...args, ...format], { timeout: READY_WITHIN_MS })
  await startDaemon(
    {
      name: 'kafka',
      command,
      args: [...args, `-Dlog4j2.configurationFile=${logging}`, 'kafka.Kafka', file],
      isReady: async () => (await accepts(KAFKA_PORT, NODE)) && (await kafkaAnswers(KAFKA)),
      readyWithinMs: READY_WITHIN_MS,
    },
    place,
  )
}

/** The small server that speaks MongoDB's protocol, with its data in a file as on a laptop. */
export async function startMongodb(place: Place, { command, args }: Program): Promise<void> {
  mkdirSync(place.file('mongodb'), { recursive: true })
  await startDaemon(
    {
      name: 'mongodb',
      command,
      args: [...args, `${NODE}:${MONGODB_PORT}`, place.file('mongodb/shop.h2')],
      isReady: () => accepts(MONGODB_PORT, NODE),
      readyWithinMs: READY_WITHIN_MS,
    },
    place,
  )
}

/** The broker of `pnpm start`, which pods ask at the node's address. */
export async function startRabbitmq(place: Place, program: Program): Promise<void> {
  const { epmd, node } = rabbitmqSpecs(program, {
    dir: place.file('rabbitmq'),
    host: NODE,
    ports: { amqp: RABBITMQ_PORT, dist: RABBITMQ_DIST_PORT, epmd: EPMD_PORT },
  })
  await startDaemon({ ...epmd, name: 'epmd' }, place)
  await startDaemon(node, place)
}
