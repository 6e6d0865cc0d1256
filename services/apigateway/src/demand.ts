import { EventEmitter, once } from 'node:events'
import { isNoAnswer } from '@tideshop/clients/patience'
import type { Invoke } from '@tideshop/kit/invoke'

/** Milliseconds for which a sign of demand counts. Whoever calls in vain asks again long before. */
const FRESH_MS = 3000
/** Milliseconds between two times that listeners are told of the same sign: under load there are hundreds in each. */
const TELL_AGAIN_MS = 2000
const LONG_AGO = Number.NEGATIVE_INFINITY

/**
 * What shows that somebody has to be awake, with an app-id: a call of it that nobody answered, or a change that it took on, which
 * will be work for those who hear of it.
 */
export type Sign = `call ${string}` | `change ${string}`

/** The signs that this door has seen, for who can wake (scaler.ts). */
export class Demand {
  readonly #seenAt = new Map<Sign, number>()
  readonly #toldAt = new Map<Sign, number>()
  readonly #listeners = new EventEmitter().setMaxListeners(0)

  see(sign: Sign): void {
    const now = performance.now()
    this.#seenAt.set(sign, now)
    if (now - (this.#toldAt.get(sign) ?? LONG_AGO) < TELL_AGAIN_MS) return
    this.#toldAt.set(sign, now)
    this.#listeners.emit('told')
  }

  /** Whether there was one of them a moment ago. */
  isFor(signs: readonly Sign[]): boolean {
    return performance.now() - lastIn(this.#seenAt, signs) < FRESH_MS
  }

  /** Yields at once when there is one of them, or was just before; again from time to time while they go on. Ends with `over`. */
  async *whenFor(signs: readonly Sign[], over: AbortSignal): AsyncIterable<void> {
    let heardAt = LONG_AGO
    while (!over.aborted) {
      const toldAt = lastIn(this.#toldAt, signs)
      if (toldAt > heardAt && this.isFor(signs)) {
        heardAt = toldAt
        yield
      } else {
        await once(this.#listeners, 'told', { signal: over }).catch(() => {})
      }
    }
  }
}

function lastIn(at: ReadonlyMap<Sign, number>, signs: readonly Sign[]): number {
  return Math.max(...signs.map((sign) => at.get(sign) ?? LONG_AGO))
}

/** Calls as `invoke` does, and shows what that says of demand. */
export function watched(invoke: Invoke, demand: Demand): Invoke {
  return async (appId, method, ...call) => {
    try {
      const answer = await invoke(appId, method, ...call)
      if (method !== 'GET' && answer.status < 300) demand.see(`change ${appId}`)
      return answer
    } catch (error) {
      if (isNoAnswer(error)) demand.see(`call ${appId}`)
      throw error
    }
  }
}
