import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { userApprove, userCreateResponse } from '@tideshop/contracts/users'
import { deadLetter } from '@tideshop/kit/dead-letter'
import type { Outgoing } from '@tideshop/kit/event'
import { expect, test } from 'vitest'
import type { Stored } from '../shared/stores.ts'
import type { Recorded } from '../shared/topics.ts'
import type { Asked, Facts } from './books.ts'
import { audit, type Violation } from './ledger.ts'

const time = '2026-11-21T12:00:00.000Z'
const later = '2026-11-21T12:00:05.000Z'

/** One operation from the wish to its end, as it should be. */
function saga(number: number, name = 'hans') {
  const operationId = `01a1fbf0-32dc-7ab1-a12d-1000000000${number}`
  const userId = `01a1fbf0-32dc-7ab1-a12d-2000000000${number}`
  const approved = name !== 'mallory'
  const of = { subject: userId, version: 1, time }
  const answer = { operationId, userId, createdAt: time, approved, ...(!approved && { reason: 'denied' }) }
  return {
    asked: { key: `key-${number}`, name, answers: [{ kind: 'promised', uuid: operationId }] } as Asked,
    operation: {
      _id: operationId,
      version: 2,
      body: {
        idempotencyKey: `key-${number}`,
        name,
        userId,
        status: approved ? 'completed' : 'failed',
        createdAt: time,
      },
    } as Stored,
    user: {
      _id: userId,
      version: 2,
      body: {
        operationId,
        name,
        status: approved ? 'approved' : 'rejected',
        createdAt: time,
        decidedAt: later,
      },
    } as Stored,
    records: [
      recorded(userCreate.tell({ ...of, data: { operationId, userId, name } })),
      recorded(userApprove.tell({ ...of, data: { userId, name } })),
      recorded(userApproveResponse.tell({ ...of, data: { userId, approved } })),
      recorded(userCreateResponse.tell({ ...of, version: 2, time: later, data: answer })),
    ] as [Recorded, Recorded, Recorded, Recorded],
  }
}

let offset = 0n

function recorded({ topic, event }: Outgoing): Recorded {
  offset += 1n
  return { topic, partition: 0, offset, value: JSON.stringify(event) }
}

type Saga = ReturnType<typeof saga>

function facts(sagas: readonly Saga[], over: Partial<Facts> = {}): Facts {
  return {
    asked: sagas.map(({ asked }) => asked),
    operations: sagas.map(({ operation }) => operation),
    users: sagas.map(({ user }) => user),
    records: sagas.flatMap(({ records }) => records),
    poison: new Set(),
    denied: new Set(['mallory']),
    ...over,
  }
}

function found(given: Facts): string[] {
  return audit(given).violations.map(({ kind, what }) => `${kind}: ${what}`)
}

const [one, two, denied] = [saga(11), saga(12), saga(13, 'mallory')]
const sound = [one, two, denied]
const { asked, operation, user, records } = one
const unknown = { kind: 'unknown', why: 'no answer' } as const
const refused = { kind: 'refused', status: 503 } as const

test('a sound shop has sound books', () => {
  expect(audit(facts(sound))).toEqual({
    lost: 0,
    doubled: 0,
    stuck: 0,
    violations: [],
    counts: {
      asked: 3,
      promised: 3,
      refused: 0,
      unknown: 0,
      completed: 2,
      failed: 1,
      events: 12,
      repeats: 0,
      poisoned: 0,
      deadLetters: 0,
    },
  })
})

test('repeats are counted and absorbed, also when the approver decided at another time', () => {
  const [create, , response] = records
  const again = { ...response, offset: 99n, value: response.value.replace(time, later) }
  const given = facts(sound, { records: [...facts(sound).records, { ...create, offset: 98n }, again] })
  expect(audit(given)).toMatchObject({ violations: [], counts: { repeats: 2 } })
})

test('a caller whose answer got lost may have been served, and is promised the same later', () => {
  const patient = { ...asked, answers: [unknown, refused, ...asked.answers] }
  const forgotten = { ...two.asked, answers: [unknown] }
  expect(found(facts(sound, { asked: [patient, forgotten, denied.asked] }))).toEqual([])
})

test('lost: what was promised is not there', () => {
  expect(found(facts([], { asked: [asked] }))).toEqual([`lost: operation ${operation._id} was promised`])
})

