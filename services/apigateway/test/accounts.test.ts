import { randomUUIDv7 } from 'node:crypto'
import type { Baskets } from '@tideshop/clients/baskets'
import { askNobody } from '@tideshop/clients/test/nobody'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import type { BasketView } from '@tideshop/contracts/basket'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import { base64url, UnsecuredJWT } from 'jose'
import request from 'supertest'
import { describe, expect, onTestFinished, test } from 'vitest'
import { accountsOf } from '../src/accounts.ts'
import { gatewayApp } from '../src/app.ts'
import { accountIdOf } from '../src/customer.ts'
import { defaultLimits } from '../src/limits.ts'
import { AUDIENCE, CLIENT, fakeIssuer, newKey } from './fake-issuer.ts'
import { openSettings } from './open-settings.ts'

const KEPT_S = 3600

/** Baskets in memory, with no more room than so many goods. */
function memoryBaskets(room = 100) {
  const held = new Map<string, BasketView>()
  const find = async (id: string) => held.get(id) ?? { lines: [], voucherCodes: [] }
  const baskets: Baskets = {
    find,
    async change(id, change) {
      const { lines, voucherCodes } = await find(id)
      const others = (sku: string) => lines.filter((line) => line.sku !== sku)
      if (change.kind === 'put-line') {
        const { sku, quantity } = change
        if (others(sku).length >= room) throw new Refusal('conflict', 'full')
        held.set(id, { lines: [...others(sku), { sku, quantity }], voucherCodes })
      }
      if (change.kind === 'put-vouchers') held.set(id, { lines, voucherCodes: change.voucherCodes })
      if (change.kind === 'take-ordered') {
        const taken = JSON.stringify(change.lines)
        held.set(id, {
          lines: lines.filter((line) => !taken.includes(JSON.stringify(line))),
          voucherCodes: [],
        })
      }
      return { basket: await find(id), keptS: KEPT_S }
    },
  }
  return { baskets, held }
}

async function door({ room, limits = defaultLimits }: { room?: number; limits?: typeof defaultLimits } = {}) {
  const issuer = await fakeIssuer()
  onTestFinished(issuer.close)
  const { baskets, held } = memoryBaskets(room)
  const put: unknown[] = []
  const parts = quietParts('apigateway')
  const settings = { issuer: issuer.url, audience: AUDIENCE, clientId: CLIENT, rolesClaim: 'roles' }
  const app = gatewayApp({
    ...parts,
    ...askNobody,
    settings: openSettings,
    baskets,
    catalog: {
      ...shelfOf([lantern]),
      async putGood(sku, wish) {
        put.push([sku, wish])
        return lantern
      },
    },
    prices: {
      quote: async () => ({
        lines: [],
        discounts: [],
        subtotalCents: 0,
        totalCents: 0,
        vouchers: [],
        at: '',
      }),
    },
    stock: {
      read: async () => ({ free: 1, held: 0, sold: 0, received: 1 }),
      deliver: async (_sku, delivery) => delivery,
    },
    accounts: accountsOf(settings, parts.log),
    limits,
    newId: () => randomUUIDv7(),
  })
  const basketOf = (headers: Record<string, string>) => request(app).get('/api/basket').set(headers)
  return { app, issuer, held, put, basketOf, mine: accountIdOf(issuer.url, 'hans') }
}

type Door = Awaited<ReturnType<typeof door>>

function withToken(token: string) {
  return { authorization: `Bearer ${token}` }
}

const guest = (id: string) => ({ cookie: `tideshop-customer=${id}` })

/** What a browser keeps of an answer, for the next request. */
function kept(response: request.Response): string {
  const lines = (response.headers['set-cookie'] ?? []) as unknown as string[]
  return lines.map((line) => line.split(';')[0]).join('; ')
}

/** As a browser does it; resolves with the answer to its return. */
async function signIn({ app }: Door, { to = '/', cookie = '' } = {}): Promise<request.Response> {
  const host = '127.0.0.1:8080'
  const began = await request(app).get('/sign-in').query({ to }).set({ host, cookie })
  const back = await fetch(String(began.headers['location']), { redirect: 'manual' })
  const { pathname, search } = new URL(String(back.headers.get('location')))
  return request(app)
    .get(pathname + search)
    .set({ host, cookie: `${cookie}; ${kept(began)}` })
}

