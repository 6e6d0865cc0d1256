import { type Books, type Facts, openBooks, type Path, pathOf } from './books.ts'
import { causes, deadLetters, gaplessVersions, sameWords } from './checks/events.ts'
import type { Finding, Kind } from './checks/finding.ts'
import { isRefused, keptPromises, onePerKey, promisesOf, refusalsWithoutTrace } from './checks/promises.ts'
import { endedOperations, oneUserEach, soundUsers } from './checks/rows.ts'

/**
 * The accountant, who trusts nobody: knows what callers were answered, what lies in the topics and what the stores
 * hold, and finds where these three do not agree. It knows nothing of how the services work, and asks them nothing.
 */

export type Violation = { kind: Kind; what: string; path: Path }

export type Verdict = {
  lost: number
  doubled: number
  stuck: number
  violations: Violation[]
  counts: {
    asked: number
    promised: number
    refused: number
    unknown: number
    completed: number
    failed: number
    events: number
    /** Records that say again what was said before: what the shop had to absorb. */
    repeats: number
    poisoned: number
    deadLetters: number
  }
}

const checks: ((books: Books) => Finding[])[] = [
  keptPromises,
  onePerKey,
  refusalsWithoutTrace,
  endedOperations,
  oneUserEach,
  soundUsers,
  causes,
  gaplessVersions,
  sameWords,
  deadLetters,
]

export function audit(facts: Facts): Verdict {
  const books = openBooks(facts)
  const findings = checks.flatMap((check) => check(books))
  const count = (kind: Kind) => findings.filter((finding) => finding.kind === kind).length
  return {
    lost: count('lost'),
    doubled: count('doubled'),
    stuck: count('stuck'),
    violations: findings.map(({ kind, what, of }) => ({ kind, what, path: pathOf(books, of) })),
    counts: countsOf(books),
  }
}

function countsOf(books: Books): Verdict['counts'] {
  const { asked, operations, events } = books
  const status = (wanted: string) => operations.filter(({ body }) => body['status'] === wanted).length
  return {
    asked: asked.length,
    promised: asked.filter((one) => promisesOf(one).length > 0).length,
    refused: asked.filter(isRefused).length,
    unknown: asked.filter((one) => promisesOf(one).length === 0 && !isRefused(one)).length,
    completed: status('completed'),
    failed: status('failed'),
    events: events.length,
    repeats: events.length - new Set(events.map(({ topic, event }) => `${topic} ${event.id}`)).size,
    poisoned: books.poisoned.length,
    deadLetters: books.letters.length,
  }
}
