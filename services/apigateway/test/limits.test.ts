import { randomUUIDv7 } from 'node:crypto'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { door, guest, withToken } from './door.ts'

describe('limits', () => {
  const limits = { changes: { perS: 1, burst: 3 }, signIns: { perS: 0.5, burst: 2 } }

  test('who changes too often is told for how long to wait, and others go on', async () => {
    const { app, issuer } = await door({ limits })
    const one = guest(randomUUIDv7())
    const change = (headers: Record<string, string>) =>
      request(app).put('/api/basket/lines/LMP-0101').set(headers).send({ quantity: 1 })
    const statuses = []
    for (let nth = 0; nth < 4; nth += 1) statuses.push((await change(one)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const refused = await change(one)
    expect(refused.type).toBe('application/problem+json')
    expect(refused.body).toMatchObject({ title: 'too-many', status: 429 })
    expect(refused.headers['retry-after']).toBe('1')
    expect((await request(app).get('/api/basket').set(one)).status).toBe(200)
    expect((await change(guest(randomUUIDv7()))).status).toBe(200)
    expect((await change(withToken(await issuer.token()))).status).toBe(200)
  })

  test('who has no id is not counted: the shop is open to anybody', async () => {
    const { app } = await door({ limits })
    for (let nth = 0; nth < 10; nth += 1)
      expect((await request(app).put('/api/basket/lines/LMP-0101').send({ quantity: 1 })).status).toBe(200)
  })

  test('sign-ins are counted by address', async () => {
    const { app } = await door({ limits })
    const begin = () => request(app).get('/sign-in').set({ 'x-forwarded-for': randomUUIDv7() })
    expect([(await begin()).status, (await begin()).status]).toEqual([303, 303])
    const refused = await begin()
    expect({ status: refused.status, retry: refused.headers['retry-after'] }).toEqual({
      status: 429,
      retry: '2',
    })
  })
})
