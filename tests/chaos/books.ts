import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { userApprove, userCreateResponse } from '@tideshop/contracts/users'
import { type DeadLetter, deadLetterData } from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import type { Stored } from '../shared/stores.ts'
import type { Recorded } from '../shared/topics.ts'

/** What was seen of a shop from outside, and the same sorted so that the ledger can look things up. */

/** One wish of one caller: every answer to every time that it was posted with this key. */
export type Asked = {
  key: string
  /** Null when the body was not one that has a name. */
  name: string | null
  answers: readonly Answer[]
}

export type Answer =
  | { kind: 'promised'; uuid: string }
  /** 4xx, or 503 `unavailable`: nothing was done. */
  | { kind: 'refused'; status: number }
  /** 503 `uncertain`, a 5xx of something in between, or no answer at all: it may have been done. */
  | { kind: 'unknown'; why: string }

export type Facts = {
  asked: readonly Asked[]
  operations: readonly Stored[]
  users: readonly Stored[]
  /** All that stands in the topics, those of dead letters included. */
  records: readonly Recorded[]
  /** The values that were put into topics on purpose and can never be handled. */
  poison: ReadonlySet<string>
  /** Names that are not to get an account. */
  denied: ReadonlySet<string>
}

/** Of what events say, as much as the ledger looks at; which of it is there depends on the topic. */
type Said = { userId: string; operationId?: string; createdAt?: string; approved?: boolean }
export type Heard = Recorded & { event: Event<Said> }
export type Letter = Recorded & { letter: DeadLetter }

export type Books = Facts & {
  askedByKey: Map<string, Asked[]>
  operationById: Map<string, Stored>
  operationsByKey: Map<string, Stored[]>
  operationsByUser: Map<string, Stored[]>
  userById: Map<string, Stored>
  usersByOperation: Map<string, Stored[]>
  events: Heard[]
  eventsByUser: Map<string, Heard[]>
  letters: Letter[]
  poisoned: Recorded[]
  /** Neither an event nor poison of ours. */
  unreadable: Recorded[]
}

const contracts = new Map(
  [userCreate, userApprove, userApproveResponse, userCreateResponse].map((one) => [one.topic, one.schema]),
)

export function openBooks(facts: Facts): Books {
  const { asked, operations, users, records, poison } = facts
  const isDead = ({ topic }: Recorded) => !contracts.has(topic)
  const poisoned = records.filter((record) => !isDead(record) && poison.has(record.value))
  const sound = records.filter((record) => !isDead(record) && !poison.has(record.value))
  const read = sound.map((record) => ({ ...record, event: eventIn(record) }))
  const events = read.filter((one): one is Heard => one.event !== null)
  return {
    ...facts,
    askedByKey: Map.groupBy(asked, ({ key }) => key),
    operationById: new Map(operations.map((row) => [row._id, row])),
    operationsByKey: Map.groupBy(operations, ({ body }) => String(body['idempotencyKey'])),
    operationsByUser: Map.groupBy(operations, userOf),
    userById: new Map(users.map((row) => [row._id, row])),
    usersByOperation: Map.groupBy(users, ({ body }) => String(body['operationId'])),
    events,
    eventsByUser: Map.groupBy(events, ({ event }) => event.subject),
    letters: records.filter(isDead).map((record) => ({ ...record, letter: letterIn(record) })),
    poisoned,
    unreadable: read.filter(({ event }) => event === null),
  }
}

function eventIn({ topic, value }: Recorded): Heard['event'] | null {
  try {
    return (contracts.get(topic)?.safeParse(JSON.parse(value)).data as Heard['event'] | undefined) ?? null
  } catch {
    return null
  }
}

/** Throws for what the shop itself wrote wrongly: its quarantine has one writer. */
function letterIn({ value }: Recorded): DeadLetter {
  return deadLetterData.parse(JSON.parse(value).data)
}

/** What a violation is about; the rest of its path is found from any of these. */
export type Trail = { key?: string; operationId?: string; userId?: string; record?: Recorded }

/** Everything that is known of one operation. */
export type Path = { asked: Asked[]; operations: Stored[]; users: Stored[]; records: Seen[] }
/** An event as it lies in its topic; of a record that is none, its beginning. */
export type Seen = {
  topic: string
  partition: number
  offset: string
  id?: string
  time?: string
  value: string
}

const VALUE_SHOWN_MAX = 400

export function pathOf(books: Books, { key, operationId, userId, record }: Trail): Path {
  const operations = unique([
    books.operationById.get(operationId ?? ''),
    ...(books.operationsByUser.get(userId ?? '') ?? []),
    ...(books.operationsByKey.get(key ?? '') ?? []),
  ])
  const operationIds = [operationId, ...operations.map(({ _id }) => _id)]
  const users = unique([
    books.userById.get(userId ?? ''),
    ...operationIds.flatMap((id) => books.usersByOperation.get(id ?? '') ?? []),
  ])
  const userIds = new Set([userId, ...users.map(({ _id }) => _id), ...operations.map(userOf)])
  const keys = new Set([key, ...operations.map(({ body }) => String(body['idempotencyKey']))])
  const events = [...userIds].flatMap((id) => books.eventsByUser.get(id ?? '') ?? [])
  return {
    asked: [...keys].flatMap((one) => books.askedByKey.get(one ?? '') ?? []),
    operations,
    users,
    records: [...events, ...(record ? [record] : [])].map(seen),
  }
}

function unique(rows: readonly (Stored | undefined)[]): Stored[] {
  return [...new Set(rows)].filter((row) => row !== undefined)
}

export function userOf({ body }: Stored): string {
  return String(body['userId'])
}

/** Whether anything was told about this user on this topic. */
export function heard({ eventsByUser }: Books, userId: string, topic: string): boolean {
  return (eventsByUser.get(userId) ?? []).some((one) => one.topic === topic)
}

function seen(record: Recorded & { event?: Heard['event'] }): Seen {
  const { topic, partition, offset, value, event } = record
  return {
    topic,
    partition,
    offset: String(offset),
    ...(event && { id: event.id, time: event.time }),
    value: value.slice(0, VALUE_SHOWN_MAX),
  }
}
