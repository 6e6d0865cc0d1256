import { setTimeout as sleep } from 'node:timers/promises'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { Turns, tooMany, WAITING_MAX } from './turns.ts'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes who is called. */
const TRY_AGAIN_MS = 150
/** Milliseconds for which a 503 of the service itself is asked again: a moment of its database passes, an outage does not. */
const BUSY_WAIT_MS = 5000
/** Milliseconds of a call that show that too many are under way: half of what it is given (kit/invoke). */
const SLOW_MS = 500
/** Milliseconds for which a caller at least waits for his turn, as long as a call. */
const TURN_WAIT_MS = 1000

/** `began`: when its caller came, by `performance.now()`; by itself now. */
export type Patiently<T> = (ask: () => Promise<T>, began?: number) => Promise<T>

type Outcome<T> = PromiseSettledResult<T>
type Asking<T> = { ask: () => Promise<T>; began: number }

/**
 * Holds callers for up to `wakeWaitMs` while nobody answers, so that whoever finds a service asleep at zero replicas is
 * served and not refused. One of them asks again for all who wait: a service that is just waking, or has too much to do,
 * would otherwise get every call several times. Only for what may be asked twice. Any other refusal, and every fault, is
 * an answer. One for each service, which gets no more calls at once than it can answer (turns.ts): `slowMs` is too long for one.
 */
export function patienceFor<T>(
  wakeWaitMs: number,
  isBusy: (answer: T) => boolean = () => false,
  slowMs = SLOW_MS,
): Patiently<T> {
  const turns = new Turns(slowMs)
  let waiting = 0
  let asking: Promise<Outcome<T>> | null = null

  /** Milliseconds for which it is worth asking again after this. */
  function patienceMs(outcome: Outcome<T>): number {
    if (outcome.status === 'rejected') return isNoAnswer(outcome.reason) ? wakeWaitMs : 0
    return isBusy(outcome.value) ? Math.min(wakeWaitMs, BUSY_WAIT_MS) : 0
  }

  /** Rejects when its turn did not come in time. */
  function tried({ ask, began }: Asking<T>): Promise<Outcome<T>> {
    const withinMs = began + Math.max(wakeWaitMs, TURN_WAIT_MS) - performance.now()
    return turns.take(async () => {
      const [outcome] = await Promise.allSettled([ask()])
      return outcome
    }, withinMs)
  }

  function isSettled(outcome: Outcome<T>, { began }: Asking<T>): boolean {
    return performance.now() - began >= patienceMs(outcome)
  }

  /** Until there is an answer, or its own caller has waited long enough. */
  async function askAgain(one: Asking<T>) {
    while (true) {
      await sleep(TRY_AGAIN_MS)
      const outcome = await tried(one)
      if (isSettled(outcome, one)) return outcome
    }
  }

  async function next(one: Asking<T>) {
    if (asking !== null) {
      // Whatever came of it for whoever asked.
      await asking.catch(() => {})
      return tried(one)
    }
    asking = askAgain(one).finally(() => {
      asking = null
    })
    return asking
  }

  async function wait(one: Asking<T>): Promise<T> {
    if (waiting >= WAITING_MAX) throw tooMany()
    waiting += 1
    try {
      let outcome = await next(one)
      while (!isSettled(outcome, one)) outcome = await next(one)
      return settled(outcome)
    } finally {
      waiting -= 1
    }
  }

  return async (ask, began = performance.now()) => {
    const one = { ask, began }
    const first = asking === null ? await tried(one) : null
    return first !== null && isSettled(first, one) ? settled(first) : wait(one)
  }
}

/** For calls by HTTP. A service that says 503 is busy, or without its database. */
export function patienceByHttp(wakeWaitMs: number, slowMs = SLOW_MS): Patiently<InvokeResponse> {
  return patienceFor(wakeWaitMs, ({ status }) => status === 503, slowMs)
}

/** The same as a call that waits. */
export function patient(invoke: Invoke, wakeWaitMs: number, slowMs = SLOW_MS): Invoke {
  const patiently = patienceByHttp(wakeWaitMs, slowMs)
  return (...call) => patiently(() => invoke(...call))
}

/** Whether nobody was there: none who would have been asked, or none who answered. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'uncertain')
}

function settled<T>(outcome: Outcome<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
