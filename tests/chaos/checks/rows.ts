import type { Stored } from '../../shared/stores.ts'
import { type Books, type Heard, heard, type Trail, userOf } from '../books.ts'
import type { Finding, Kind } from './finding.ts'

/** What the stores hold, each row for itself and operations against users. */

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
  {
    kind: 'changed',
    finds: (row, books) =>
      hasEnded(row) &&
      toldOf(userOf(row), books).some(
        ({ topic, event }) =>
          topic === 'user-create-response' && event.data.createdAt !== row.body['createdAt'],
      ) &&
      `operation ${row._id} ended otherwise than it was told`,
  },
]

export function endedOperations(books: Books): Finding[] {
  return books.operations.flatMap((row) => {
    return found(operationRules, row, books, { operationId: row._id, userId: userOf(row) })
  })
}

export function oneUserEach({ operations, usersByOperation }: Books): Finding[] {
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
  {
    // Of two who write over each other the last stays, and the first may have told already.
    kind: 'changed',
    finds: (row, books) => !isAsTold(row, books) && `user ${row._id} is not what was told of it`,
  },
]

export function soundUsers(books: Books): Finding[] {
  return books.users.flatMap((row) => found(userRules, row, books, { userId: row._id }))
}

function isAsTold({ _id, body }: Stored, books: Books): boolean {
  const { createdAt, decidedAt, status } = body
  return toldOf(_id, books).every(({ topic, event: { time, data } }) => {
    if (topic === 'user-approve') return time === createdAt
    if (topic !== 'user-create-response') return true
    return time === decidedAt && data.createdAt === createdAt && data.approved === (status === 'approved')
  })
}

function toldOf(userId: string, { eventsByUser }: Books): Heard[] {
  return eventsByUser.get(userId) ?? []
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
