import { setTimeout as delay } from 'node:timers/promises'
import type { Process } from '@tideshop/run/process'
import type { Shop } from '@tideshop/run/shop'
import { put, type Taken, takeOne } from '../shared/topics.ts'
import type { Fault, Poison, Target } from './schedule.ts'

/** Does to a shop what the schedule says, and brings back what was taken down. */

/** A start can meet a broker or a database that is not well yet; Kubernetes would try for ever. */
const STARTS_MAX = 5
/** The broker may have come back this second. */
const PUTS_MAX = 20
const TRY_EVERY_MS = 500
/** Nearly as much as a record may be. */
const HUGE_BYTES = 900_000

export type Hit = {
  /** Told just before a process is killed. */
  killed: () => void
  /** A value that is put into a topic and can never be handled. */
  poisoned: (value: string) => void
}

export async function inflict(shop: Shop, fault: Fault, hit: Hit): Promise<void> {
  if (fault.kind === 'kill') return killAndStart(processOf(shop, fault.target), hit)
  if (fault.kind === 'stall') return stall(processOf(shop, fault.target), fault.forMs)
  if (fault.kind === 'scale-out')
    return persist(STARTS_MAX, async () => void (await shop.addReplica(fault.appId)))
  if (fault.kind === 'scale-in') return shop.removeReplica(fault.appId)

  const { topic, place } = fault
  const taken = await persist(PUTS_MAX, () => takeOne(shop, topic, place))
  if (fault.kind === 'duplicate') {
    if (taken !== null) await persist(PUTS_MAX, () => put(shop, taken))
    return
  }
  const record = poisonous(fault.poison, topic, taken)
  if (record === null) return
  if (record.isPoison) hit.poisoned(record.value.toString())
  const { partition, key, value } = record
  await persist(PUTS_MAX, () => put(shop, { topic, partition, key, value }))
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

async function killAndStart(process: Process, { killed }: Hit): Promise<void> {
  killed()
  await process.kill()
  await persist(STARTS_MAX, () => process.start())
}

async function stall(process: Process, forMs: number): Promise<void> {
  process.pause()
  await delay(forMs)
  process.resume()
}

async function persist<T>(tries: number, act: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act()
    } catch (error) {
      if (tried === tries) throw error
      await delay(TRY_EVERY_MS)
    }
  }
}

/** Null when it would have to be made from a record and there is none that fits. */
function poisonous(
  poison: Poison,
  topic: string,
  taken: Taken | null,
): (Taken & { isPoison: boolean }) | null {
  const { partition = 0, key = null } = taken ?? {}
  const of = (value: string | Buffer, isPoison = true) => {
    return { topic, partition, key, value: Buffer.from(value), isPoison }
  }
  if (poison === 'not JSON') return of('{"specversion":"1.0", and then nothing')
  if (poison === 'huge') return of('x'.repeat(HUGE_BYTES))
  if (poison === 'wrong encoding') return of(Buffer.from('{"specversion":"1.0"}', 'utf16le'))
  if (poison === '0' || poison === '""' || poison === 'false') return of(poison)

  const event = eventIn(taken)
  if (event === null) return null
  if (poison === 'future version') return of(JSON.stringify({ ...event, type: `${topic}.v2` }))
  if (poison === 'wrong schema') return of(JSON.stringify({ ...event, data: { userId: 7 } }))
  // A wrong trace must not cost a message: it is not poison but a repeat.
  return of(JSON.stringify({ ...event, traceparent: 7 }), false)
}

/** A record that is poison itself would make a poison that says nothing. */
function eventIn(taken: Taken | null): Record<string, unknown> | null {
  try {
    const event = JSON.parse(taken?.value.toString() ?? '')
    return typeof event.data.userId === 'string' && /\.v1$/.test(event.type) ? event : null
  } catch {
    return null
  }
}
