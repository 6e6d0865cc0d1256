import { setTimeout as sleep } from 'node:timers/promises'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes the one who sleeps. */
const TRY_AGAIN_MS = 150
/** Milliseconds for which a 503 of the service itself is asked again: a moment of its database passes, an outage does not. */
const BUSY_WAIT_MS = 2000

/**
 * Repeats a call that nobody answers for up to `wakeWaitMs`. Only for calls of which a repeat is safe: those that change
 * nothing, or that carry an id of the door's.
 */
export function patient(invoke: Invoke, wakeWaitMs: number): Invoke {
  return async (...call) => {
    const began = performance.now()
    while (true) {
      const [outcome] = await Promise.allSettled([invoke(...call)])
      if (performance.now() - began >= patienceMs(outcome, wakeWaitMs)) return settled(outcome)
      await sleep(TRY_AGAIN_MS)
    }
  }
}

/** Milliseconds for which it is worth asking again after this. */
function patienceMs(outcome: PromiseSettledResult<InvokeResponse>, wakeWaitMs: number): number {
  if (outcome.status === 'rejected') return outcome.reason instanceof Refusal ? wakeWaitMs : 0
  return outcome.value.status === 503 ? Math.min(wakeWaitMs, BUSY_WAIT_MS) : 0
}

function settled(outcome: PromiseSettledResult<InvokeResponse>): InvokeResponse {
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
