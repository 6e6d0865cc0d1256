import { userApprove } from '@tideshop/contracts/users'
import { memoryBus } from '@tideshop/kit/memory'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { approvalsApp } from '../src/app.ts'
import { readDenyList } from '../src/approval.ts'

function questions(count: number, name = 'hans') {
  return Array.from({ length: count }, (_, index) => {
    const userId = `01a1fbf0-32ed-7f9a-b994-${String(index).padStart(12, '0')}`
    const data = { userId, name }
    return userApprove.tell({ subject: userId, version: 1, time: noon.toISOString(), data }).event
  })
}

function shop(workMs: number) {
  const bus = memoryBus()
  const app = approvalsApp({ ...quietParts('approvals', bus), workMs, denied: readDenyList('mallory') })
  const hear = (...records: unknown[]) =>
    request(app)
      .post('/events/user-approve')
      .send(delivery(...records))
  return { hear, bus }
}

test('every question gets its answer, in one batch', async () => {
  const { hear, bus } = shop(0)
  await hear(...questions(3), ...questions(1, 'mallory'))
  expect(bus.told.map(({ event }) => (event.data as { approved: boolean }).approved)).toEqual([
    true,
    true,
    true,
    false,
  ])
})

test('a batch waits side by side: a hundred decisions take little longer than one', async () => {
  const { hear } = shop(200)
  const began = performance.now()
  await hear(...questions(1))
  const one = performance.now() - began
  await hear(...questions(100))
  const hundred = performance.now() - began - one
  expect(one).toBeGreaterThanOrEqual(199)
  // A ratio in one run: one after the other would be a hundred times as long.
  expect(hundred / one).toBeLessThan(10)
})
