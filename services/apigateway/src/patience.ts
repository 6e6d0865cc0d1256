import { setTimeout as sleep } from 'node:timers/promises'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes who is called. */
const TRY_AGAIN_MS = 150
/** Milliseconds for which a 503 of the service itself is asked again: a moment of its database passes, an outage does not. */
const BUSY_WAIT_MS = 2000
/**
 * Callers who repeat at once. The others are refused: what does not answer because it has too much to do would otherwise get
 * every call several times.
 */
const WAITING_MAX = 100

/**
 * Repeats for `wakeWaitMs` a call that nobody answers, so that whoever finds a service asleep at zero replicas is served and
 * not refused. Only for what may be asked twice. Any other refusal, and every fault, is an answer. One for each service.
 */
export function patienceFor<T>(
  wakeWaitMs: number,
  isBusy: (answer: T) => boolean = () => false,
): (ask: () => Promise<T>) => Promise<T> {
  let waiting = 0

  /** Milliseconds for which it is worth asking again after this. */
  function patienceMs(outcome: PromiseSettledResult<T>): number {
    if (outcome.status === 'rejected') return isNoAnswer(outcome.reason) ? wakeWaitMs : 0
    return isBusy(outcome.value) ? Math.min(wakeWaitMs, BUSY_WAIT_MS) : 0
  }

  return async (ask) => {
    const began = performance.now()
    const isSettled = (outcome: PromiseSettledResult<T>) => performance.now() - began >= patienceMs(outcome)
    const [first] = await Promise.allSettled([ask()])
    if (isSettled(first) || waiting >= WAITING_MAX) return settled(first)
    waiting += 1
    try {
      while (true) {
        await sleep(TRY_AGAIN_MS)
        const [next] = await Promise.allSettled([ask()])
        if (isSettled(next)) return settled(next)
      }
    } finally {
      waiting -= 1
    }
  }
}

/** For calls by HTTP. A service that says 503 is busy, or without its database. */
export function patient(invoke: Invoke, wakeWaitMs: number): Invoke {
  const patiently = patienceFor<InvokeResponse>(wakeWaitMs, ({ status }) => status === 503)
  return (...call) => patiently(() => invoke(...call))
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'uncertain')
}

function settled<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
