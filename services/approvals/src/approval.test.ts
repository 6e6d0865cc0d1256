import { userApprove } from '@tideshop/contracts/users'
import type { Event } from '@tideshop/kit/event'
import { expect, test } from 'vitest'
import { decideApproval, readDenyList } from './approval.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const denied = readDenyList(' Mallory , eve,')

function question(name: string) {
  const data = { userId: 'u-1', name }
  return userApprove.tell({ subject: 'u-1', version: 1, time: noon.toISOString(), data }).event as Event<
    typeof data
  >
}

test('everybody is approved', () => {
  const { topic, event } = decideApproval(question('hans'), denied, noon)
  expect({ topic, data: event.data }).toEqual({
    topic: 'user-approve-response',
    data: { userId: 'u-1', approved: true },
  })
})

test.each(['mallory', 'MALLORY', ' Eve '])('but not %s, and the reason is said', (name) => {
  expect(decideApproval(question(name), denied, noon).event.data).toMatchObject({
    approved: false,
    reason: expect.stringContaining('deny list'),
  })
})

test('a question asked twice has one answer, by its id', () => {
  const ids = [1, 2].map(() => decideApproval(question('hans'), denied, new Date()).event.id)
  expect(ids).toEqual(['u-1:1', 'u-1:1'])
})

test('an empty list denies nobody', () => {
  expect(readDenyList('').size).toBe(0)
})
