import { setTimeout as delay } from 'node:timers/promises'
import { type Counter, type Counts, countsSince } from './counts.ts'
import { between, type Member, type PerGroup, readUsage } from './processes.ts'

/** Looks at the shop while something is measured. What looking costs is part of the group `load`, and of `app`. */

const LOOK_EVERY_MS = 250
/** Near the end one look more or less would show in the figure. */
const LOOK_CLOSELY_MS = 25
/** So near, in parts of all. */
const NEARLY = 0.9

/** Everything since the beginning of what is measured. */
export type Sample = Counts & {
  atMs: number
  /** Operations that the shop has promised to end. */
  accepted: number
  cpuSeconds: PerGroup
  residentMb: PerGroup
}

export class Observer {
  readonly samples: Sample[] = []
  readonly #counter: Counter
  readonly #members: readonly Member[]
  readonly #accepted: () => number
  #start: { at: number; counts: Counts; cpuSeconds: PerGroup } | null = null

  constructor(counter: Counter, members: readonly Member[], accepted: () => number) {
    this.#counter = counter
    this.#members = members
    this.#accepted = accepted
  }

  /** What was before counts no more. */
  async begin(): Promise<void> {
    this.samples.length = 0
    const counts = await this.#counter.look()
    const { cpuSeconds } = readUsage(this.#members)
    this.#start = { at: performance.now(), counts, cpuSeconds }
  }

  /** Looks on until `isOver` says so of the newest sample, or `stop` fires. */
  async watch(isOver: (sample: Sample) => boolean, nearly: () => number, stop: AbortSignal): Promise<Sample> {
    while (true) {
      const sample = await this.look()
      if (isOver(sample)) return sample
      const ms = nearly() > NEARLY ? LOOK_CLOSELY_MS : LOOK_EVERY_MS
      await delay(ms, undefined, { signal: stop })
    }
  }

  async look(): Promise<Sample> {
    if (this.#start === null) throw new Error('nothing is measured yet')
    const counts = await this.#counter.look()
    const { cpuSeconds, residentMb } = readUsage(this.#members)
    const sample = {
      ...countsSince(this.#start.counts, counts),
      atMs: performance.now() - this.#start.at,
      accepted: this.#accepted(),
      cpuSeconds: between(this.#start.cpuSeconds, cpuSeconds),
      residentMb,
    }
    this.samples.push(sample)
    return sample
  }
}