describe('a token', () => {
  test('of the issuer is the account that it names, and no other one’s basket', async () => {
    const { issuer, held, basketOf, app, mine } = await door()
    held.set(accountIdOf(issuer.url, 'greta'), {
      lines: [{ sku: 'LMP-0101', quantity: 9 }],
      voucherCodes: [],
    })
    const headers = withToken(await issuer.token())
    const changed = await request(app).put('/api/basket/lines/LMP-0101').set(headers).send({ quantity: 2 })
    expect(changed.status).toBe(200)
    // An account needs no cookie, and whoever reads it could not use it.
    expect(changed.headers).not.toHaveProperty('set-cookie')
    expect(held.get(mine)?.lines).toEqual([{ sku: 'LMP-0101', quantity: 2 }])
    expect((await basketOf(headers)).body.lines).toMatchObject([{ sku: 'LMP-0101', quantity: 2 }])
  })

  test.each<[string, (issuer: Door['issuer']) => Promise<string>]>([
    [
      'is signed by nobody (alg none)',
      async ({ url }) =>
        new UnsecuredJWT({ iss: url, aud: AUDIENCE, sub: 'hans' }).setExpirationTime('5m').encode(),
    ],
    [
      'is signed by the public key as if it were a secret (HS256)',
      async (issuer) => signedByPublicKey(issuer),
    ],
    ['is for somebody else', ({ token }) => token({ aud: 'urn:other' })],
    ['is an ID token, which is for the door alone', ({ token }) => token({ aud: CLIENT })],
    ['is over', ({ token }) => token({}, undefined, -60)],
    ['is not yet valid', ({ token }) => token({ nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['is of another issuer', ({ token }) => token({ iss: 'https://evil.example' })],
    ['never ends', ({ token }) => token({ exp: undefined })],
    ['is about nobody', ({ token }) => token({ sub: undefined })],
    ['is signed by a key that the issuer does not have', async ({ token }) => token({}, await newKey())],
    [
      'is signed by a strange key under the name of a right one',
      async ({ token, keys }) => token({}, { ...(await newKey()), kid: String(keys[0]?.kid) }),
    ],
    ['was tampered with', async ({ token }) => tampered(await token())],
    ['is no token', async () => 'abc'],
  ])('that %s is refused, everywhere', async (_, forge) => {
    const { app, issuer, held } = await door()
    const headers = withToken(await forge(issuer))
    for (const asked of [
      request(app).get('/api/basket'),
      request(app).put('/api/basket/lines/LMP-0101').send({ quantity: 1 }),
      request(app).put('/api/admin/goods/LMP-0101').send({}),
      request(app).get('/api/goods'),
    ]) {
      const answer = await asked.set(headers)
      expect({ status: answer.status, title: answer.body.title }).toEqual({
        status: 401,
        title: 'unauthenticated',
      })
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="tideshop", error="invalid_token"')
    }
    expect(held.size).toBe(0)
  })

  test('of a new key counts within a second, and one of the key before until it is over', async () => {
    const { issuer, basketOf } = await door()
    const old = await issuer.token()
    expect((await basketOf(withToken(old))).status).toBe(200)
    await issuer.rotate()
    const withNewKey = async () => (await basketOf(withToken(await issuer.token()))).status
    await expect.poll(withNewKey, { timeout: 5000 }).toBe(200)
    expect((await basketOf(withToken(old))).status).toBe(200)
  })

  test('is read while the issuer is away, if its key is known; one of an unknown key is refused', async () => {
    const { issuer, basketOf } = await door()
    const token = await issuer.token()
    expect((await basketOf(withToken(token))).status).toBe(200)
    issuer.close()
    expect((await basketOf(withToken(token))).status).toBe(200)
    expect((await basketOf(withToken(await issuer.token({}, await newKey())))).status).toBe(401)
  })

  test('of an issuer that never answered cannot be read for now, while guests go on', async () => {
    const { issuer, basketOf } = await door()
    const token = await issuer.token()
    issuer.close()
    const answer = await basketOf(withToken(token))
    expect({ status: answer.status, retry: answer.headers['retry-after'] }).toEqual({
      status: 503,
      retry: '1',
    })
    expect((await basketOf({})).status).toBe(200)
  })

  test('with an unknown key does not hammer the issuer', async () => {
    const { issuer, basketOf } = await door()
    const strange = await issuer.token({}, await newKey())
    for (let nth = 0; nth < 50; nth += 1) await basketOf(withToken(strange))
    // The first look, and one for each second that this takes.
    expect(issuer.state.fetched).toBeLessThanOrEqual(5)
  })
})

function tampered(token: string): string {
  const [head, body = '', signature] = token.split('.')
  const claims = {
    ...JSON.parse(new TextDecoder().decode(base64url.decode(body))),
    sub: 'greta',
    roles: ['admin'],
  }
  return [head, base64url.encode(JSON.stringify(claims)), signature].join('.')
}

async function signedByPublicKey({ url, keys: [key] }: Door['issuer']): Promise<string> {
  const { SignJWT } = await import('jose')
  const secret = Buffer.from(key?.publicKey.export({ type: 'spki', format: 'pem' }) as string)
  return new SignJWT({ iss: url, aud: AUDIENCE, sub: 'hans', roles: ['admin'] })
    .setProtectedHeader({ alg: 'HS256', kid: String(key?.kid) })
    .setExpirationTime('5m')
    .sign(secret)
}

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

test('an account has one id for ever, another for each issuer and subject, and none that a guest can have', () => {
  expect(accountIdOf('http://a', 'b')).toBe(accountIdOf('http://a', 'b'))
  const ids = [accountIdOf('http://a', 'b'), accountIdOf('http://ab', ''), accountIdOf('http://a', 'c')]
  expect(new Set(ids).size).toBe(3)
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
