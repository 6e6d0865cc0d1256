import type { Scaled } from './cluster/scaled.ts'
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
  /** When the load began, and when its last request was answered: what is only followed to its end comes later. */
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
