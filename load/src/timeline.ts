import type { Scaled } from './cluster/scaled.ts'
import { perSecond } from './latencies.ts'
import type { Beat } from './meter.ts'

/** What callers met and what the cluster did, on one clock: milliseconds after the first look. */
export type Sample = {
  atMs: number
  /** Since the sample before. */
  beat: Beat
  /** Null without a cluster, and where its API server did not answer. */
  services: Scaled[] | null
}

export type Timeline = {
  samples: Sample[]
  /** When the load began and was over. */
  beganMs: number
  overMs: number
  /** Whether every service was at its least when it began; null without a cluster. */
  beganAtRest: boolean | null
}

export function isAtRest(services: readonly Scaled[]): boolean {
  return services.every(({ wanted, ready, min }) => wanted === min && ready === min)
}

/** One service over time, without the looks that found nothing. */
export function seenOf(samples: readonly Sample[], service: string): (Scaled & { atMs: number })[] {
  return samples.flatMap(({ atMs, services }) => {
    const seen = services?.find((one) => one.service === service)
    return seen === undefined ? [] : [{ ...seen, atMs }]
  })
}

export function servicesIn(samples: readonly Sample[]): string[] {
  const names = samples.flatMap(({ services }) => (services ?? []).map(({ service }) => service))
  return [...new Set(names)].sort()
}

/** Good requests a second, from the load's beginning to the last of them: what is only followed after that is no rate. */
export function goodPerSecond({ samples, beganMs, overMs }: Timeline): number {
  const good = samples.reduce((sum, { beat }) => sum + beat.good, 0)
  const last = samples.findLast(({ beat }) => beat.good > 0)?.atMs ?? overMs
  return perSecond(good, Math.min(last, overMs) - beganMs)
}
