import { type Latencies, latencies } from './latencies.ts'

/** What callers met, as it happens: all of it, and since the last look. Scenarios tell it, progress and reports read it. */

/** Since the look before. */
export type Beat = {
  /** Requests that got what they asked for. */
  good: number
  /** Requests that did not, and were given up. */
  failed: number
  /** Answers that asked to be asked again, by a request that is then good or failed later. */
  repeated: number
  /** Requests that only look how far something is; they are load, too. */
  looks: number
  /** Of the good ones, repeats and waiting for a connection included. */
  ms: Latencies | null
  /** Accepted and not ended, now, as far as callers know; null where a request is all there is. */
  open: number | null
}

export type Totals = Omit<Beat, 'open'>

type Counts = Pick<Beat, 'good' | 'failed' | 'repeated' | 'looks'>

export class Meter {
  readonly #counts: Counts = nothing()
  readonly #ms: number[] = []
  #open: (() => number) | null = null
  #seen: Counts = nothing()
  #seenMs = 0
  #lastAt: number | null = null

  /** When the last request was good or failed, by `performance.now()`; null before the first. */
  get lastAt(): number | null {
    return this.#lastAt
  }

  good(ms: number): void {
    this.#lastAt = performance.now()
    this.#counts.good += 1
    this.#ms.push(ms)
  }

  failed(): void {
    this.#lastAt = performance.now()
    this.#counts.failed += 1
  }

  repeated(): void {
    this.#counts.repeated += 1
  }

  looked(): void {
    this.#counts.looks += 1
  }

  /** How many are open is asked at each look. */
  openIs(count: () => number): void {
    this.#open = count
  }

  totals(): Totals {
    return { ...this.#counts, ms: latencies(this.#ms) }
  }

  counts(): Counts {
    return this.#counts
  }

  beat(): Beat {
    const before = this.#seen
    const { good, failed, repeated, looks } = this.#counts
    const ms = latencies(this.#ms.slice(this.#seenMs))
    this.#seen = { ...this.#counts }
    this.#seenMs = this.#ms.length
    return {
      good: good - before.good,
      failed: failed - before.failed,
      repeated: repeated - before.repeated,
      looks: looks - before.looks,
      ms,
      open: this.#open?.() ?? null,
    }
  }
}

function nothing(): Counts {
  return { good: 0, failed: 0, repeated: 0, looks: 0 }
}
