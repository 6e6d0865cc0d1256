import { randomUUIDv7 } from 'node:crypto'
import { askNobody } from '@tideshop/clients/test/nobody'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { door, guest, kept, signIn, withToken } from './door.ts'
import { CLIENT, newKey } from './fake-issuer.ts'
import { openSettings } from './open-settings.ts'

describe('a guest', () => {
  test('has no basket of an account, even with its id in the cookie', async () => {
    const { held, basketOf, mine, app } = await door()
    held.set(mine, { lines: [{ sku: 'LMP-0101', quantity: 9 }], voucherCodes: [] })
    expect((await basketOf(guest(mine))).body.lines).toEqual([])
    await request(app).delete('/api/basket').set(guest(mine))
    await request(app).put('/api/basket/lines/LMP-0102').set(guest(mine)).send({ quantity: 1 })
    expect(held.get(mine)?.lines).toEqual([{ sku: 'LMP-0101', quantity: 9 }])
  })

  test('cannot sign in with a session that he made himself, and stays who he is', async () => {
    const { issuer, held, basketOf } = await door()
    const id = randomUUIDv7()
    held.set(id, { lines: [{ sku: 'LMP-0101', quantity: 3 }], voucherCodes: [] })
    for (const session of ['x', await issuer.token({ aud: CLIENT }, await newKey()), await issuer.token()]) {
      const answer = await basketOf({ cookie: `tideshop-session=${session}; tideshop-customer=${id}` })
      expect(answer.body.lines).toMatchObject([{ quantity: 3 }])
      expect(kept(answer)).toBe('tideshop-session=')
    }
  })

  test('becomes the account by signing in, and comes back to the page where he was', async () => {
    const here = await door()
    const { body, headers } = await signIn(here, { to: '/checkout?a=b' })
    expect({ body, location: headers['location'] }).toEqual({ body: {}, location: '/checkout?a=b' })
    const [cookie] = (headers['set-cookie'] as unknown as string[]).filter((line) =>
      line.startsWith('tideshop-session'),
    )
    expect(cookie).toMatch(/; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
    here.held.set(here.mine, { lines: [{ sku: 'LMP-0101', quantity: 4 }], voucherCodes: [] })
    expect((await here.basketOf({ cookie: String(cookie) })).body.lines).toMatchObject([{ quantity: 4 }])
  })

  test.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:x',
    '/\t/evil.example',
    '',
  ])('is not sent to %j by a link that begins a sign-in', async (to) => {
    const { app } = await door()
    expect((await request(app).get('/sign-in').query({ to })).status).toBe(400)
  })

  test('takes the basket along, but not over what the account has; twice is once', async () => {
    const here = await door()
    const id = randomUUIDv7()
    const line = (sku: string, quantity: number) => ({ sku, quantity })
    here.held.set(id, { lines: [line('LMP-0101', 1), line('TAB-0101', 2)], voucherCodes: ['FIVER'] })
    here.held.set(here.mine, { lines: [line('LMP-0101', 7)], voucherCodes: [] })
    for (const _ of ['once', 'twice']) {
      await signIn(here, guest(id))
      expect(here.held.get(here.mine)).toEqual({
        lines: [line('LMP-0101', 7), line('TAB-0101', 2)],
        voucherCodes: ['FIVER'],
      })
      expect(here.held.get(id)).toEqual({ lines: [], voucherCodes: [] })
    }
  })

  test('keeps what the account’s basket has no room for', async () => {
    const here = await door({ room: 1 })
    const id = randomUUIDv7()
    here.held.set(id, {
      lines: ['A-1', 'B-1', 'C-1'].map((sku) => ({ sku: `X${sku}`, quantity: 1 })),
      voucherCodes: [],
    })
    expect((await signIn(here, guest(id))).status).toBe(303)
    expect(here.held.get(here.mine)?.lines.map(({ sku }) => sku)).toEqual(['XA-1'])
    expect(here.held.get(id)?.lines.map(({ sku }) => sku)).toEqual(['XB-1', 'XC-1'])
  })

  test('cannot be signed in by what another browser began', async () => {
    const here = await door()
    const began = await request(here.app).get('/sign-in')
    const other = await request(here.app).get('/sign-in')
    const back = await fetch(String(began.headers['location']), { redirect: 'manual' })
    const { pathname, search } = new URL(String(back.headers.get('location')))
    for (const cookie of ['', kept(other), 'tideshop-sign-in=eyJ4IjoxfQ']) {
      const answer = await request(here.app)
        .get(pathname + search)
        .set({ cookie })
      expect({ status: answer.status, session: /tideshop-session/.test(kept(answer)) }).toEqual({
        status: 400,
        session: false,
      })
    }
  })

  test('signs in by https with cookies that go by https only', async () => {
    const { app } = await door()
    const began = await request(app)
      .get('/sign-in')
      .set({ 'x-forwarded-proto': 'https', host: 'shop.example' })
    expect(String(began.headers['set-cookie'])).toMatch(/; Path=\/sign-in; .*HttpOnly; Secure; SameSite=Lax$/)
    const asked = new URL(String(began.headers['location'])).searchParams
    expect(asked.get('redirect_uri')).toBe('https://shop.example/sign-in/return')
    expect(asked.get('code_challenge_method')).toBe('S256')
  })

  test('signs out here and at the issuer, but not by a link of another site', async () => {
    const here = await door()
    const cookie = kept(await signIn(here))
    const elsewhere = await request(here.app).get('/sign-out').set({ cookie, 'sec-fetch-site': 'cross-site' })
    expect(elsewhere.status).toBe(403)
    const { headers } = await request(here.app).get('/sign-out').set({ cookie, host: 'shop.example' })
    expect(headers['location']).toMatch(`${here.issuer.url}/end?`)
    expect(headers['location']).toContain(encodeURIComponent('http://shop.example/'))
    expect(String(headers['set-cookie'])).toMatch(/^tideshop-session=; Path=\/; Expires=Thu, 01 Jan 1970/)
  })

  test('is told when the issuer does not let him in, or is away', async () => {
    const here = await door()
    const began = await request(here.app).get('/sign-in')
    const state = new URL(String(began.headers['location'])).searchParams.get('state')
    const query = { error: 'access_denied', state, iss: here.issuer.url }
    const refused = await request(here.app)
      .get('/sign-in/return')
      .query(query)
      .set({ cookie: kept(began) })
    expect(refused.status).toBe(400)
    const away = await door()
    away.issuer.close()
    expect((await request(away.app).get('/sign-in')).status).toBe(503)
  })
})

test('a shop without an issuer has guests only', async () => {
  const { issuer } = await door()
  const app = gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    newId: () => randomUUIDv7(),
  })
  expect(
    (
      await request(app)
        .get('/api/basket')
        .set(withToken(await issuer.token()))
    ).status,
  ).toBe(401)
  expect((await request(app).get('/sign-in')).status).toBe(404)
  expect((await request(app).get('/api/admin/stock/LMP-0101')).status).toBe(401)
})