test('lost: an operation ended, and its user is not there', () => {
  expect(found(facts([one], { users: [] }))).toEqual([
    `lost: operation ${operation._id} ended without a user`,
  ])
})

test('doubled: one key, two operations', () => {
  const twice = { ...two.asked, key: asked.key }
  const second = { ...two.operation, body: { ...two.operation.body, idempotencyKey: asked.key } }
  const both = { ...asked, answers: [...asked.answers, ...twice.answers] }
  expect(found(facts([one, two], { asked: [both], operations: [operation, second] }))).toEqual([
    `doubled: key ${asked.key} made operations ${operation._id}, ${second._id}`,
  ])
})

test('doubled: one operation, two users', () => {
  const second = { ...user, _id: two.user._id }
  const kinds = audit(facts([one], { users: [user, second] })).violations.map(({ kind }) => kind)
  expect(kinds).toEqual(['doubled'])
})

test('doubled: an aggregate that took a step too many', () => {
  expect(found(facts([{ ...one, operation: { ...operation, version: 3 } }]))).toEqual([
    `doubled: operation ${operation._id} has version 3`,
  ])
  expect(found(facts([{ ...one, user: { ...user, version: 3 } }]))).toEqual([
    `doubled: user ${user._id} has version 3`,
  ])
})

test('stuck: an operation that never ended is counted once, promised or not', () => {
  const pending = { ...operation, version: 1, body: { ...operation.body, status: 'pending' } }
  const waiting = { ...user, version: 1, body: { ...user.body, status: 'waiting' } }
  const given = facts([one], { operations: [pending], users: [waiting], records: records.slice(0, 2) })
  expect(audit(given)).toMatchObject({ lost: 0, doubled: 0, stuck: 1 })
  expect(audit({ ...given, asked: [{ ...asked, answers: [unknown] }] })).toMatchObject({ stuck: 1 })
})

test('wrong: who is on the deny list got an account', () => {
  const name = 'mallory'
  const kinds = found(
    facts([one], {
      asked: [{ ...asked, name }],
      operations: [{ ...operation, body: { ...operation.body, name } }],
      users: [{ ...user, body: { ...user.body, name } }],
    }),
  )
  expect(kinds).toEqual([
    `wrong: operation ${operation._id} of mallory is completed`,
    `wrong: user ${user._id} of the name mallory is approved`,
  ])
})

test('trace: what was refused each time is there', () => {
  expect(found(facts([one], { asked: [{ ...asked, answers: [refused, refused] }] }))).toEqual([
    `trace: operation ${operation._id} was refused each time`,
  ])
})

test('a key used for two wishes belongs to the first; the refusal of the second left nothing', () => {
  const second: Asked = { key: asked.key, name: 'other', answers: [{ kind: 'refused', status: 422 }] }
  expect(found(facts([one], { asked: [asked, second] }))).toEqual([])
  const other = {
    ...two.operation,
    body: { ...two.operation.body, idempotencyKey: asked.key, name: 'other' },
  }
  const given = facts([one, two], { asked: [asked, second], operations: [operation, other] })
  expect(found(given)).toContain(`trace: operation ${other._id} was refused each time`)
})

test('causeless: an operation that nobody asked for, and a user that no operation asked for', () => {
  expect(found(facts([one], { asked: [] }))).toEqual([
    `causeless: nobody asked for operation ${operation._id}`,
  ])
  const kinds = found(facts([one], { asked: [], operations: [] }))
  expect(kinds).toContain(`causeless: no operation asked for user ${user._id}`)
})

test.each([0, 1, 2])('causeless: an event whose cause (%i) was never told', (missing) => {
  const told = records.filter((_, index) => index !== missing)
  const [record] = records.slice(missing + 1) as [Recorded]
  const { topic, partition } = record
  expect(found(facts([one], { records: told }))).toContain(
    `causeless: ${topic}/${partition}/${record.offset} has no ${records[missing]?.topic}`,
  )
})

test('causeless: an operation that ended although nobody told it to', () => {
  expect(found(facts([one], { records: records.slice(0, 3) }))).toEqual([
    `causeless: operation ${operation._id} ended, and nobody told it to`,
  ])
})

