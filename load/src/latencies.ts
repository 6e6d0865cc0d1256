/** All in milliseconds, but for `count`. */
export type Latencies = { count: number; p50: number; p95: number; p99: number; max: number }

/**
 * Percentiles by nearest rank: each is a time that was really measured, never one between two of them.
 * `null` when nothing was measured, because 0 ms would be a lie.
 */
export function latencies(measuredMs: readonly number[]): Latencies | null {
  if (measuredMs.length === 0) return null
  // A Float64Array sorts by number, and a million of them in a blink.
  const sorted = Float64Array.from(measuredMs).sort()
  const at = (part: number) => round(sorted[Math.ceil(part * sorted.length) - 1] as number)
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** `p50 3.1 ms · p95 8 ms · p99 12 ms · max 40 ms` */
export function tellLatencies(measured: Latencies | null): string {
  if (measured === null) return 'none measured'
  const { p50, p95, p99, max } = measured
  return `p50 ${p50} ms · p95 ${p95} ms · p99 ${p99} ms · max ${max} ms`
}

/** How many of them a second; 0 when no time has passed. */
export function perSecond(count: number, withinMs: number): number {
  return withinMs > 0 ? round((count * 1000) / withinMs) : 0
}

/** One decimal: what is finer than 0.1 ms is the noise of this process. */
function round(number: number): number {
  return Math.round(number * 10) / 10
}
