import type { ParseArgsConfig } from 'node:util'
import type { Ground } from './ground.ts'
import type { Meter } from './meter.ts'

/**
 * One way to load the shop. A new one is a file in `scenarios/` and its line in `main.ts`: it says what can be typed, makes
 * a plan of it, and works. Where the load goes, what is watched meanwhile, progress, expectations and reports are the
 * stage's, and alike for all (`stage.ts`).
 */
export type LoadScenario = {
  summary: string
  /** How it is typed and what its own options mean. */
  help: string
  options: NonNullable<ParseArgsConfig['options']>
  /** Whether something without `--` may be typed. */
  hasNames: boolean
  /** Throws `CannotRun` when what was typed makes no sense, before any shop is asked; then says what is to be done there. */
  plan: (typed: Typed) => (ground: Ground) => Work
}

export type Typed = { values: Record<string, string | undefined>; positionals: string[] }

export type Work = {
  /** What is asked for, in a few words. */
  title: string
  /** What a cluster has to show unless `--expect` says otherwise. */
  expects: readonly string[]
  /** Loads the shop until all is done or `stop` fires, which is no fault, and tells `meter` of each request. */
  run: (meter: Meter, stop: AbortSignal) => Promise<void>
  /** Afterwards. */
  result: () => Result
}

export type Result = {
  told: string
  /** Of `--json`: what only this scenario knows, by name. */
  json: Record<string, unknown>
  /** Whether the shop kept its promises. */
  kept: boolean
  /** What was done, for costs: `{ unit: 'events', count: 4000 }`. */
  done: { unit: string; count: number }
}
