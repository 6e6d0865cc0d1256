import {
  CREATED_AT_ONCE_MAX,
  type CreateOperation,
  FOUND_AT_ONCE_MAX,
  type OperationAnswer,
  type OperationView,
  operationAnswers,
} from '@tideshop/contracts/operations'
import { batcher } from '@tideshop/kit/batcher'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { Refusal, refusalOf } from '@tideshop/kit/refusal'
import { answerIn } from './answer.ts'
import { isNoAnswer, patienceByHttp } from './patience.ts'

/** What the door asks of `operations`. Each rejects with the refusal that its caller should read. */
export type Operations = {
  create: (operation: CreateOperation) => Promise<OperationView>
  find: (id: string) => Promise<OperationView>
}

/** Callers who may wait. */
const QUEUE_MAX = 5000
/** Milliseconds for which, while operations answers: with the call itself an answer comes within two seconds. */
const QUEUE_WAIT_MS = 900

/**
 * A call through two sidecars costs more than what it carries (docs/performance.md), so callers who come while one is
 * under way share the next. A caller alone waits for nobody. `wakeWaitMs`: how long a call that nobody answers is
 * repeated for each, so that whoever finds operations asleep at zero replicas is served and not refused. A call is over when
 * the first of those who share it has waited for so long; the others share the next.
 */
export function operationsThrough(invoke: Invoke, wakeWaitMs: number): Operations {
  // A repeat is safe: the door has named each operation, and to find one changes nothing.
  const patiently = patienceByHttp(wakeWaitMs)
  const crowd = {
    queueMax: QUEUE_MAX,
    waitMaxMs: QUEUE_WAIT_MS + wakeWaitMs,
    again: (error: unknown, waitedMs: number) => isNoAnswer(error) && waitedMs < wakeWaitMs,
    refuse: () => new Refusal('unavailable', 'too many callers at once'),
  }
  const create = batcher<CreateOperation, OperationView>({
    ...crowd,
    batchMax: CREATED_AT_ONCE_MAX,
    flush: async (operations, oldestAt) => {
      const ask = () => invoke('operations', 'POST', 'operation/create', { operations })
      return answersIn(await patiently(ask, oldestAt), operations.length)
    },
  })
  const find = batcher<string, OperationView>({
    ...crowd,
    batchMax: FOUND_AT_ONCE_MAX,
    // Not in the path, which would be a time series of its own in the sidecar's metrics.
    flush: async (ids, oldestAt) => {
      const ask = () => invoke('operations', 'GET', `operation/get?uuid=${ids.join(',')}`)
      return answersIn(await patiently(ask, oldestAt), ids.length)
    },
  })
  return { create: create.add, find: find.add }
}

function answersIn(answer: InvokeResponse, asked: number): (OperationView | Refusal)[] {
  // Said to all of them, and no reason to ask again for those who came last.
  const refusal = answer.status === 503 ? refusalOf(answer.said) : null
  if (refusal !== null) return Array.from({ length: asked }, () => refusal)
  const { answers } = answerIn('operations', operationAnswers, answer)
  if (answers.length !== asked) throw new Error(`operations gave ${answers.length} answers to ${asked}`)
  return answers.map(viewOrRefusal)
}

function viewOrRefusal(answer: OperationAnswer): OperationView | Refusal {
  if ('operation' in answer) return answer.operation
  return new Refusal(answer.refusal.code, answer.refusal.message)
}
