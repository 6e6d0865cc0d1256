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

/** Signs as a trigger of KEDA and a message of another door have them. */
export type SignsBy = { calls: string[]; changes: string[] }

export function signsBy({ calls, changes }: SignsBy): Sign[] {
  return [
    ...calls.map((appId) => `call ${appId}` as const),
    ...changes.map((appId) => `change ${appId}` as const),
  ]
}

/** The way back, for one of them. */
export function bySign(sign: Sign): SignsBy {
  const [kind, appId = ''] = sign.split(' ')
  return kind === 'call' ? { calls: [appId], changes: [] } : { calls: [], changes: [appId] }
}

/** The signs that the doors have seen, for who can wake (scaler.ts). */
export class Demand {
  readonly #signs = new Map<Sign, { seenAt: number; toldAt: number }>()
  readonly #listeners = new EventEmitter().setMaxListeners(0)
  readonly #tellOthers: (sign: Sign) => void

  /** `tellOthers`: how the other doors learn what this one saw (others.ts). It is not waited for. */
  constructor(tellOthers: (sign: Sign) => void = () => {}) {
    this.#tellOthers = tellOthers
  }

  /** This door has seen it. */
  see(sign: Sign): void {
    if (this.#isNews(sign)) this.#tellOthers(sign)
  }

  /** Another door has, and told all. */
  hear(sign: Sign): void {
    this.#isNews(sign)
  }

  /** Whether there was one of them a moment ago. */
  isFor(signs: readonly Sign[]): boolean {
    return signs.some((sign) => performance.now() - this.#at(sign).seenAt < FRESH_MS)
  }

  /** Yields at once when there is one of them, or was just before; again from time to time while they go on. Ends with `over`. */
  async *whenFor(signs: readonly Sign[], over: AbortSignal): AsyncIterable<void> {
    let heardAt = LONG_AGO
    while (!over.aborted) {
      const toldAt = Math.max(...signs.map((sign) => this.#at(sign).toldAt))
      if (toldAt > heardAt && this.isFor(signs)) {
        heardAt = toldAt
        yield
      } else {
        await once(this.#listeners, 'told', { signal: over }).catch(() => {})
      }
    }
  }

  #at(sign: Sign) {
    return this.#signs.get(sign) ?? { seenAt: LONG_AGO, toldAt: LONG_AGO }
  }

  /** Notes it, and tells who listens, unless that was done a moment ago. */
  #isNews(sign: Sign): boolean {
    const now = performance.now()
    const { toldAt } = this.#at(sign)
    const isNews = now - toldAt >= TELL_AGAIN_MS
    this.#signs.set(sign, { seenAt: now, toldAt: isNews ? now : toldAt })
    if (isNews) {
      this.#forgetBefore(now - FRESH_MS)
      this.#listeners.emit('told')
    }
    return isNews
  }

  /** Others may tell of any name. */
  #forgetBefore(time: number): void {
    for (const [sign, { seenAt }] of this.#signs) if (seenAt < time) this.#signs.delete(sign)
  }
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
