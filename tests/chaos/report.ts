import { type Latencies, latencies } from '@tideshop/load/latencies'
import type { Path } from './books.ts'
import type { Recovery } from './follower.ts'
import type { Violation } from './ledger.ts'
import type { Outcome, Plan } from './run.ts'

/** What a chaos run has found, for people and for a file. */

/** Paths are long: the first ones show the cause, the file has all. */
const PATHS_SHOWN_MAX = 5

export function isSound({ quiet, verdict, recoveries }: Outcome): boolean {
  return quiet && verdict.violations.length === 0 && recoveries.every(({ tookMs }) => tookMs !== null)
}

/** Of those that came about; null when none did. */
export function timesOf(recoveries: readonly Recovery[]): Latencies | null {
  return latencies(recoveries.flatMap(({ tookMs }) => tookMs ?? []))
}

/** What was killed, and how long the shop needed; `alone` are those beside which no other process was hit. */
function tableOf(recoveries: readonly Recovery[]): string[] {
  const groups = Map.groupBy(recoveries, ({ part }): string => part)
  const alone = recoveries.filter(({ beside }) => beside.length === 0)
  const rows = [
    ...[...groups].toSorted(([one], [other]) => one.localeCompare(other)),
    ['alone', alone] as const,
  ]
  return rows.flatMap(([name, of]) => {
    const times = timesOf(of)
    if (times === null) return []
    const { p50, p95, max } = times
    const cells = [String(of.length), ...[p50, p95, max].map(inSeconds)].map((cell) => cell.padStart(8))
    return [`  ${name.padEnd(9)}${cells.join('')}`]
  })
}

export function tellOutcome(plan: Plan, outcome: Outcome): string {
  const { verdict, recoveries, faults, quiet } = outcome
  const { counts, violations } = verdict
  const kinds = Map.groupBy(faults, ({ kind }) => kind)
  const times = timesOf(recoveries)
  const slowest = recoveries.toSorted((one, other) => (other.tookMs ?? 0) - (one.tookMs ?? 0))[0]
  const never = recoveries.filter(({ tookMs }) => tookMs === null)
  const others = Map.groupBy(violations, ({ kind }) => kind)
  for (const kind of ['lost', 'doubled', 'stuck'] as const) others.delete(kind)
  return [
    `seed       ${plan.seed}`,
    `faults     ${[...kinds].map(([kind, of]) => `${of.length} ${kind}`).join(', ')}`,
    `callers    ${counts.asked} wishes: ${counts.promised} promised, ${counts.refused} refused, ${counts.unknown} unknown`,
    `operations ${counts.completed} completed, ${counts.failed} failed`,
    `topics     ${counts.events} events, of which ${counts.repeats} repeats were absorbed; ${counts.poisoned} poisoned, ${counts.deadLetters} dead letters`,
    times === null
      ? 'recovery   not measured'
      : `recovery   p50 ${inSeconds(times.p50)} · p95 ${inSeconds(times.p95)} · max ${inSeconds(times.max)} (kill of ${slowest?.what})`,
    ...tableOf(recoveries),
    ...never.map(({ what }) => `recovery   never after: ${what}`),
    ...(quiet ? [] : ['it did not become quiet']),
    '',
    `lost ${verdict.lost} · doubled ${verdict.doubled} · stuck ${verdict.stuck}${tellOthers(others)}`,
  ].join('\n')
}

/** `momentOf` tells what else is known of the time and the ids of a path. */
export function tellViolations(
  violations: readonly Violation[],
  momentOf: (path: Path) => string = () => '',
): string {
  const shown = violations.slice(0, PATHS_SHOWN_MAX).map(({ kind, what, path }) => {
    return `${kind}: ${what}\n${JSON.stringify(path, null, 2)}\n${momentOf(path)}`
  })
  const more = violations.length - shown.length
  return [...shown, ...(more > 0 ? [`… and ${more} more; --json writes all`] : [])].join('\n')
}

function tellOthers(others: ReadonlyMap<string, readonly Violation[]>): string {
  return [...others].map(([kind, of]) => ` · ${kind} ${of.length}`).join('')
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
