import { z } from 'zod'
import { lowGood, PAGE_MAX } from './catalog.ts'
import { orderStatistics } from './orders.ts'

/**
 * What `jobs` says: to the shop's door about the days of the shop. What it is asked by the clock stands in components/jobs-*.yaml,
 * whose names and routes these are.
 */

/** Each is a cron binding `jobs-<job>` with the route `/jobs/<job>`. */
export const jobNames = ['expire', 'statistics', 'restock'] as const
export type JobName = (typeof jobNames)[number]

/** UTC. */
const day = z.iso.date()

/** Low goods that a report names, the first by their skus. */
export const LOW_GOODS_MAX = 1000
const takenAt = z.iso.datetime().meta({ description: 'When it was asked; it may have changed since' })

export const ordersOfDay = z.object({ takenAt, ...orderStatistics.omit({ day: true }).shape })
export type OrdersOfDay = z.infer<typeof ordersOfDay>

export const lowStock = z.object({
  takenAt,
  /** Goods with less free pieces than this. */
  below: z.int().min(1),
  goods: z.array(lowGood).max(LOW_GOODS_MAX),
  isWhole: z
    .boolean()
    .meta({ description: 'False when there were more goods than a report looks at or names' }),
})
export type LowStock = z.infer<typeof lowStock>

/** One day of the shop, UTC: its orders, and what was short of on it. Each part is missing until it was taken. */
export const dayReport = z.object({ day, orders: ordersOfDay.optional(), lowStock: lowStock.optional() })
export type DayReport = z.infer<typeof dayReport>

/** `GET /reports`, and `GET /api/admin/reports`: the newest day first. */
export const listReports = z.strictObject({
  after: day
    .optional()
    .meta({ description: 'The `next` of the page before: days before this one; none for the first page' }),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(31),
})
export type ListReports = z.infer<typeof listReports>

export const reportsPage = z.object({
  reports: z.array(dayReport).max(PAGE_MAX),
  next: day.nullable().meta({ description: 'Ask with `after` for what follows; null at the end' }),
})
export type ReportsPage = z.infer<typeof reportsPage>
