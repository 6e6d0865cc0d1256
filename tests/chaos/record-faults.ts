import { put, type Taken, take } from '../shared/topics.ts'
import type { Poison, RecordFault } from './fault.ts'
import { type Ground, persist } from './ground.ts'

/** Faults of what lies in the topics: records that come again, in another order, or can never be handled. */

/** Nearly as much as a record may be. */
const HUGE_BYTES = 900_000

export async function inflictOnRecords(ground: Ground, fault: RecordFault): Promise<void> {
  const { shop, poisoned } = ground
  const { topic, place } = fault
  const count = fault.kind === 'reorder' ? fault.count : 1
  const taken = await persist(ground, () => take(shop, topic, place, count))
  if (fault.kind !== 'poison') {
    await persist(ground, () => put(shop, taken.toReversed()))
    return
  }
  const record = poisonous(fault.poison, topic, taken[0] ?? null)
  if (record === null) return
  if (record.isPoison) poisoned(record.value.toString())
  const { partition, key, value } = record
  await persist(ground, () => put(shop, [{ topic, partition, key, value }]))
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
