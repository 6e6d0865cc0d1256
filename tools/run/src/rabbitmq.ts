import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Program, Provided } from '@tideshop/runtime/part'
import { locate } from '@tideshop/runtime/provide'
import { accepts, type Part } from './backbone.ts'
import type { Fleet } from './fleet.ts'
import type { Need } from './ports.ts'
import type { Spec } from './process.ts'
import type { Steps } from './steps.ts'

/**
 * The queues of `invoices`. RabbitMQ is the one part that no registry gives: where it is not installed the shop opens
 * without the services that need it, and says so.
 */

const HOST = '127.0.0.1'
const AMQP_PORT = 28_672
/** Erlang's own two: between nodes, and where it looks up a node's port. No other node ever comes. */
const DIST_PORT = 28_673
const EPMD_PORT = 28_674

/** An Erlang with RabbitMQ is up in 3 s on an idle machine, and was seen to take 22 s on a busy one. */
const READY_WITHIN_MS = 120_000
const STOP_WITHIN_MS = 20_000

/** As `report` names it. */
export const RABBITMQ_STEP = 'RabbitMQ'

/** App-ids of those who stay closed without it. */
export const needRabbitmq: readonly string[] = ['invoices']

/** `provided` is null where there is none; then `closed` has a sentence for each service: what is missing and how to get it. */
export type Rabbitmq = { provided: Provided | null; closed: string[] }

/** Nothing is started. Who does not want it is told of no lack. */
export async function findRabbitmq(isWanted = true, env = process.env): Promise<Rabbitmq> {
  if (!isWanted) return { provided: null, closed: [] }
  const located = await locate('rabbitmq', env)
  if (located.state === 'found') return { provided: located.provided, closed: [] }
  const lacks = located.state === 'missing' ? located.lacks : []
  const why = [...located.ignored, ...lacks].join('; ')
  return { provided: null, closed: needRabbitmq.map((appId) => `${appId}: ${why}`) }
}

export function rabbitmqNeeds({ provided }: Rabbitmq, offset: number): Need[] {
  if (provided?.kind !== 'program') return []
  return [
    { port: AMQP_PORT + offset, who: 'RabbitMQ' },
    { port: DIST_PORT + offset, who: "RabbitMQ's Erlang" },
    { port: EPMD_PORT + offset, who: "RabbitMQ's epmd" },
  ]
}

export type RabbitmqPlace = { fleet: Fleet; dir: string; portOffset: number }

/** On this machine's own address. Null where there is none. */
export async function startRabbitmq(
  { provided }: Rabbitmq,
  place: RabbitmqPlace,
  steps: Steps,
): Promise<Part | null> {
  if (provided === null) return null
  if (provided.kind === 'remote') return { address: provided.address, process: null }
  const { fleet, dir, portOffset } = place
  const ports = { amqp: AMQP_PORT, dist: DIST_PORT, epmd: EPMD_PORT }
  const seat: Seat = { dir: path.join(dir, 'rabbitmq'), host: HOST, ports: shifted(ports, portOffset) }
  return steps.take(RABBITMQ_STEP, async () => {
    const { epmd, node } = rabbitmqSpecs(provided, seat)
    await fleet.define(epmd, 'backbone').start()
    const process = fleet.define(node, 'backbone')
    await process.start()
    return { address: rabbitmqAddress(HOST, seat.ports.amqp), process }
  })
}

export function rabbitmqAddress(host: string, port: number): string {
  return `amqp://guest:guest@${host}:${port}`
}

/** Of `pnpm start`, without an offset. */
export const RABBITMQ_OF_START = rabbitmqAddress(HOST, AMQP_PORT)

type Ports = { amqp: number; dist: number; epmd: number }

/** Where a node lives: with its own folders, at an address and ports that nobody else has. */
export type Seat = { dir: string; host: string; ports: Ports }

/** Its two processes. Left to itself RabbitMQ starts an epmd that stays when it goes, and that all Erlangs of the machine share. */
export function rabbitmqSpecs({ command, args }: Program, seat: Seat): { epmd: Spec; node: Spec } {
  const { dir, host, ports } = seat
  mkdirSync(path.join(dir, 'log'), { recursive: true })
  const common = {
    cwd: dir,
    env: nodeEnv(seat),
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
  }
  return {
    epmd: {
      ...common,
      name: 'rabbitmq/epmd',
      command: 'epmd',
      args: ['-port', String(ports.epmd)],
      isReady: () => accepts(ports.epmd),
    },
    node: { ...common, name: 'rabbitmq', command, args, isReady: () => accepts(ports.amqp, host) },
  }
}

function shifted({ amqp, dist, epmd }: Ports, by: number): Ports {
  return { amqp: amqp + by, dist: dist + by, epmd: epmd + by }
}

function nodeEnv({ dir, host, ports }: Seat): Record<string, string> {
  return {
    // The cookie, Erlang's password, is made there.
    HOME: dir,
    ERL_EPMD_ADDRESS: HOST,
    ERL_EPMD_PORT: String(ports.epmd),
    RABBITMQ_NODENAME: `tideshop-${ports.amqp}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: host,
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.dist),
    RABBITMQ_MNESIA_BASE: path.join(dir, 'data'),
    RABBITMQ_LOG_BASE: path.join(dir, 'log'),
    RABBITMQ_PID_FILE: path.join(dir, 'pid'),
    RABBITMQ_CONFIG_FILE: written(dir, 'rabbitmq.conf', CONFIG),
    // Neither the plugins nor the settings of a RabbitMQ that is a service of this machine.
    RABBITMQ_ENABLED_PLUGINS_FILE: written(dir, 'enabled_plugins', '[].\n'),
    RABBITMQ_CONF_ENV_FILE: path.join(dir, 'none'),
    // By itself it listens to the network for other nodes, and its schedulers wait for work by turning in circles.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
  }
}

/** By itself `guest` may come from 127.0.0.1 only; that nobody else comes is the matter of the address that it listens at. */
const CONFIG = `log.file = false
log.console = true
log.console.level = warning
loopback_users = none
`

function written(dir: string, name: string, text: string): string {
  const file = path.join(dir, name)
  writeFileSync(file, text)
  return file
}
