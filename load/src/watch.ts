import { setTimeout as delay } from 'node:timers/promises'
import { LOOK_EVERY_MS as PROCESSOR_EVERY_MS, ProcessorTime } from './cluster/processor-time.ts'
import type { ClusterWatch } from './cluster/watch.ts'
import type { Meter } from './meter.ts'
import type { Sample } from './timeline.ts'

/** Looks at callers and cluster together, twice a second, for as long as a run may take at most. */

const LOOK_EVERY_MS = 500

export class Watch {
  readonly samples: Sample[] = []
  readonly processorTime: ProcessorTime | null
  readonly #meter: Meter
  readonly #cluster: ClusterWatch | null
  readonly #began = performance.now()
  readonly #over = new AbortController()
  #processorAt = Number.NEGATIVE_INFINITY
  #isAsking = false
  #blind = 0

  constructor(meter: Meter, cluster: ClusterWatch | null) {
    this.#meter = meter
    this.#cluster = cluster
    this.processorTime = cluster === null ? null : new ProcessorTime(cluster.api, cluster.namespace)
  }

  nowMs(): number {
    return this.msOf(performance.now())
  }

  /** A time of `performance.now()` on the clock of the samples. */
  msOf(at: number): number {
    return at - this.#began
  }

  /** Looks at which the API server did not answer. */
  get blind(): number {
    return this.#blind
  }

  /** Until `end`. */
  async run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const startedAt = performance.now()
      await this.look()
      const rest = Math.max(0, LOOK_EVERY_MS - (performance.now() - startedAt))
      await delay(rest, undefined, { signal: this.#over.signal }).catch(() => undefined)
    }
  }

  end(): void {
    this.#over.abort()
  }

  async look(): Promise<Sample> {
    const services = (await this.#cluster?.look().catch(() => this.#sawNothing())) ?? null
    this.#lookAtProcessors()
    const sample = { atMs: this.nowMs(), beat: this.#meter.beat(), services }
    this.samples.push(sample)
    return sample
  }

  /** Beside the other looks: a kubelet with much to do takes seconds to answer. */
  #lookAtProcessors(): void {
    if (this.#isAsking || performance.now() - this.#processorAt < PROCESSOR_EVERY_MS) return
    this.#processorAt = performance.now()
    this.#isAsking = true
    void this.processorTime?.look().finally(() => {
      this.#isAsking = false
    })
  }

  #sawNothing(): null {
    this.#blind += 1
    return null
  }
}
