import type { Row, Rows } from './aggregates.ts'
import type { Bindings } from './binding.ts'
import type { Bus } from './bus.ts'
import type { Outgoing } from './event.ts'

/** A store in memory with the same promises as the real one; the same tests hold both to them. */
export function memoryRows<S>(): Rows<S> & { all: () => Row<S>[] } {
  const rows = new Map<string, Row<S>>()
  return {
    async read(ids) {
      return ids.flatMap((id) => structuredClone(rows.get(id)) ?? [])
    },
    async write(writes) {
      const lost = new Set<string>()
      for (const { id, was, version, body } of writes) {
        if ((rows.get(id)?.version ?? 0) === was) rows.set(id, structuredClone({ id, version, body }))
        else lost.add(id)
      }
      return lost
    },
    all: () => [...rows.values()],
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
    async create(binding, data, metadata = {}) {
      if (fail(binding)) throw new Error(`${binding} is away`)
      taken.push({ binding, data, metadata })
    },
  }
}
