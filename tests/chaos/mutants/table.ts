import type { Violation } from '../ledger.ts'
import { isSound } from '../report.ts'
import type { Trial } from './trials.ts'

/** What came of the trials, for people. */

/** Caught for the right reason, or sound where there is nothing to catch. */
export function isAsItShould({ bug, outcome }: Trial): boolean {
  if (bug === null) return isSound(outcome)
  return outcome.verdict.violations.some(({ kind }) => bug.calledFor.includes(kind))
}

export function tellTrials(trials: readonly Trial[]): string {
  const rows = trials.map((trial) => {
    const { bug, outcome, seconds } = trial
    const { violations } = outcome.verdict
    return [
      isAsItShould(trial) ? '✔' : '✖',
      bug?.name ?? 'no bug',
      violations.length === 0 ? nothingIn(trial) : kindsIn(violations),
      `${seconds} s, ${outcome.recoveries.length} kills`,
      firstOf(trial)?.what ?? '',
    ]
  })
  const table = [['', 'bug', 'found', 'after', 'the first in words'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

function nothingIn({ bug, outcome }: Trial): string {
  if (bug !== null) return 'nothing'
  return isSound(outcome) ? 'nothing, as it should' : 'nothing, but it did not come to rest'
}

function kindsIn(violations: readonly Violation[]): string {
  const kinds = [...Map.groupBy(violations, ({ kind }) => kind)]
  return kinds.map(([kind, of]) => `${kind} ${of.length}`).join(' · ')
}

/** What the bug is called for, rather than what came of it. */
function firstOf({ bug, outcome }: Trial): Violation | undefined {
  const { violations } = outcome.verdict
  const named = bug?.calledFor.flatMap((kind) => violations.find((one) => one.kind === kind) ?? [])
  return named?.[0] ?? violations[0]
}
