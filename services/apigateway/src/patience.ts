import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@tideshop/kit/refusal'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes who is called. */
const TRY_AGAIN_MS = 250

/**
 * Repeats for `wakeWaitMs` a call that nobody answers, so that whoever finds a service asleep at zero replicas is served and
 * not refused. Only for what may be asked twice. Any other refusal, and every fault, is an answer.
 */
export async function patiently<T>(wakeWaitMs: number, ask: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + wakeWaitMs
  while (true) {
    try {
      return await ask()
    } catch (error) {
      if (!isNoAnswer(error) || performance.now() >= giveUpAt) throw error
      await sleep(TRY_AGAIN_MS)
    }
  }
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'uncertain')
}