test('gap: a second step without a first', () => {
  const told = records.filter(({ topic }) => topic !== 'user-approve')
  expect(found(facts([one], { records: told }))).toContain(`gap: users told ${user._id}:2`)
})

test('changed: the same id in different words, or what is no event at all', () => {
  const [create, approve, ...rest] = records
  const renamed = { ...create, offset: 97n, value: create.value.replace('hans', 'hanna') }
  expect(found(facts([one], { records: [create, renamed, approve, ...rest] }))).toEqual([
    `changed: user-create ${user._id}:1 was told in different words`,
  ])
  const retimed = { ...approve, offset: 96n, value: approve.value.replace(time, later) }
  expect(found(facts([one], { records: [create, approve, retimed, ...rest] }))).toEqual([
    `changed: user ${user._id} is not what was told of it`,
    `changed: user-approve ${user._id}:1 was told in different words`,
  ])
  const noise: Recorded = { topic: 'user-create', partition: 3, offset: 7n, value: 'noise' }
  expect(found(facts([one], { records: [...records, noise] }))).toEqual([
    'changed: user-create/3/7 is no event',
  ])
})

test('changed: a row that says another thing than was told of it, as the last of two writers leaves it', () => {
  const decidedAt = '2026-11-21T12:00:09.000Z'
  const overwritten = { ...user, body: { ...user.body, decidedAt } }
  expect(found(facts([one], { users: [overwritten] }))).toEqual([
    `changed: user ${user._id} is not what was told of it`,
  ])
  const rejected = { ...user, body: { ...user.body, status: 'rejected' } }
  expect(found(facts([one], { users: [rejected] }))).toContain(
    `changed: user ${user._id} is not what was told of it`,
  )
  const other = { ...operation, body: { ...operation.body, createdAt: later } }
  expect(found(facts([one], { operations: [other] }))).toEqual([
    `changed: operation ${operation._id} ended otherwise than it was told`,
  ])
})

test('untold: an outbox that was not emptied', () => {
  const full = { ...operation, outbox: [{}] }
  expect(found(facts([{ ...one, operation: full }]))).toEqual([
    `untold: operation ${operation._id} still has something to tell`,
  ])
})

test('dead: only what was poisoned on purpose is put aside, and all of it', () => {
  const poison: Recorded = { topic: 'user-create', partition: 3, offset: 7n, value: 'false' }
  const at = new Date(time)
  const metadata = { __partition: '3', __offset: '7' }
  const letter = recorded(
    deadLetter({ topic: 'user-create', listener: 'users', reason: 'not JSON', at, metadata }),
  )
  const poisoned = { poison: new Set(['false']) }
  expect(found(facts([one], { records: [...records, poison, letter], ...poisoned }))).toEqual([])
  expect(found(facts([one], { records: [...records, poison], ...poisoned }))).toEqual([
    'dead: poison at user-create/3/7 was not put aside',
  ])
  expect(found(facts([one], { records: [...records, letter] }))).toEqual([
    'dead: user-create/3/7 was put aside: not JSON',
  ])
})

test('a topic that is heard again brings answers again, and the same poison to the dead letters', () => {
  const poison: Recorded = { topic: 'user-create', partition: 3, offset: 7n, value: '""' }
  const put = { topic: 'user-create', listener: 'users', reason: 'not JSON', at: new Date(time) }
  const letter = () => recorded(deadLetter({ ...put, metadata: { __partition: '3', __offset: '7' } }))
  const again = records.slice(1).map((record, index) => ({ ...record, offset: 90n + BigInt(index) }))
  const heardTwice = [...records, poison, letter(), ...again.toReversed(), letter()]
  const given = facts([one], { records: heardTwice, poison: new Set(['""']) })
  expect(audit(given)).toMatchObject({ violations: [], counts: { repeats: 3, poisoned: 1, deadLetters: 2 } })
})

test('a violation comes with the whole path: the wish, both rows, every event', () => {
  const stuck = { ...operation, body: { ...operation.body, status: 'pending' } }
  const [violation] = audit(facts([{ ...one, operation: stuck }, two])).violations as [Violation]
  expect(violation.path).toEqual({
    asked: [asked],
    operations: [stuck],
    users: [user],
    records: records.map(({ topic, offset: place }) => {
      return expect.objectContaining({ topic, offset: String(place), id: expect.stringContaining(user._id) })
    }),
  })
})
