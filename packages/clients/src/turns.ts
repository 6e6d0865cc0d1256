import { Refusal } from '@tideshop/kit/refusal'

/**
 * How many calls of one service may be under way at once, found out by how long they take: fewer as soon as one is slow, one more at a
 * time while none is. The others wait for their turn here, in the order of arrival. Without it a service that is asked for more than it can
 * does less than it could: it works at calls whose callers have given up meanwhile, and who ask again (decision 19).
 *
 * As TCP finds out what a network carries: additive increase, multiplicative decrease (RFC 5681), by the delay and not only by the loss.
 */

/** Calls at once: at first, at least and at most. The least is for each of up to ten doors. */
const AT_FIRST = 64
const AT_LEAST = 8
const AT_MOST = 512
/** What is left of the limit when a call was slow, as in CUBIC (RFC 9438). */
const CUT = 0.7
/** Callers who wait for one service at once, each with a request in memory. The others are refused. */
export const WAITING_MAX = 2000

export class Turns {
  readonly #slowMs: number
  readonly #waiting = new Set<() => void>()
  #limit = AT_FIRST
  #underWay = 0
  #cutAt = Number.NEGATIVE_INFINITY

  /** `slowMs`: what takes longer is too many at once. Less than the caller waits for an answer, and more than one takes with nobody else there. */
  constructor(slowMs: number) {
    this.#slowMs = slowMs
  }

  /** Makes the call when it has its turn. Rejects with a refusal when that does not come within so many milliseconds, or too many wait. */
  async take<T>(call: () => Promise<T>, withinMs: number): Promise<T> {
    if (this.#underWay < Math.floor(this.#limit)) this.#underWay += 1
    else await this.#turn(withinMs)
    const beganAt = performance.now()
    try {
      return await call()
    } finally {
      this.#learn(beganAt)
      this.#underWay -= 1
      this.#admit()
    }
  }

  #turn(withinMs: number): Promise<void> {
    if (this.#waiting.size >= WAITING_MAX) throw tooMany()
    return new Promise((resolve, reject) => {
      const admitted = () => {
        clearTimeout(late)
        resolve()
      }
      const late = setTimeout(() => {
        this.#waiting.delete(admitted)
        reject(tooMany())
      }, withinMs)
      this.#waiting.add(admitted)
    })
  }

  #admit(): void {
    for (const admitted of this.#waiting) {
      if (this.#underWay >= Math.floor(this.#limit)) return
      this.#waiting.delete(admitted)
      this.#underWay += 1
      admitted()
    }
  }

  #learn(beganAt: number): void {
    const now = performance.now()
    const isFull = this.#underWay >= Math.floor(this.#limit)
    if (now - beganAt <= this.#slowMs) {
      if (isFull) this.#limit = Math.min(AT_MOST, this.#limit + 1 / this.#limit)
    } else if (beganAt > this.#cutAt) {
      // Those that were under way already are slow for the same reason.
      this.#limit = Math.max(AT_LEAST, this.#limit * CUT)
      this.#cutAt = now
    }
  }
}

export function tooMany(): Refusal {
  return new Refusal('unavailable', 'too many callers wait for it')
}
