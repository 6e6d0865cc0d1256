import { memoryRows } from '@tideshop/kit/memory'
import type { Payments } from '../src/pay.ts'
import { isDue, type Payment } from '../src/payment.ts'

/** The store in memory; the same tests hold it and the real one to the same promises. */
export function memoryPayments(): Payments & { all: () => Payment[] } {
  const rows = memoryRows<Payment>()
  const all = () => rows.all().map(({ body }) => body)
  return {
    ...rows,
    all,
    async due(now, max) {
      const found = all().filter((payment) => isDue(payment, now))
      return found
        .sort((one, other) => String(one.nextAt).localeCompare(String(other.nextAt)))
        .slice(0, max)
        .map(({ id }) => id)
    },
  }
}
