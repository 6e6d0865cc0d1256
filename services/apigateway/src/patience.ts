import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@tideshop/kit/refusal'

/** Milliseconds between two tries of a call that nobody answers; each counts for the scaler that wakes who is called. */
const TRY_AGAIN_MS = 250
/**
 * Callers who repeat at once. The others are refused: what does not answer because it has too much to do would otherwise get
 * every call several times.
 */
const WAITING_MAX = 100

/**
 * Repeats for `wakeWaitMs` a call that nobody answers, so that whoever finds a service asleep at zero replicas is served and
 * not refused. Only for what may be asked twice. Any other refusal, and every fault, is an answer. One for each service.
 */
export function patienceFor(wakeWaitMs: number): <T>(ask: () => Promise<T>) => Promise<T> {
  let waiting = 0

  async function repeat<T>(ask: () => Promise<T>, giveUpAt: number): Promise<T> {
    while (true) {
      await sleep(TRY_AGAIN_MS)
      try {
        return await ask()
      } catch (error) {
        if (!isNoAnswer(error) || performance.now() >= giveUpAt) throw error
      }
    }
  }

  return async (ask) => {
    const giveUpAt = performance.now() + wakeWaitMs
    try {
      return await ask()
    } catch (error) {
      if (!isNoAnswer(error) || waiting >= WAITING_MAX || performance.now() >= giveUpAt) throw error
    }
    waiting += 1
    return repeat(ask, giveUpAt).finally(() => {
      waiting -= 1
    })
  }
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'uncertain')
}
