import { base64url, UnsecuredJWT } from 'jose'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { accountIdOf } from '../src/customer.ts'
import { type Door, door, withToken } from './door.ts'
import { AUDIENCE, CLIENT, newKey } from './fake-issuer.ts'

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

test('an account has one id for ever, another for each issuer and subject, and none that a guest can have', () => {
  expect(accountIdOf('http://a', 'b')).toBe(accountIdOf('http://a', 'b'))
  const ids = [accountIdOf('http://a', 'b'), accountIdOf('http://ab', ''), accountIdOf('http://a', 'c')]
  expect(new Set(ids).size).toBe(3)
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
