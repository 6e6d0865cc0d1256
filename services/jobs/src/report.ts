import type { DayReport } from '@tideshop/contracts/jobs'

/** What is kept of the days of the shop, and which of them are to be counted. */

/** What a report is made of, each part taken by a job of its own. */
export type ReportParts = { [part in Exclude<keyof DayReport, 'day'>]-?: NonNullable<DayReport[part]> }
export type ReportPart = keyof ReportParts

export type Reports = {
  /** Up to `max` days before `after`, the newest first. */
  list: (wanted: { after?: string | undefined; max: number }) => Promise<DayReport[]>
  /** The newest day of which this part was taken. */
  newest: (part: ReportPart) => Promise<string | null>
  /** What was taken later is kept, whoever comes first; the other parts of that day stay as they are. */
  keep: <P extends ReportPart>(day: string, part: P, taken: ReportParts[P]) => Promise<void>
}

/** Days before today that are made up for when nobody was there to count them. */
const MISSED_MAX = 31
const DAY_MS = 86_400_000

/** From yesterday, or from the newest day that was counted, whichever is earlier, until today. The oldest first. */
export function daysToCount(newest: string | null, now: Date): string[] {
  const today = Date.parse(dayOf(now))
  const yesterday = today - DAY_MS
  const from = newest === null ? yesterday : Math.min(yesterday, Date.parse(newest))
  const first = Math.max(from, today - MISSED_MAX * DAY_MS)
  const days = (today - first) / DAY_MS + 1
  return Array.from({ length: days }, (_, nth) => dayOf(new Date(first + nth * DAY_MS)))
}

/** The day of the shop is the day in UTC. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10)
}
