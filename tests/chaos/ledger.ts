import type { Event } from '@tideshop/kit/event'
import type { Stored } from '../shared/stores.ts'
import type { Recorded } from '../shared/topics.ts'
import {
  type Asked,
  type Books,
  type Facts,
  openBooks,
  type Path,
  pathOf,
  type Trail,
  userOf,
} from './books.ts'

/**
 * The accountant, who trusts nobody: knows what callers were answered, what lies in the topics and what the stores
 * hold, and finds where these three do not agree. It knows nothing of how the services work, and asks them nothing.
 */

export type Kind =
  /** Promised, and not there. */
  | 'lost'
  /** Done twice. */
  | 'doubled'
  /** There, but not ended. */
  | 'stuck'
  /** Ended as it should not have. */
  | 'wrong'
  /** Refused, and nevertheless there. */
  | 'trace'
  /** There, and nothing is known that could have brought it about. */
  | 'causeless'
  /** A version that is missing before one that is there. */
  | 'gap'
  /** The same event with two contents, or a record that is no event. */
  | 'changed'
  /** Still waits in an outbox. */
  | 'untold'
  /** A dead letter that nobody poisoned, or poison that is not among the dead letters. */
  | 'dead'

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

type Finding = { kind: Kind; what: string; of: Trail }

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

function promisesOf({ answers }: Asked): string[] {
  return [...new Set(answers.flatMap((answer) => (answer.kind === 'promised' ? answer.uuid : [])))]
}

function isRefused({ answers }: Asked): boolean {
  return answers.length > 0 && answers.every(({ kind }) => kind === 'refused')
}

function keptPromises({ asked, operationById }: Books): Finding[] {
  return asked.flatMap((one) => {
    const { key, name } = one
    return promisesOf(one).flatMap((uuid): Finding[] => {
      const body = operationById.get(uuid)?.body
      const of = { key, operationId: uuid }
      if (body === undefined) return [{ kind: 'lost', what: `operation ${uuid} was promised`, of }]
      if (body['idempotencyKey'] === key && body['name'] === name) return []
      return [{ kind: 'wrong', what: `operation ${uuid} is not what was promised for ${name}`, of }]
    })
  })
}

function onePerKey({ asked, operationsByKey }: Books): Finding[] {
  return asked.flatMap((one): Finding[] => {
    const { key } = one
    const ids = new Set([...promisesOf(one), ...(operationsByKey.get(key) ?? []).map(({ _id }) => _id)])
    // A key that was used for two wishes is in two of `asked`; it belongs to the one that was promised.
    if (ids.size < 2 || isRefused(one)) return []
    return [{ kind: 'doubled', what: `key ${key} made operations ${[...ids].join(', ')}`, of: { key } }]
  })
}

function refusalsWithoutTrace({ asked, operationsByKey, askedByKey }: Books): Finding[] {
  return asked.filter(isRefused).flatMap((one) => {
    const { key, name } = one
    const isAlone = askedByKey.get(key)?.length === 1
    const traces = (operationsByKey.get(key) ?? []).filter(({ body }) => isAlone || body['name'] === name)
    return traces.map(({ _id }): Finding => {
      return { kind: 'trace', what: `operation ${_id} was refused each time`, of: { key, operationId: _id } }
    })
  })
}

/** What is wrong with a row, in words; false when nothing is. */
type Rule = { kind: Kind; finds: (row: Stored, books: Books) => string | false | undefined }

const operationRules: Rule[] = [
  {
    kind: 'causeless',
    finds: ({ _id, body }, { askedByKey }) =>
      !askedByKey.has(String(body['idempotencyKey'])) && `nobody asked for operation ${_id}`,
  },
  {
    kind: 'untold',
    finds: ({ _id, outbox }) => (outbox ?? []).length > 0 && `operation ${_id} still has something to tell`,
  },
  { kind: 'stuck', finds: (row) => !hasEnded(row) && `operation ${row._id} is pending` },
  {
    kind: 'doubled',
    finds: ({ _id, version }) => version > 2 && `operation ${_id} has version ${version}`,
  },
  {
    kind: 'wrong',
    finds: (row, books) => {
      const expected = isDenied(row, books) ? 'failed' : 'completed'
      const { status, name } = row.body
      return hasEnded(row) && status !== expected && `operation ${row._id} of ${name} is ${status}`
    },
  },
  {
    kind: 'wrong',
    finds: (row) =>
      hasEnded(row) && row.version < 2 && `operation ${row._id} ended at version ${row.version}`,
  },
  {
    kind: 'causeless',
    finds: (row, books) =>
      hasEnded(row) &&
      !heard(books, userOf(row), 'user-create-response') &&
      `operation ${row._id} ended, and nobody told it to`,
  },
]

function endedOperations(books: Books): Finding[] {
  return books.operations.flatMap((row) => {
    return found(operationRules, row, books, { operationId: row._id, userId: userOf(row) })
  })
}

function oneUserEach({ operations, usersByOperation }: Books): Finding[] {
  return operations.flatMap((row): Finding[] => {
    const { _id } = row
    const users = usersByOperation.get(_id) ?? []
    const of = { operationId: _id, userId: userOf(row) }
    if (users.length > 1) {
      return [{ kind: 'doubled', what: `operation ${_id} made ${users.length} users`, of }]
    }
    if (!hasEnded(row)) return []
    if (users.length === 0) return [{ kind: 'lost', what: `operation ${_id} ended without a user`, of }]
    if (users[0]?._id === userOf(row)) return []
    return [{ kind: 'wrong', what: `operation ${_id} has the user of another`, of }]
  })
}

