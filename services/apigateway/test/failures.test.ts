import { failuresThrough } from '@tideshop/clients/failures'
import type { FailureView } from '@tideshop/contracts/failures'
import { httpApp } from '@tideshop/kit/http'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { administerFailures } from '../src/failures.ts'

const id = 'user-create.3.17'
const time = noon.toISOString()
const failure: FailureView = {
  ...{ id, topic: 'user-create', partition: 3, offset: '17', key: null, listener: 'users', time },
  ...{ reason: 'not JSON', payload: null, state: 'redriven', since: time },
}

function door(answer: Invoke) {
  return httpApp(quietParts('apigateway'), (app) => administerFailures(app, failuresThrough(answer, 0)))
}

test('the failures of jobs are shown page by page, and kept by nobody on the way', async () => {
  const asked: unknown[] = []
  const page = { failures: [failure], next: `${time}~${id}` }
  const app = door(async (...call) => {
    asked.push(call)
    return { status: 200, said: page }
  })
  const { status, body, headers } = await request(app).get('/api/admin/failures').query({ after: page.next })
  expect({ status, body, cache: headers['cache-control'] }).toEqual({
    status: 200,
    body: page,
    cache: 'private, no-store',
  })
  expect(asked).toEqual([['jobs', 'GET', `failures?${new URLSearchParams({ after: page.next })}&limit=20`]])
})

test.each(['redrive', 'discard'])('%s is asked of jobs by the id in a body', async (step) => {
  const asked: unknown[] = []
  const app = door(async (...call) => {
    asked.push(call)
    return { status: 200, said: failure }
  })
  expect((await request(app).post(`/api/admin/failures/${id}/${step}`)).body).toEqual(failure)
  expect(asked).toEqual([['jobs', 'POST', 'failures/settle', { id, step }]])
})

test('what jobs refuses is refused in its words', async () => {
  const said = { title: 'conflict', status: 409, detail: 'it is discarded already' }
  const { status, body } = await request(door(async () => ({ status: 409, said }))).post(
    `/api/admin/failures/${id}/redrive`,
  )
  expect({ status, body }).toEqual({ status: 409, body: said })
})

test('rubbish is refused, and wakes nobody', async () => {
  const app = door(() => expect.unreachable())
  for (const query of ['limit=0', 'after=17', `after=${time}~`, 'state=open']) {
    expect((await request(app).get(`/api/admin/failures?${query}`)).status).toBe(400)
  }
  for (const wrong of ['17', 'user-create', 'user-create.x.17', `${id}.1`, '%00']) {
    expect((await request(app).post(`/api/admin/failures/${wrong}/redrive`)).status).toBe(400)
  }
  expect((await request(app).post(`/api/admin/failures/${id}/forget`)).status).toBe(404)
})

test('while jobs is away so is the table', async () => {
  const app = door(() => Promise.reject(new Refusal('unavailable', 'jobs does not answer')))
  expect((await request(app).get('/api/admin/failures')).status).toBe(503)
})
