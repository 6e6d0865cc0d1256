import { type Latencies, latencies, perSecond, tellLatencies } from './latencies.ts'
import type { Entry, Fate, Ledger, Plan } from './saga-run.ts'

/** What `--json` writes: the plan, then what became of it. Rates are per second, times in milliseconds. */
export type SagaReport = Plan & {
  posted: number
  /** Answers that asked to be asked again, by a post that was then accepted or refused. */
  repeated: number
  accepted: number
  ended: number
  /** Accepted, and not ended when Ctrl-C came: nobody knows. */
  open: number
  refused: number
  lost: number
  doubled: number
  wrong: number
  /** Looks that got neither 200 nor 404; what was looked at was looked at again. */
  unreadable: number
  /** By how many milliseconds the load itself was late at its worst; 0 without a rate. */
  loadLateMs: number
  acceptedPerSecond: number
  /** Until the last of those that are followed had ended. */
  endedPerSecond: number
  postMs: Latencies | null
  /** From accepted to ended, of those followed closely: as seen by polling, at most a quarter, or 25 ms, longer than it was. */
  acceptedToEndedMs: Latencies | null
  /** The first of each kind. */
  failures: { fate: Fate; name: string; uuid: string | null; why: string }[]
}

const BAD = ['refused', 'lost', 'doubled', 'wrong'] as const
const FAILURES_OF_A_KIND_MAX = 5
/** By so much the load may be late without a word. */
const LATE_MS = 100

/** `repeated`: of the meter, which hears of each. */
export function reportOf(plan: Plan, ledger: Ledger, repeated: number): SagaReport {
  const { entries, startedAt } = ledger
  const count = (fate: Fate) => entries.filter((entry) => entry.fate === fate).length
  const acceptedAt = entries.flatMap((entry) => entry.acceptedAt ?? [])
  const lastEndedAt = last(entries.flatMap(({ isFollowed, endedAt = 0 }) => (isFollowed ? endedAt : [])))
  return {
    ...plan,
    posted: entries.length,
    repeated,
    accepted: acceptedAt.length,
    ended: count('ended'),
    open: count('accepted'),
    refused: count('refused'),
    lost: count('lost'),
    doubled: count('doubled'),
    wrong: count('wrong'),
    unreadable: ledger.unreadable,
    loadLateMs: Math.round(ledger.lateMs),
    acceptedPerSecond: perSecond(acceptedAt.length, last(acceptedAt) - startedAt),
    endedPerSecond: perSecond(count('ended'), lastEndedAt - startedAt),
    postMs: latencies(entries.flatMap((entry) => entry.postMs ?? [])),
    acceptedToEndedMs: latencies(entries.flatMap(acceptedToEndedMs)),
    failures: BAD.flatMap((fate) => firstOf(fate, entries)),
  }
}

/** Whether the shop kept every promise that was put to the test. */
export function kept(report: SagaReport): boolean {
  return BAD.every((fate) => report[fate] === 0)
}

export function tellReport(report: SagaReport): string {
  const { posted, repeated, refused, accepted, open, ended, lost, doubled, wrong, unreadable } = report
  return [
    `posted    ${posted}, asked to repeat ${repeated}, refused ${refused}`,
    `accepted  ${accepted}, ${report.acceptedPerSecond}/s · post ${tellLatencies(report.postMs)}`,
    `ended     ${ended}, ${report.endedPerSecond}/s, open ${open}`,
    `          accepted→ended ${tellLatencies(report.acceptedToEndedMs)}`,
    '          (measured by polling: at most a quarter of it, or 25 ms, too long, and what the poll took)',
    `lost ${lost}, doubled ${doubled}, wrong ${wrong}; looks without an answer ${unreadable}`,
    ...(report.loadLateMs > LATE_MS
      ? [`the load itself was up to ${report.loadLateMs} ms late: this machine is too busy`]
      : []),
    ...report.failures.map(({ fate, name, uuid, why }) => `  ${fate}: ${name} (${uuid ?? 'no id'}): ${why}`),
  ].join('\n')
}

function acceptedToEndedMs({ isFollowed, acceptedAt, endedAt }: Entry): number[] {
  return !isFollowed || acceptedAt === undefined || endedAt === undefined ? [] : [endedAt - acceptedAt]
}

function firstOf(fate: Fate, entries: Entry[]): SagaReport['failures'] {
  const alike = entries.filter((entry) => entry.fate === fate).slice(0, FAILURES_OF_A_KIND_MAX)
  return alike.map(({ name, uuid, why }) => ({ fate, name, uuid: uuid ?? null, why: why ?? 'no reason' }))
}

/** Not `Math.max(...times)`: a hundred thousand arguments are too many for a call. */
function last(times: number[]): number {
  return times.reduce((latest, time) => Math.max(latest, time), 0)
}
