import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import type { Event } from '@tideshop/kit/event'
import { expect, test } from 'vitest'
import { decideUser, registerUser } from './user.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const later = new Date('2026-11-21T12:00:05Z')
const time = noon.toISOString()

function asked(operationId = 'o-1') {
  const data = { operationId, userId: 'u-1', name: 'hans' }
  return userCreate.tell({ subject: 'u-1', version: 1, time, data }).event as Event<typeof data>
}

function verdict(approved: boolean, reason?: string) {
  const data = { userId: 'u-1', approved, ...(reason !== undefined && { reason }) }
  return userApproveResponse.tell({ subject: 'u-1', version: 1, time, data }).event as Event<typeof data>
}

const waiting = registerUser(null, asked(), noon).next
const approved = decideUser(waiting, verdict(true), noon).next

test('a new user waits for a decision and asks for it', () => {
  const { next, tell } = registerUser(null, asked(), noon)
  expect(next).toEqual({ id: 'u-1', operationId: 'o-1', name: 'hans', createdAt: time, status: 'waiting' })
  expect(tell).toMatchObject([
    { topic: 'user-approve', event: { id: 'u-1:1', data: { userId: 'u-1', name: 'hans' } } },
  ])
})

test('asking twice makes one user and asks for approval in the same words', () => {
  const again = registerUser(waiting, asked(), later)
  expect(again.next).toBe(waiting)
  expect(again.tell).toEqual(registerUser(null, asked(), noon).tell)
})

test('a user whose question was answered is not asked about again', () => {
  expect(registerUser(approved, asked(), later)).toEqual({ next: approved, tell: [] })
})

test('one user cannot belong to two operations', () => {
  expect(() => registerUser(waiting, asked('o-2'), later)).toThrow(/another operation/)
})

test('an approved user is told to the operation', () => {
  const { next, tell } = decideUser(waiting, verdict(true), later)
  expect(next).toMatchObject({ status: 'approved', decidedAt: later.toISOString() })
  expect(tell).toMatchObject([
    { topic: 'user-create-response', event: { id: 'u-1:2', data: { operationId: 'o-1', approved: true } } },
  ])
})

test('a rejected user is told with the reason', () => {
  const { next, tell } = decideUser(waiting, verdict(false, 'on the deny list'), later)
  expect(next).toMatchObject({ status: 'rejected', reason: 'on the deny list' })
  expect(tell).toMatchObject([{ event: { data: { approved: false, reason: 'on the deny list' } } }])
})

test('the first decision counts, and a second one hears it again in the same words', () => {
  const first = decideUser(waiting, verdict(true), noon)
  const second = decideUser(first.next, verdict(false, 'changed my mind'), later)
  expect(second).toEqual({ next: first.next, tell: first.tell })
})

test('a decision about nobody is refused', () => {
  expect(() => decideUser(null, verdict(true), noon)).toThrow(/no user/)
})
