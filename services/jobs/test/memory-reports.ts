import type { DayReport } from '@tideshop/contracts/jobs'
import type { Reports } from '../src/report.ts'

/** The store in memory; test/store.test.ts holds it and the real one to the same promises. */
export function memoryReports(): Reports & { days: Map<string, DayReport> } {
  const days = new Map<string, DayReport>()
  return {
    days,
    async list({ after, max }) {
      const newestFirst = [...days.values()].toSorted((one, other) => (one.day < other.day ? 1 : -1))
      const before = newestFirst.filter(({ day }) => after === undefined || day < after)
      return structuredClone(before.slice(0, max))
    },
    async newest(part) {
      const having = [...days.values()].filter((report) => report[part] !== undefined)
      return (
        having
          .map(({ day }) => day)
          .sort()
          .at(-1) ?? null
      )
    },
    async keep(day, part, taken) {
      const report = days.get(day) ?? { day }
      if ((report[part]?.takenAt ?? '') > taken.takenAt) return
      days.set(day, structuredClone({ ...report, [part]: taken }))
    },
  }
}
