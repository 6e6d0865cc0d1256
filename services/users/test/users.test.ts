import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { memoryBus, memoryRows } from '@tideshop/kit/memory'
import { delivery, noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { usersApp } from '../src/app.ts'
import { userStore } from '../src/store.ts'
import type { User } from '../src/user.ts'

const operationId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'
const userId = '01a1fbf0-32ed-7f9a-b994-24953d0679b3'
const time = noon.toISOString()
const asked = userCreate.tell({
  subject: userId,
  version: 1,
  time,
  data: { operationId, userId, name: 'hans' },
}).event
const approved = userApproveResponse.tell({
  subject: userId,
  version: 1,
  time,
  data: { userId, approved: true },
}).event

function shop(bus = memoryBus()) {
  const rows = memoryRows<User>()
  return { app: usersApp({ ...quietParts('users', bus), users: userStore(rows) }), rows, bus }
}

async function hear({ app }: ReturnType<typeof shop>, topic: string, ...records: unknown[]) {
  const { body } = await request(app)
    .post(`/events/${topic}`)
    .send(delivery(...records))
  return body.statuses.map(({ status }: { status: string }) => status)
}

test('a user is made, decided on and told about, whatever comes twice', async () => {
  const here = shop()
  expect(await hear(here, 'user-create', asked, asked)).toEqual(['SUCCESS', 'SUCCESS'])
  expect(await hear(here, 'user-create', asked)).toEqual(['SUCCESS'])
  expect(await hear(here, 'user-approve-response', approved, approved)).toEqual(['SUCCESS', 'SUCCESS'])

  expect(here.rows.all()).toMatchObject([
    { id: userId, version: 2, body: { status: 'approved', operationId } },
  ])
  const ids = here.bus.told.map(({ topic, event }) => `${topic} ${event.id}`)
  expect([...new Set(ids)]).toEqual([`user-approve ${userId}:1`, `user-create-response ${userId}:2`])
})

test('a decision about nobody is put aside', async () => {
  const here = shop()
  expect(await hear(here, 'user-approve-response', approved)).toEqual(['SUCCESS'])
  expect(here.bus.told).toMatchObject([{ topic: 'user-approve-response.dead' }])
})

test('a user who could not be told about comes again, and then is', async () => {
  let away = true
  const here = shop(memoryBus(() => away))
  expect(await hear(here, 'user-create', asked)).toEqual(['RETRY'])
  away = false
  expect(await hear(here, 'user-create', asked)).toEqual(['SUCCESS'])
  expect(here.rows.all()).toMatchObject([{ version: 1 }])
  expect(here.bus.told).toHaveLength(1)
})
