import type { Event } from '@tideshop/kit/event'
import type { Stored } from '../../shared/stores.ts'
import type { Recorded } from '../../shared/topics.ts'
import { type Books, heard, userOf } from '../books.ts'
import type { Finding } from './finding.ts'

/** What stands in the topics: each event has its cause, its place and its words, and only poison is put aside. */

/** What has to be told before something else can be. */
const causeOf: Record<string, string> = {
  'user-approve': 'user-create',
  'user-approve-response': 'user-approve',
  'user-create-response': 'user-approve-response',
}

export function causes(books: Books): Finding[] {
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

export function gaplessVersions({ events }: Books): Finding[] {
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
export function sameWords({ events }: Books): Finding[] {
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

export function deadLetters({ letters, poisoned }: Books): Finding[] {
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
