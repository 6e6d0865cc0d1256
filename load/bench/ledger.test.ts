import { expect, test } from 'vitest'
import { isSound, Ledger, type Promised, type StoredUser } from './ledger.ts'
import { DENIED_NAME, type StoredOperation, type Wish } from './wishes.ts'

const hans: Wish = { operationId: 'o1', userId: 'u1', name: 'hans' }
const mallory: Wish = { operationId: 'o2', userId: null, name: DENIED_NAME }

function operation(
  id: string,
  userId: string,
  name: string,
  more: Partial<StoredOperation> = {},
): StoredOperation {
  const status = name === DENIED_NAME ? 'failed' : 'completed'
  return { _id: id, version: 2, body: { id, kind: 'user-create', name, userId, status }, outbox: [], ...more }
}

function user(id: string, operationId: string, name: string): StoredUser {
  const status = name === DENIED_NAME ? 'rejected' : 'approved'
  return { _id: id, version: 2, body: { operationId, name, status } }
}

const ended = [operation('o1', 'u1', 'hans'), operation('o2', 'u2', DENIED_NAME)]
const made = [user('u1', 'o1', 'hans'), user('u2', 'o2', DENIED_NAME)]

function audit(operations: StoredOperation[], users: StoredUser[], more: Partial<Promised> = {}) {
  const accepted = new Map([hans, mallory].map((wish) => [wish.operationId, wish]))
  const ledger = new Ledger({ accepted, unknown: 0, deadLetters: 0, ...more })
  for (const row of operations) ledger.operation(row)
  for (const row of users) ledger.user(row)
  return ledger.close()
}

test('what ended once, as it should, by one user each, is sound', () => {
  expect(isSound(audit(ended, made))).toBe(true)
})

test('an accepted operation that is not in the store is lost, and so is a user who never came', () => {
  expect(audit(ended.slice(0, 1), made.slice(0, 1))).toMatchObject({ lost: 1, doubled: 0 })
  expect(audit(ended, made.slice(0, 1))).toMatchObject({ lost: 1 })
})

test('a second user, a version too many and an operation nobody asked for are doubled', () => {
  expect(audit(ended, [...made, user('u3', 'o1', 'hans')])).toMatchObject({ doubled: 1 })
  expect(audit([{ ...operation('o1', 'u1', 'hans'), version: 3 }, ...ended.slice(1)], made).doubled).toBe(1)
  const stranger = [operation('o9', 'u9', 'eve'), user('u9', 'o9', 'eve')] as const
  expect(audit([...ended, stranger[0]], [...made, stranger[1]])).toMatchObject({ doubled: 1 })
  expect(isSound(audit([...ended, stranger[0]], [...made, stranger[1]], { unknown: 1 }))).toBe(true)
})

test('what is pending, or has something to tell, is stuck', () => {
  const pending = operation('o1', 'u1', 'hans', { version: 1 })
  pending.body.status = 'pending'
  expect(audit([pending, ...ended.slice(1)], made)).toMatchObject({ stuck: 1, doubled: 0 })
  expect(audit([operation('o1', 'u1', 'hans', { outbox: [{}] }), ...ended.slice(1)], made).stuck).toBe(1)
})

test('another end, another user or another name than was offered is wrong', () => {
  const failed = operation('o1', 'u1', 'hans')
  failed.body.status = 'failed'
  expect(audit([failed, ...ended.slice(1)], made).wrong).toBe(1)
  const another = [operation('o1', 'u7', 'hans'), ...ended.slice(1)]
  expect(audit(another, [user('u7', 'o1', 'hans'), ...made.slice(1)]).wrong).toBe(1)
})

test('a dead letter is never sound', () => {
  expect(isSound(audit(ended, made, { deadLetters: 1 }))).toBe(false)
})