const userRules: Rule[] = [
  {
    kind: 'causeless',
    finds: (row, books) => operationFor(row, books) === undefined && `no operation asked for user ${row._id}`,
  },
  {
    // While its operation is pending it is counted there.
    kind: 'stuck',
    finds: (row, books) => {
      const operation = operationFor(row, books)
      return (
        isWaiting(row) &&
        operation &&
        hasEnded(operation) &&
        `user ${row._id} waits, though its operation ended`
      )
    },
  },
  { kind: 'doubled', finds: ({ _id, version }) => version > 2 && `user ${_id} has version ${version}` },
  {
    kind: 'wrong',
    finds: (row, books) => {
      const expected = isDenied(row, books) ? 'rejected' : 'approved'
      const { status, name } = row.body
      return !isWaiting(row) && status !== expected && `user ${row._id} of the name ${name} is ${status}`
    },
  },
]

function soundUsers(books: Books): Finding[] {
  return books.users.flatMap((row) => found(userRules, row, books, { userId: row._id }))
}

function found(rules: readonly Rule[], row: Stored, books: Books, of: Trail): Finding[] {
  return rules.flatMap(({ kind, finds }) => {
    const what = finds(row, books)
    return what ? [{ kind, what, of }] : []
  })
}

function hasEnded({ body }: Stored): boolean {
  return body['status'] !== 'pending'
}

function isWaiting({ body }: Stored): boolean {
  return body['status'] === 'waiting'
}

function isDenied({ body }: Stored, { denied }: Books): boolean {
  return denied.has(String(body['name']))
}

function operationFor({ body }: Stored, { operationById }: Books): Stored | undefined {
  return operationById.get(String(body['operationId']))
}

/** What has to be told before something else can be. */
const causeOf: Record<string, string> = {
  'user-approve': 'user-create',
  'user-approve-response': 'user-approve',
  'user-create-response': 'user-approve-response',
}

function causes(books: Books): Finding[] {
  const unreadable = books.unreadable.map((record): Finding => {
    return { kind: 'changed', what: `${at(record)} is no event`, of: { record } }
  })
  const causeless = books.events.flatMap((record): Finding[] => {
    const { topic, event } = record
    const { userId, operationId } = event.data
    const cause = causeOf[topic]
    const of = { userId: event.subject, record }
    if (userId !== event.subject) {
      return [{ kind: 'changed', what: `${at(record)} is about another than it says`, of }]
    }
    const isCaused =
      cause === undefined
        ? asks(books.operationById.get(operationId ?? ''), userId)
        : heard(books, userId, cause)
    if (isCaused) return []
    return [{ kind: 'causeless', what: `${at(record)} has no ${cause ?? 'operation'}`, of }]
  })
  return [...unreadable, ...causeless]
}

function asks(operation: Stored | undefined, userId: string): boolean {
  return operation !== undefined && userOf(operation) === userId
}

function heard({ eventsByUser }: Books, userId: string, topic: string): boolean {
  return (eventsByUser.get(userId) ?? []).some((one) => one.topic === topic)
}

function gaplessVersions({ events }: Books): Finding[] {
  const told = Map.groupBy(events, ({ event }) => `${event.source} ${event.subject}`)
  return [...told.values()].flatMap((records): Finding[] => {
    const [first] = records
    if (first === undefined) return []
    const { source, subject } = first.event
    const ids = new Set(records.map(({ event }) => event.id))
    const gapless = Array.from({ length: ids.size }, (_, index) => `${subject}:${index + 1}`)
    if (gapless.every((id) => ids.has(id))) return []
    const what = `${source} told ${[...ids].join(', ')}`
    return [{ kind: 'gap', what, of: { userId: subject } }]
  })
}

/** A repeat says the same, but for its trace; an approval is decided anew, so its time may differ. */
function sameWords({ events }: Books): Finding[] {
  const told = Map.groupBy(events, ({ topic, event }) => `${topic} ${event.id}`)
  return [...told.values()].flatMap((records): Finding[] => {
    if (new Set(records.map(({ event }) => wordsOf(event))).size === 1) return []
    const [first] = records
    const what = `${first?.topic} ${first?.event.id} was told in different words`
    return [{ kind: 'changed', what, of: { userId: first?.event.subject ?? '' } }]
  })
}

function wordsOf({ traceparent: _, time, ...rest }: Event): string {
  return JSON.stringify(rest.source === 'approvals' ? rest : { ...rest, time })
}

function deadLetters({ letters, poisoned }: Books): Finding[] {
  const poisonedPlaces = new Set(poisoned.map(at))
  const deadPlaces = new Set(letters.map(({ letter }) => at(letter)))
  return [
    ...letters
      .filter(({ letter }) => !poisonedPlaces.has(at(letter)))
      .map((record): Finding => {
        const { letter } = record
        return { kind: 'dead', what: `${at(letter)} was put aside: ${letter.reason}`, of: { record } }
      }),
    ...poisoned
      .filter((record) => !deadPlaces.has(at(record)))
      .map((record): Finding => {
        return { kind: 'dead', what: `poison at ${at(record)} was not put aside`, of: { record } }
      }),
  ]
}

function at({
  topic,
  partition,
  offset,
}: Pick<Recorded, 'topic' | 'partition'> & { offset: unknown }): string {
  return `${topic}/${partition}/${offset}`
}
