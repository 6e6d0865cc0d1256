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

/** What the door asks of `operations`. Each rejects with the refusal that its caller should read. */
export type Operations = {
  create: (operation: CreateOperation) => Promise<OperationView>
  find: (id: string) => Promise<OperationView>
}

/** Callers who may wait, and milliseconds for which: with the call itself an answer comes within two seconds. */
const CROWD = {
  queueMax: 5000,
  waitMaxMs: 900,
  refuse: () => new Refusal('unavailable', 'too many callers at once'),
}

/**
 * A call through two sidecars costs more than what it carries (docs/performance.md), so callers who come while one is
 * under way share the next. A caller alone waits for nobody.
 */
export function operationsThrough(invoke: Invoke): Operations {
  const create = batcher<CreateOperation, OperationView>({
    ...CROWD,
    batchMax: CREATED_AT_ONCE_MAX,
    flush: async (operations) =>
      answersIn(
        await invoke('operations', 'POST', 'operation/create', { headers: {}, body: { operations } }),
        operations.length,
      ),
  })
  const find = batcher<string, OperationView>({
    ...CROWD,
    batchMax: FOUND_AT_ONCE_MAX,
    // Not in the path, which would be a time series of its own in the sidecar's metrics.
    flush: async (ids) =>
      answersIn(
        await invoke('operations', 'GET', `operation/get?uuid=${ids.join(',')}`, { headers: {} }),
        ids.length,
      ),
  })
  return { create: create.add, find: find.add }
}

function answersIn({ status, said }: InvokeResponse, asked: number): (OperationView | Refusal)[] {
  if (status !== 200) throw refusalOf(said) ?? new Error(`operations answered ${status}`)
  const { answers } = operationAnswers.parse(said)
  if (answers.length !== asked) throw new Error(`operations gave ${answers.length} answers to ${asked}`)
  return answers.map(viewOrRefusal)
}

function viewOrRefusal(answer: OperationAnswer): OperationView | Refusal {
  if ('operation' in answer) return answer.operation
  return new Refusal(answer.refusal.code, answer.refusal.message)
}
