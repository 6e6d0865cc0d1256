import type { Shop } from '@tideshop/run/shop'
import type { Path } from './books.ts'
import type { Inflicted } from './run.ts'

/** What else is known of a violation: which faults fell around its path, and who said something about it. */

/** A fault can show seconds later: a batch comes again, a group finds that a member is gone. */
const BEFORE_MS = 5000
const AFTER_MS = 15_000
const FAULTS_SHOWN_MAX = 40
/** Of each process. */
const LINES_SHOWN_MAX = 20

export function tellMoment(path: Path, faults: readonly Inflicted[], { logs }: Pick<Shop, 'logs'>): string {
  const ids = [...path.operations, ...path.users].map(({ _id }) => _id)
  const subjects = path.records.flatMap(({ id }) => id?.split(':')[0] ?? [])
  const naming = [...new Set([...ids, ...subjects])]
  return [
    '--- faults around it',
    ...faultsAround(path, faults),
    ...(naming.length === 0 ? [] : [logs({ naming, last: LINES_SHOWN_MAX })]),
  ].join('\n')
}

function faultsAround({ records }: Path, faults: readonly Inflicted[]): string[] {
  const times = records.flatMap(({ time }) => (time === undefined ? [] : Date.parse(time)))
  if (times.length === 0) return ['its path has no time']
  const [from, to] = [Math.min(...times) - BEFORE_MS, Math.max(...times) + AFTER_MS]
  return faults
    .filter(({ at, tookMs }) => at.getTime() < to && at.getTime() + (tookMs ?? 0) > from)
    .slice(0, FAULTS_SHOWN_MAX)
    .map(({ what, at, tookMs }) => `${at.toISOString()} ${what}, over after ${tookMs ?? '?'} ms`)
}
