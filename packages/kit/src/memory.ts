import type { Pending, Row, Rows } from './aggregates.ts'
import type { Bindings } from './binding.ts'
import type { Bus } from './bus.ts'
import type { Outgoing } from './event.ts'
import type { OutboxRows } from './outbox.ts'

/** A store in memory with the same promises as the real one; the same tests hold both to them. */
export function memoryRows<S>(): Rows<S> & { all: () => Row<S>[]; outbox: OutboxRows } {
  const rows = new Map<string, Row<S>>()
  const outboxes = new Map<string, readonly Pending[]>()
  return {
    async read(ids) {
      return ids.flatMap((id) => structuredClone(rows.get(id)) ?? [])
    },
    async write(writes) {
      const lost = new Set<string>()
      for (const { id, was, version, body, outbox = [] } of writes) {
        if ((rows.get(id)?.version ?? 0) !== was) lost.add(id)
        else {
          rows.set(id, structuredClone({ id, version, body }))
          outboxes.set(id, [...(outboxes.get(id) ?? []), ...outbox])
        }
      }
      return lost
    },
    all: () => [...rows.values()],
    outbox: memoryOutbox(outboxes),
  }
}

function memoryOutbox(outboxes: Map<string, readonly Pending[]>): OutboxRows {
  return {
    async waiting(before, max) {
      const since = (pending: readonly Pending[]) => Math.min(...pending.map((one) => one.since.getTime()))
      return [...outboxes]
        .filter(([, pending]) => since(pending) < before.getTime())
        .toSorted(([, one], [, other]) => since(one) - since(other))
        .slice(0, max)
        .map(([id, pending]) => ({ id, outgoing: pending.map(({ topic, event }) => ({ topic, event })) }))
    },
    async forget(sent) {
      const told = new Set(sent.flatMap(({ outgoing }) => outgoing.map(({ event }) => event.id)))
      for (const { id } of sent) {
        outboxes.set(id, outboxes.get(id)?.filter(({ event }) => !told.has(event.id)) ?? [])
      }
    },
  }
}

/** A bus in memory: keeps what was told; `fail` decides what does not arrive. */
export function memoryBus(fail: (outgoing: Outgoing) => boolean = () => false): Bus & { told: Outgoing[] } {
  const told: Outgoing[] = []
  return {
    told,
    async publish(outgoing) {
      const lost = outgoing.filter(fail)
      told.push(...outgoing.filter((one) => !lost.includes(one)))
      return new Set(lost)
    },
  }
}

/** Output bindings in memory: what was handed on, in its order; `fail` decides what is not taken. */
export function memoryBindings(fail: (binding: string) => boolean = () => false): Bindings & {
  taken: { binding: string; data: unknown; metadata: Record<string, string> }[]
} {
  const taken: { binding: string; data: unknown; metadata: Record<string, string> }[] = []
  return {
    taken,
    has: async () => true,
    async create(binding, data, metadata = {}) {
      if (fail(binding)) throw new Error(`${binding} is away`)
      taken.push({ binding, data, metadata })
    },
  }
}
