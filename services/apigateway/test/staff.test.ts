import { randomUUIDv7 } from 'node:crypto'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { door, kept, signIn, withToken } from './door.ts'

describe('the staff', () => {
  const wish = {
    name: 'Ship in a Bottle',
    description: 'Three masts.',
    category: 'toys',
    priceCents: 8900,
    tint: '#336699',
    openingPieces: 3,
  }

  test('puts goods and takes deliveries with the role that may', async () => {
    const { app, issuer, put } = await door()
    const headers = withToken(await issuer.token({ roles: ['admin'] }))
    expect((await request(app).put('/api/admin/goods/TOY-0700').set(headers).send(wish)).status).toBe(200)
    expect(put).toEqual([['TOY-0700', wish]])
    const delivery = { id: 'd-1', count: 5 }
    const delivered = request(app).post('/api/admin/stock/LMP-0101/deliveries').set(headers)
    expect((await delivered.send(delivery)).body).toEqual(delivery)
    expect((await request(app).put('/api/admin/goods/TOY-0700').set(headers).send({})).status).toBe(400)
  })

  test.each([
    ['put', '/api/admin/goods/TOY-0700'],
    ['put', '/api/admin/sales/long-night'],
    ['get', '/api/admin/stock/LMP-0101'],
    ['post', '/api/admin/stock/LMP-0101/deliveries'],
    ['get', '/api/admin/orders'],
    ['get', '/api/admin/reports'],
    ['get', '/api/admin/failures'],
    ['post', '/api/admin/failures/user-create.3.17/redrive'],
    ['post', '/api/Admin/failures/user-create.3.17/discard/'],
    ['get', '/api/admin/settings'],
    ['put', '/api/admin/settings'],
    ['post', `/api/admin/orders/${randomUUIDv7()}/packed`],
    ['post', `/API/admin/orders/${randomUUIDv7()}/cancel/`],
  ] as const)('%s %s: 401 for a guest, 403 for a customer', async (method, path) => {
    const { app, issuer, put } = await door()
    const stranger = await request(app)[method](path)
    expect(stranger.status).toBe(401)
    expect(stranger.headers['www-authenticate']).toBe('Bearer realm="tideshop"')
    for (const roles of [['customer'], [], ['ADMIN'], undefined, 'customer', { admin: true }]) {
      const customer = await request(app)
        [method](path)
        .set(withToken(await issuer.token({ roles })))
      expect({ status: customer.status, title: customer.body.title }).toEqual({
        status: 403,
        title: 'forbidden',
      })
    }
    expect(put).toEqual([])
  })

  test('of support looks at the stock, and adds nothing to it', async () => {
    const { app, issuer } = await door()
    const headers = withToken(await issuer.token({ roles: ['support'] }))
    expect((await request(app).get('/api/admin/stock/LMP-0101').set(headers)).status).toBe(200)
    expect((await request(app).post('/api/admin/stock/LMP-0101/deliveries').set(headers)).status).toBe(403)
  })

  test('is known by a session, too', async () => {
    const here = await door()
    here.issuer.state.claims = { roles: ['admin'] }
    const cookie = kept(await signIn(here))
    expect((await request(here.app).get('/api/admin/stock/LMP-0101').set({ cookie })).status).toBe(200)
  })
})
