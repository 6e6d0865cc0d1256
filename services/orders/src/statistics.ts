import type { OrderStatistics, OrderStatus } from '@tideshop/contracts/orders'

const DAY_MS = 86_400_000

/** From its first moment until just before the next one's, UTC. */
export function momentsOf(day: string): { from: Date; until: Date } {
  const from = new Date(`${day}T00:00:00.000Z`)
  return { from, until: new Date(from.getTime() + DAY_MS) }
}

/** Those whose money the shop has and keeps. */
const EARNED: ReadonlySet<OrderStatus> = new Set([
  'confirming',
  'confirmed',
  'packed',
  'shipped',
  'delivered',
])

/** `counts`: how many orders of each status there are, and what they come to. */
export function statisticsOf(
  day: string,
  counts: readonly { status: OrderStatus; orders: number; cents: number }[],
): OrderStatistics {
  const earned = counts.filter(({ status }) => EARNED.has(status))
  return {
    day,
    placed: counts.reduce((sum, { orders }) => sum + orders, 0),
    byStatus: Object.fromEntries(counts.map(({ status, orders }) => [status, orders])),
    turnoverCents: earned.reduce((sum, { cents }) => sum + cents, 0),
  }
}
