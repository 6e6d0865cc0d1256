import { reportsThrough } from '@tideshop/clients/reports'
import { httpApp } from '@tideshop/kit/http'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { showReports } from '../src/reports.ts'

const page = { reports: [{ day: '2026-11-21' }], next: '2026-11-21' }

function door(answer: Invoke) {
  return httpApp(quietParts('apigateway'), (app) => {
    app.get('/api/admin/reports', showReports(reportsThrough(answer, 0)))
  })
}

test('the reports of jobs are shown page by page, and kept by nobody on the way', async () => {
  const asked: unknown[] = []
  const app = door(async (...call) => {
    asked.push(call)
    return { status: 200, said: page }
  })
  const { status, body, headers } = await request(app).get('/api/admin/reports?limit=1&after=2026-11-22')
  expect({ status, body, cache: headers['cache-control'] }).toEqual({
    status: 200,
    body: page,
    cache: 'private, no-store',
  })
  expect(asked).toEqual([['jobs', 'GET', 'reports?after=2026-11-22&limit=1']])
})

test.each(['limit=0', 'after=monday', 'day=2026-11-21'])(
  '?%s is refused, and wakes nobody',
  async (query) => {
    const app = door(() => expect.unreachable())
    expect((await request(app).get(`/api/admin/reports?${query}`)).status).toBe(400)
  },
)

test('while jobs is away so are the reports', async () => {
  const app = door(() => Promise.reject(new Refusal('unavailable', 'jobs does not answer')))
  expect((await request(app).get('/api/admin/reports')).status).toBe(503)
})
