import { perSecond, tellLatencies } from './latencies.ts'
import type { Run } from './run.ts'
import type { ServiceScaling } from './scaling.ts'

/** What a run came to, for people and for a file. */

const PER_MILLION = 1_000_000
const MARKS = { met: '✔', missed: '✖', open: '?' }

/** Whether the shop kept its promises and showed what was expected. */
export function isGood({ result, verdicts }: Run): boolean {
  return result.kept && verdicts.every(({ outcome }) => outcome !== 'missed')
}

export function tellRun(run: Run): string {
  const { result, scaling, verdicts, notes } = run
  return [
    `${run.title}, through ${run.baseUrl}${run.interrupted ? ', interrupted' : ''}`,
    result.told,
    ...(scaling === null ? [] : ['', ...tellTable(scalingTable(scaling)), ...tellCosts(run)]),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `note: ${note}`)]),
    ...(verdicts.length === 0 ? [] : ['', ...tellVerdicts(run)]),
  ].join('\n')
}

function tellVerdicts({ verdicts }: Run): string[] {
  return verdicts.map(({ expected, outcome, why }) => `${MARKS[outcome]} ${expected}: ${outcome}, ${why}`)
}

/** What pods and processor cost for a million of what was done; null where it cannot be said. */
export function perMillion({
  result,
  scaling,
}: Run): { podSeconds: number; cpuSeconds: number | null } | null {
  const { count } = result.done
  if (scaling === null || count === 0) return null
  const sumOf = (of: (one: ServiceScaling) => number) => scaling.reduce((sum, one) => sum + of(one), 0)
  const isMeasured = scaling.every(({ cpuSeconds }) => cpuSeconds !== null)
  return {
    podSeconds: (sumOf(({ podSeconds }) => podSeconds) * PER_MILLION) / count,
    cpuSeconds: isMeasured ? (sumOf(({ cpuSeconds }) => cpuSeconds ?? 0) * PER_MILLION) / count : null,
  }
}

function tellCosts(run: Run): string[] {
  const costs = perMillion(run)
  if (costs === null) return []
  const { unit, count } = run.result.done
  const cpu =
    costs.cpuSeconds === null ? 'processor time not measured' : `${whole(costs.cpuSeconds)} CPU-seconds`
  return [`for a million ${unit} (from ${whole(count)}): ${whole(costs.podSeconds)} pod-seconds, ${cpu}`]
}

export const scalingHead = [
  'service',
  'from–to',
  'most wanted',
  'most ready',
  'first wanted',
  'first ready',
  'back',
  'pod-s',
  'CPU-s',
  'θU %',
  'θO %',
  'τU %',
  'τO %',
]

export function scalingRow(one: ServiceScaling): string[] {
  const { elasticity } = one
  const score = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(0))
  return [
    one.service,
    `${one.min}–${one.max}`,
    String(one.mostWanted),
    String(one.mostReady),
    inSeconds(one.firstWantedSeconds),
    inSeconds(one.firstReadySeconds),
    inSeconds(one.backSeconds),
    one.podSeconds.toFixed(0),
    one.cpuSeconds === null ? '–' : one.cpuSeconds.toFixed(1),
    score(elasticity?.underAccuracy),
    score(elasticity?.overAccuracy),
    score(elasticity?.underTimeshare),
    score(elasticity?.overTimeshare),
  ]
}

function scalingTable(scaling: readonly ServiceScaling[]): string[][] {
  return [scalingHead, ...scaling.map(scalingRow)]
}

/** Columns under one another, the first to the left. */
export function tellTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
}

/** `--json`. What the scenario knows stands at the top, by its own names. */
export function jsonOf(run: Run): Record<string, unknown> {
  const { title, ranAt, baseUrl, interrupted, totals, scaling, verdicts, notes, timeline, result } = run
  return {
    ...result.json,
    title,
    ranAt,
    baseUrl,
    interrupted,
    requests: { ...totals, goodPerSecond: perSecond(totals.good, timeline.overMs - timeline.beganMs) },
    done: result.done,
    expectations: verdicts,
    notes,
    scaling: scaling === null ? null : { services: scaling, perMillion: perMillion(run) },
    timeline,
  }
}

/** Of a scenario that has nothing else to tell. */
export function tellTotals({ good, failed, repeated, ms }: Run['totals'], tookMs: number): string {
  return [
    `requests  ${good} good in ${(tookMs / 1000).toFixed(1)} s, ${perSecond(good, tookMs)}/s, failed ${failed}, asked to repeat ${repeated}`,
    `latency   ${tellLatencies(ms)}`,
  ].join('\n')
}

export function inSeconds(seconds: number | null): string {
  return seconds === null ? 'never' : `${seconds.toFixed(1)} s`
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}
