import { setTimeout as delay } from 'node:timers/promises'
import type { Process } from '@tideshop/run/process'
import { stopReplica } from '@tideshop/run/replica'
import type { Shop } from '@tideshop/run/shop'
import { goBack } from '../shared/topics.ts'
import { lasts, type ProcessFault, type Target } from './fault.ts'
import { type Ground, persist } from './ground.ts'

/** Faults of processes, and how they are made good. Whatever happens, nobody is left stopped. */

/** A slow process runs for a fifth of the time, in pieces too short to be taken for a death. */
const SLOW_STOPPED_MS = 120
const SLOW_RUNNING_MS = 30
/**
 * Each brings up to three more behind it, one per topic that follows, and new operations wait until it is their turn: a
 * topic that holds more is heard again from here, not from its beginning.
 */
const REPLAYED_MAX = 5000

export async function inflictOnProcesses(ground: Ground, fault: ProcessFault): Promise<void> {
  const { shop, turns, goOn } = ground
  if (lasts(fault)) goOn()
  if ('target' in fault) {
    const process = processOf(shop, fault.target)
    return turns.take([process], () => hit(ground, fault, process))
  }
  const appId = fault.kind === 'replay' ? fault.listener : fault.appId
  const crew = shop.replicas(appId).flatMap(({ app, sidecar }) => [app, sidecar])
  const leaving = await turns.take(crew, async () => {
    if (fault.kind === 'replay') await replay(ground, fault.topic, fault.listener)
    else if (fault.kind !== 'scale-in') await persist(ground, () => shop.addReplica(appId))
    if (fault.kind === 'scale-in') return { gone: shop.removeReplica(appId) }
    return fault.kind === 'replace' ? { gone: shop.removeReplica(appId, fault.replica) } : null
  })
  // Who leaves is nobody's target any more, but may take long: it serves to the end whoever still asks it.
  goOn()
  await leaving?.gone
}

function processOf(shop: Shop, target: Target): Process {
  if (!('appId' in target)) {
    const process = shop[target.part]
    if (process === null) throw new Error(`${target.part} runs elsewhere and cannot be hit`)
    return process
  }
  const { appId, replica, part } = target
  const found = shop.replicas(appId)[replica]
  if (found === undefined) throw new Error(`${appId} has no replica ${replica + 1}`)
  return found[part]
}

type Hit = Extract<ProcessFault, { target: Target }>

async function hit(ground: Ground, fault: Hit, process: Process): Promise<void> {
  const { signal, killed, allowed } = ground
  const { part } = fault.target
  if (fault.kind === 'stall') return stall(process, fault.forMs, signal)
  if (fault.kind === 'slow') return slow(process, fault.forMs, signal)
  // Who is killed could be back from the first moment on, who is held down only from the last.
  if (fault.kind === 'kill') killed(process, part)
  await process.kill()
  if (fault.kind === 'outage') {
    await delay(fault.forMs, undefined, { signal })
    killed(process, part)
    if (part === 'kafka' || part === 'mongodb') allowed()
  }
  await persist(ground, () => process.start())
}

async function stall(process: Process, forMs: number, signal: AbortSignal): Promise<void> {
  try {
    process.pause()
    await delay(forMs, undefined, { signal })
  } finally {
    process.resume()
  }
}

async function slow(process: Process, forMs: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + forMs
  while (performance.now() < until) {
    await stall(process, SLOW_STOPPED_MS, signal)
    await delay(SLOW_RUNNING_MS, undefined, { signal })
  }
}

/** Its other topics go with it: a replica hears all that its service hears. */
async function replay(ground: Ground, topic: string, listener: string): Promise<void> {
  const { shop } = ground
  const replicas = shop.replicas(listener)
  await Promise.all(replicas.map(stopReplica))
  // A member that was killed just before is missed only when its session is over.
  await persist(ground, () => goBack(shop, { name: topic, listener }, REPLAYED_MAX))
  const stopped = replicas.flatMap(({ app, sidecar }) => [app, sidecar])
  await Promise.all(stopped.map((process) => persist(ground, () => process.start())))
}
