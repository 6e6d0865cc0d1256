import { type ListReports, type ReportsPage, reportsPage } from '@tideshop/contracts/jobs'
import type { Invoke } from '@tideshop/kit/invoke'
import { answerIn } from './answer.ts'
import { patient } from './patience.ts'
import { queryOf } from './query.ts'

/** What is asked of `jobs`. Rejects with the refusal that its caller should read. */
export type DayReports = { list: (wanted: ListReports) => Promise<ReportsPage> }

/** `wakeWaitMs`: how long a call that nobody answers is repeated. */
export function reportsThrough(invoke: Invoke, wakeWaitMs: number): DayReports {
  const ask = patient(invoke, wakeWaitMs)
  return {
    async list(wanted) {
      return answerIn('jobs', reportsPage, await ask('jobs', 'GET', `reports${queryOf(wanted)}`))
    },
  }
}
