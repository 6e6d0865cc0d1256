import {
  type FailuresPage,
  type FailureView,
  failuresPage,
  failureView,
  type ListFailures,
  type SettleFailure,
} from '@tideshop/contracts/failures'
import type { Invoke } from '@tideshop/kit/invoke'
import { answerIn } from './answer.ts'
import { patient } from './patience.ts'
import { queryOf } from './query.ts'

/** What is asked of `jobs` about failures. Rejects with the refusal that its caller should read. */
export type FailureTable = {
  list: (wanted: ListFailures) => Promise<FailuresPage>
  /** May be asked twice. */
  settle: (wish: SettleFailure) => Promise<FailureView>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. */
export function failuresThrough(invoke: Invoke, wakeWaitMs: number): FailureTable {
  const ask = patient(invoke, wakeWaitMs)
  return {
    async list(wanted) {
      return answerIn('jobs', failuresPage, await ask('jobs', 'GET', `failures${queryOf(wanted)}`))
    },
    async settle(wish) {
      return answerIn('jobs', failureView, await ask('jobs', 'POST', 'failures/settle', wish))
    },
  }
}
