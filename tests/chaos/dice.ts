export type Range = { min: number; max: number }

/** mulberry32: small, and good enough to choose by. Public domain, by Tommy Ettinger. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to but not including 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(end: number): number {
    return Math.floor(this.roll() * end)
  }

  /** Both ends included. */
  between({ min, max }: Range): number {
    return min + this.below(max - min + 1)
  }

  says(probability: number): boolean {
    return this.roll() < probability
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T
  }
}
