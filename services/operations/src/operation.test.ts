import { operationView } from '@tideshop/contracts/operations'
import { userCreateResponse } from '@tideshop/contracts/users'
import type { Event } from '@tideshop/kit/event'
import { expect, test } from 'vitest'
import { beginOperation, endOperation, repeatOperation, viewOperation } from './operation.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const operationId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'
const userId = '01a1fbf0-32ed-7f9a-b994-24953d0679b3'
const command = {
  operationId,
  userId,
  kind: 'user-create',
  body: { name: 'hans' },
  idempotencyKey: 'k-1',
} as const
const { operation: pending, tell } = beginOperation(command, noon)

function answer(approved: boolean, change: { reason?: string; userId?: string } = {}) {
  const data = { operationId, userId, createdAt: noon.toISOString(), approved, ...change }
  return userCreateResponse.tell({ subject: userId, version: 2, time: data.createdAt, data }).event as Event<
    typeof data
  >
}

test('an operation begins pending and asks for a user that it has named itself', () => {
  expect(pending).toMatchObject({ id: operationId, userId, status: 'pending', idempotencyKey: 'k-1' })
  expect(tell).toMatchObject({
    topic: 'user-create',
    event: { id: `${userId}:1`, subject: userId, data: { operationId, userId, name: 'hans' } },
  })
})

test('the same request is the same operation, another one may not use its key', () => {
  expect(repeatOperation(pending, { ...pending, id: 'other' })).toBe(pending)
  expect(() => repeatOperation(pending, { ...pending, name: 'greta' })).toThrow(/another body/)
})

test('it ends once: the first answer counts', () => {
  const completed = endOperation(pending, answer(true)).next
  expect(completed).toMatchObject({ status: 'completed' })
  expect(endOperation(completed, answer(false)).next).toBe(completed)
})

test('an answer to nobody, or about another user, is refused', () => {
  expect(() => endOperation(null, answer(true))).toThrow(/no operation/)
  expect(() => endOperation(pending, answer(true, { userId: operationId }))).toThrow(/another user/)
})

test('a caller sees it pending, completed or failed with the reason', () => {
  const completed = endOperation(pending, answer(true)).next
  const failed = endOperation(pending, answer(false, { reason: 'on the deny list' })).next
  const user = { name: 'hans', uuid: userId, createdAt: noon.toISOString() }

  expect(viewOperation(pending)).toEqual({
    uuid: operationId,
    type: 'user-create',
    state: 'pending',
    data: { name: 'hans' },
    response: { state: 'pending' },
  })
  expect(viewOperation(completed)).toMatchObject({ state: 'completed', data: { ...user, approved: 'true' } })
  expect(viewOperation(failed)).toMatchObject({
    state: 'failed',
    data: { ...user, approved: 'false' },
    response: { state: 'failed', error: 'on the deny list' },
    error: 'on the deny list',
  })
  for (const one of [pending, completed, failed])
    expect(operationView.parse(viewOperation(one))).toEqual(viewOperation(one))
})
