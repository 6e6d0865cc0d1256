import type { Scaled, Trigger } from './cluster/scaled.ts'
import { perSecond } from './latencies.ts'
import type { Meter } from './meter.ts'
import type { Sample } from './timeline.ts'

/** The line that is shown while a load runs. */

export type Phase = 'waits for rest' | 'load' | 'until rest'

/** The rate is that of the last seconds. */
const RATE_OVER_MS = 3000

/** `34 s load · 60/s · 2040 good, 3 repeated, 0 failed · open 31 · approvals 12/12 (60) · …`: ready of wanted (value). */
export function tellLive(
  phase: Phase,
  samples: readonly Sample[],
  counts: ReturnType<Meter['counts']>,
): string {
  const last = samples.at(-1)
  const { good, repeated, failed } = counts
  const open = last?.beat.open ?? null
  return [
    `${Math.round((last?.atMs ?? 0) / 1000)} s ${phase}`,
    `${rateIn(samples)}/s`,
    `${good} good, ${repeated} repeated, ${failed} failed`,
    ...(open === null ? [] : [`open ${open}`]),
    ...(last?.services ?? []).map(tellService),
  ].join(' · ')
}

function rateIn(samples: readonly Sample[]): number {
  const last = samples.at(-1)
  if (last === undefined) return 0
  const since = samples.findLast(({ atMs }) => atMs <= last.atMs - RATE_OVER_MS) ?? samples[0]
  const good = samples.reduce((sum, { atMs, beat }) => sum + (atMs > (since?.atMs ?? 0) ? beat.good : 0), 0)
  return perSecond(good, last.atMs - (since?.atMs ?? 0))
}

function tellService({ service, wanted, ready, triggers }: Scaled): string {
  const asking = triggers
    .filter(({ isActive, value }) => isActive && value !== null)
    .toSorted((one, other) => askedBy(other) - askedBy(one))[0]
  const value = asking === undefined ? '' : ` (${Math.round((asking.value ?? 0) * 10) / 10})`
  return `${service} ${ready}/${wanted}${value}`
}

function askedBy({ value, threshold }: Trigger): number {
  return (value ?? 0) / threshold
}
