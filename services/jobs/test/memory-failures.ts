import { memoryRows } from '@tideshop/kit/memory'
import type { Failure } from '../src/failure.ts'
import type { FailureRows } from '../src/failures.ts'

/** The store in memory; test/failures-store.test.ts holds it and the real one to the same promises. */
export function memoryFailures(): FailureRows {
  const rows = memoryRows<Failure>()
  let forgottenBefore = ''
  const kept = () => rows.all().filter(({ body }) => body.time >= forgottenBefore)
  return {
    ...rows,
    async list({ after, max }) {
      const order = ({ time, id }: { time: string; id: string }) => `${time}~${id}`
      const found = kept()
        .map(({ body }) => body)
        .filter((one) => after === undefined || order(one) < order(after))
        .toSorted((one, other) => (order(one) < order(other) ? 1 : -1))
      return structuredClone(found.slice(0, max).map(({ payload: _, ...listed }) => listed))
    },
    async forget(before) {
      forgottenBefore = before
    },
  }
}
