import { setTimeout as sleep } from 'node:timers/promises'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes who is called. */
const TRY_AGAIN_MS = 150
/** Milliseconds for which a 503 of the service itself is asked again: a moment of its database passes, an outage does not. */
const BUSY_WAIT_MS = 5000
/** Callers who wait for one service at once, each with a request in memory. The others are refused. */
const WAITING_MAX = 2000

type Outcome<T> = PromiseSettledResult<T>

/**
 * Holds callers for up to `wakeWaitMs` while nobody answers, so that whoever finds a service asleep at zero replicas is
 * served and not refused. One of them asks again for all who wait: a service that is just waking, or has too much to do,
 * would otherwise get every call several times. Only for what may be asked twice. Any other refusal, and every fault, is
 * an answer. One for each service.
 */
export function patienceFor<T>(
  wakeWaitMs: number,
  isBusy: (answer: T) => boolean = () => false,
): (ask: () => Promise<T>) => Promise<T> {
  let waiting = 0
  let asking: Promise<Outcome<T>> | null = null

  /** Milliseconds for which it is worth asking again after this. */
  function patienceMs(outcome: Outcome<T>): number {
    if (outcome.status === 'rejected') return isNoAnswer(outcome.reason) ? wakeWaitMs : 0
    return isBusy(outcome.value) ? Math.min(wakeWaitMs, BUSY_WAIT_MS) : 0
  }

  /** Until there is an answer, or its own caller has waited long enough. */
  async function askAgain(ask: () => Promise<T>, isSettled: (outcome: Outcome<T>) => boolean) {
    while (true) {
      await sleep(TRY_AGAIN_MS)
      const outcome = await tried(ask)
      if (isSettled(outcome)) return outcome
    }
  }

  async function next(ask: () => Promise<T>, isSettled: (outcome: Outcome<T>) => boolean) {
    if (asking !== null) {
      await asking
      return tried(ask)
    }
    asking = askAgain(ask, isSettled).finally(() => {
      asking = null
    })
    return asking
  }

  async function wait(ask: () => Promise<T>, isSettled: (outcome: Outcome<T>) => boolean): Promise<T> {
    if (waiting >= WAITING_MAX) throw new Refusal('unavailable', 'too many callers wait for it')
    waiting += 1
    try {
      let outcome = await next(ask, isSettled)
      while (!isSettled(outcome)) outcome = await next(ask, isSettled)
      return settled(outcome)
    } finally {
      waiting -= 1
    }
  }

  return async (ask) => {
    const began = performance.now()
    const isSettled = (outcome: Outcome<T>) => performance.now() - began >= patienceMs(outcome)
    const first = asking === null ? await tried(ask) : null
    return first !== null && isSettled(first) ? settled(first) : wait(ask, isSettled)
  }
}

/** For calls by HTTP. A service that says 503 is busy, or without its database. */
export function patient(invoke: Invoke, wakeWaitMs: number): Invoke {
  const patiently = patienceFor<InvokeResponse>(wakeWaitMs, ({ status }) => status === 503)
  return (...call) => patiently(() => invoke(...call))
}

async function tried<T>(ask: () => Promise<T>): Promise<Outcome<T>> {
  const [outcome] = await Promise.allSettled([ask()])
  return outcome
}

/** Whether nobody was there: none who would have been asked, or none who answered. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'uncertain')
}

function settled<T>(outcome: Outcome<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
