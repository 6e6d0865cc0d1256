import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { type Provided, type ProvideOptions, provide } from '@tideshop/runtime/provide'
import type { ControlPlaneAddresses } from './dapr-yaml.ts'
import type { Fleet } from './fleet.ts'
import type { Need } from './ports.ts'
import { answers } from './process.ts'
import type { Steps } from './steps.ts'

/**
 * What actors need beside the sidecars: placement tells every sidecar which replica an actor lives on, and the scheduler
 * keeps reminders in an etcd of its own. dapr.yaml says where the sidecars look for them; their other ports follow.
 */

const HOST = '127.0.0.1'
const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 10_000
/** Each is the only one of its kind, and knows itself by this name. */
const PLACEMENT_ID = 'dapr-placement-0'
const SCHEDULER_ID = 'dapr-scheduler-server-0'
/**
 * Etcd's store is a file mapped into memory, and grows in steps; and Go's collector lets a heap double before it looks.
 * Ours holds one reminder per good at most.
 */
const SCHEDULER_MEMORY = { GOMEMLIMIT: '64MiB' }

export type ControlPlaneParts = { placement: Provided; scheduler: Provided }

/** As `report` names them. */
export const controlPlaneSteps = ['placement', 'scheduler'] as const

/** Finds or builds what is to run; starts nothing. */
export async function provideControlPlane(steps: Steps, options: ProvideOptions): Promise<ControlPlaneParts> {
  const [placement, scheduler] = await Promise.all(
    controlPlaneSteps.map((part) =>
      provide(part, { ...options, report: (line) => steps.note(part, line) }),
    ) as [Promise<Provided>, Promise<Provided>],
  )
  return { placement, scheduler }
}

/** The addresses of dapr.yaml for a shop beside the first. */
export function addressesAt(
  { placement, scheduler }: ControlPlaneAddresses,
  offset: number,
): ControlPlaneAddresses {
  const moved = (address: string) => `${HOST}:${portIn(address) + offset}`
  return { placement: moved(placement), scheduler: moved(scheduler) }
}

export function controlPlaneNeeds(addresses: ControlPlaneAddresses): Need[] {
  const { placement, scheduler } = portsOf(addresses)
  return [
    { port: placement.grpc, who: 'placement' },
    { port: placement.health, who: 'placement (health)' },
    { port: placement.raft, who: 'placement (peers)' },
    { port: scheduler.grpc, who: 'the scheduler' },
    { port: scheduler.health, who: 'the scheduler (health)' },
    { port: scheduler.etcdClient, who: "the scheduler's etcd" },
    { port: scheduler.etcdPeer, who: "the scheduler's etcd (peers)" },
  ]
}

export type ControlPlanePlace = { fleet: Fleet; dir: string; addresses: ControlPlaneAddresses }

/** Both side by side. */
export async function startControlPlane(
  parts: ControlPlaneParts,
  place: ControlPlanePlace,
  steps: Steps,
): Promise<void> {
  const ports = portsOf(place.addresses)
  const dir = path.join(place.dir, 'scheduler')
  mkdirSync(dir, { recursive: true })
  await Promise.all([
    steps.take('placement', () =>
      start(place, 'placement', parts.placement, ports.placement, placementArgs(ports.placement), {}),
    ),
    steps.take('scheduler', () =>
      start(
        place,
        'scheduler',
        parts.scheduler,
        ports.scheduler,
        schedulerArgs(ports.scheduler, dir),
        SCHEDULER_MEMORY,
      ),
    ),
  ])
}

type ServerPorts = { grpc: number; health: number }
type PlacementPorts = ServerPorts & { raft: number }
type SchedulerPorts = ServerPorts & { etcdClient: number; etcdPeer: number }

function portsOf(addresses: ControlPlaneAddresses): { placement: PlacementPorts; scheduler: SchedulerPorts } {
  const placement = portIn(addresses.placement)
  const scheduler = portIn(addresses.scheduler)
  return {
    placement: { grpc: placement, health: placement + 1, raft: placement + 2 },
    scheduler: { grpc: scheduler, health: scheduler + 1, etcdClient: scheduler + 2, etcdPeer: scheduler + 3 },
  }
}

function portIn(address: string): number {
  return Number(address.split(':').at(-1))
}

async function start(
  { fleet, dir }: ControlPlanePlace,
  name: keyof ControlPlaneParts,
  provided: Provided,
  { health }: ServerPorts,
  args: string[],
  env: Record<string, string>,
): Promise<void> {
  if (provided.kind === 'remote') throw new Error(`${name} has to run here`)
  const process = fleet.define(
    {
      name,
      command: provided.command,
      args: [...provided.args, ...args, '--log-level=warn', '--enable-metrics=false'],
      cwd: dir,
      env,
      isReady: () => answers(`http://${HOST}:${health}/healthz`, 200),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    },
    'backbone',
  )
  await process.start()
}

function placementArgs({ grpc, health, raft }: PlacementPorts): string[] {
  return [
    `--id=${PLACEMENT_ID}`,
    `--initial-cluster=${PLACEMENT_ID}=${HOST}:${raft}`,
    `--port=${grpc}`,
    `--listen-address=${HOST}`,
    `--healthz-port=${health}`,
    `--healthz-listen-address=${HOST}`,
  ]
}

function schedulerArgs({ grpc, health, etcdClient, etcdPeer }: SchedulerPorts, dir: string): string[] {
  return [
    `--id=${SCHEDULER_ID}`,
    `--port=${grpc}`,
    `--listen-address=${HOST}`,
    // Otherwise it tells the sidecars an address of the network.
    `--override-broadcast-host-port=${HOST}:${grpc}`,
    `--healthz-port=${health}`,
    `--healthz-listen-address=${HOST}`,
    `--etcd-data-dir=${dir}`,
    `--etcd-client-port=${etcdClient}`,
    `--etcd-client-listen-address=${HOST}`,
    `--etcd-initial-cluster=${SCHEDULER_ID}=http://${HOST}:${etcdPeer}`,
  ]
}
