export type StepState = 'begun' | 'note' | 'done' | 'failed'

/** Told at each turn of a start, so that a terminal can show it; the failure itself rejects the start. */
export type Report = (step: string, state: StepState, note?: string) => void

/** The steps of one start: announced, timed by whoever listens, and not taken after the start was given up. */
export class Steps {
  readonly #report: Report
  readonly #signal: AbortSignal | undefined

  constructor(report: Report | undefined, signal: AbortSignal | undefined) {
    this.#report = report ?? (() => undefined)
    this.#signal = signal
  }

  async take<T>(step: string, work: () => Promise<T>): Promise<T> {
    this.goOn()
    this.#report(step, 'begun')
    try {
      const result = await work()
      this.#report(step, 'done')
      return result
    } catch (error) {
      this.#report(step, 'failed')
      throw error
    }
  }

  note(step: string, note: string): void {
    this.#report(step, 'note', note)
  }

  /** Throws when the start was given up. */
  goOn(): void {
    this.#signal?.throwIfAborted()
  }
}
