import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Target } from './forwarder.ts'
import {
  API_PORT,
  DOOR_PORT,
  DOOR_SERVICE,
  ISSUER_DOOR_PORT,
  ISSUER_PORT,
  ISSUER_SERVICE,
  MONGODB_DOOR_PORT,
  MONGODB_PORT,
  NODE,
  type Place,
  PROMETHEUS_DOOR_PORT,
  PROMETHEUS_PORT,
  RABBITMQ_DOOR_PORT,
  RABBITMQ_PORT,
} from './place.ts'
import { spawnInside } from './space.ts'

const FORWARDER = fileURLToPath(new URL('./forwarder.ts', import.meta.url))

const DOORS: [port: number, target: Target][] = [
  [DOOR_PORT, { host: DOOR_SERVICE, port: 80 }],
  [API_PORT, { host: '127.0.0.1', port: API_PORT }],
  [PROMETHEUS_DOOR_PORT, { host: NODE, port: PROMETHEUS_PORT }],
  [MONGODB_DOOR_PORT, { host: NODE, port: MONGODB_PORT }],
  [RABBITMQ_DOOR_PORT, { host: NODE, port: RABBITMQ_PORT }],
  [ISSUER_DOOR_PORT, { host: ISSUER_SERVICE, port: ISSUER_PORT }],
]

/** Lets this machine, and nobody else, into the cluster. */
export async function openDoors(place: Place, holder: number): Promise<void> {
  const servers = await Promise.all(DOORS.map(([port]) => listening(port)))
  const log = join(place.logs, 'forwarder.log')
  const forwarder = spawnInside(holder, [process.execPath, FORWARDER], { log, ipc: true })
  for (const [index, [, target]] of DOORS.entries()) {
    forwarder.send(target, servers[index])
    await Promise.race([once(forwarder, 'message'), ended(forwarder)])
  }
  forwarder.disconnect()
  forwarder.unref()
  for (const server of servers) server.close()
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`the forwarder ended (exit code ${code}); logs/forwarder.log says why`)
}

async function listening(port: number): Promise<Server> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new Error(`port ${port} of this machine cannot be had: ${(error as Error).message}`)
  }
  return server
}
