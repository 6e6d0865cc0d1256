import { randomUUID } from 'node:crypto'
import { pricedBasket } from '@tideshop/contracts/basket'
import { expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type Answer, ask, ended, promiseFor } from './door.ts'
import { neededMb } from './memory.ts'
import { openShop } from './open-shop.ts'

/** Seconds for which a key signs: so few that a test sees the next one. */
const KEY_EVERY_S = 3
const SOON = { timeout: 30_000, interval: 100 }
const STAFF_SECRET = 'for-development-only'

const shop = await openShop({ issuer: true, env: { KEY_EVERY_S: String(KEY_EVERY_S) } })

async function registered(name: string): Promise<string> {
  const { uuid } = await ended(shop, await promiseFor(shop, name))
  return uuid
}

async function token(form: Record<string, string>, staff?: string): Promise<string> {
  const response = await fetch(`${shop.issuerUrl}/token`, {
    method: 'POST',
    headers: { ...(staff && { authorization: `Basic ${btoa(`${staff}:${STAFF_SECRET}`)}` }) },
    body: new URLSearchParams(form),
  })
  const said = (await response.json()) as { access_token?: string }
  return said.access_token ?? `none: ${JSON.stringify(said)}`
}

function ofStaff(name: string): Promise<string> {
  return token({ grant_type: 'client_credentials' }, name)
}

function ofCustomer(registration: string): Promise<string> {
  return token({ grant_type: 'urn:tideshop:registration', client_id: 'tideshop', registration })
}

function send(method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  return ask(shop, path, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
}

function bearer(jwt: string) {
  return { authorization: `Bearer ${jwt}` }
}

/** Whoever is about to sign in stands on the issuer's page. */
async function onSignInPage(browser: Browser, path: string) {
  const { status, text } = await browser.go(shop.url + path)
  expect({ status, isThere: browser.url.startsWith(`${shop.issuerUrl}/interaction/`) }).toEqual({
    status: 200,
    isThere: true,
  })
  return { page: browser.url, text }
}

async function skusOf(headers: Record<string, string>): Promise<string[]> {
  let seen: Answer['body'] = {}
  const look = async () => {
    const { status, body } = await send('GET', '/api/basket', headers)
    seen = body
    return status
  }
  // The first call through a sidecar may be too slow on a busy machine, and is 503 then.
  await expect.poll(look, SOON).toBe(200)
  return pricedBasket.parse(seen).lines.map(({ sku }) => sku)
}

test('who registered and was approved signs in, with the basket that was filled before, and out again', async () => {
  const registration = await registered('hans')
  const browser = new Browser()
  const cookie = () => ({ cookie: browser.cookiesFor(shop.url) })
  const filled = await send('PUT', '/api/basket/lines/LMP-0101', {}, { quantity: 2 })
  browser.keep(shop.url, filled.headers)
  const guest = cookie()

  const { page, text } = await onSignInPage(browser, `/sign-in?to=/docs&hint=${registration}`)
  expect(text).toContain(registration)
  expect((await browser.go(page, { registration })).status).toBe(200)
  expect(browser.url).toBe(`${shop.url}/docs`)
  expect(await skusOf(cookie())).toEqual(['LMP-0101'])
  expect(await skusOf(guest)).toEqual([])

  // The same person from a script: one account, one basket.
  await send('PUT', '/api/basket/lines/TAB-0101', bearer(await ofCustomer(registration)), { quantity: 1 })
  expect(await skusOf(cookie())).toEqual(['LMP-0101', 'TAB-0101'])
  const other = await ofCustomer(await registered('greta'))
  expect(await skusOf(bearer(other))).toEqual([])

  await browser.go(`${shop.url}/sign-out`)
  expect(browser.url).toContain(shop.issuerUrl)
  expect(cookie()).toEqual(guest)
  expect(await skusOf(cookie())).toEqual([])
})

test('who was not approved, or is not registered, cannot sign in', async () => {
  const mallory = await registered('mallory')
  for (const registration of [mallory, '0199aaaa-0000-7000-8000-000000000000', 'hans']) {
    const browser = new Browser()
    const { page } = await onSignInPage(browser, '/sign-in')
    const { status, text } = await browser.go(page, { registration })
    expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('role="alert"') })
    expect(browser.cookiesFor(shop.url)).not.toContain('tideshop-session')
    expect(await ofCustomer(registration)).toMatch(/^none/)
  }
})

test('the administrator puts a good on sale and takes a delivery; a customer and a guest cannot', async () => {
  const good = {
    name: 'Ship in a Bottle',
    description: 'Three masts, folded in by hand.',
    category: 'toys',
    priceCents: 8900,
    tint: '#336699',
    openingPieces: 3,
  }
  const put = (headers: Record<string, string>) => send('PUT', '/api/admin/goods/TOY-0700', headers, good)
  const customer = bearer(await ofCustomer(await registered('hans')))
  expect((await put({})).status).toBe(401)
  expect((await put(customer)).status).toBe(403)
  expect((await ask(shop, '/api/goods/TOY-0700')).status).toBe(404)

  const admin = bearer(await ofStaff('administrator'))
  expect(await put(admin)).toMatchObject({ status: 200, body: { sku: 'TOY-0700', version: 1 } })
  expect(await put(admin)).toMatchObject({ status: 200, body: { version: 1 } })
  expect((await ask(shop, '/api/goods/TOY-0700')).status).toBe(200)
  const delivery = { id: randomUUID(), count: 5 }
  for (const _ of ['once', 'twice']) {
    const delivered = await send('POST', '/api/admin/stock/TOY-0700/deliveries', admin, delivery)
    expect(delivered).toMatchObject({ status: 200, body: delivery })
  }
  const stock = await send('GET', '/api/admin/stock/TOY-0700', bearer(await ofStaff('support')))
  expect(stock).toMatchObject({ status: 200, body: { free: 8, received: 8 } })
  expect((await send('GET', '/api/admin/stock/NONE-1', admin)).status).toBe(404)
})

test('an order is the account’s: others do not find it, and support sees it and says how far it is', async () => {
  const hans = bearer(await ofCustomer(await registered('hans')))
  const greta = bearer(await ofCustomer(await registered('greta')))
  const support = bearer(await ofStaff('support'))
  await send('PUT', '/api/basket/lines/LMP-0101', hans, { quantity: 1 })
  const wish = { contact: { name: 'Hans', address: ['Am Kai 1'] }, card: '4242424242424242' }
  const placed = await send('POST', '/api/orders', hans, wish)
  expect(placed).toMatchObject({ status: 202 })
  const path = `/api/orders/${placed.body['id']}`
  const statusOf = async (headers: Record<string, string>) =>
    (await send('GET', path, headers)).body['status']
  await expect.poll(() => statusOf(hans), SOON).toBe('confirmed')
  expect(await statusOf(greta)).toBe(404)
  expect(await statusOf({})).toBe(404)
  expect((await send('POST', `${path}/cancel`, greta)).status).toBe(404)

  const { body } = await send('GET', '/api/admin/orders?limit=100', support)
  expect(body['orders']).toContainEqual(expect.objectContaining({ id: placed.body['id'] }))
  const packed = `/api/admin/orders/${placed.body['id']}/packed`
  expect((await send('POST', packed, hans)).status).toBe(403)
  expect(await send('POST', packed, support)).toMatchObject({ status: 200, body: { status: 'packed' } })
})

test('keys change while the door is open: a new token counts at once, and an old one goes on', async () => {
  const kidOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid
  const stock = async (jwt: string) => (await send('GET', '/api/admin/stock/LMP-0101', bearer(jwt))).status
  const old = await ofStaff('support')
  expect(await stock(old)).toBe(200)
  let fresh = old
  await expect
    .poll(async () => {
      fresh = await ofStaff('support')
      return kidOf(fresh) === kidOf(old)
    }, SOON)
    .toBe(false)
  expect([await stock(fresh), await stock(old)]).toEqual([200, 200])
})

test('an issuer that is away closes the door to nobody who is in, and to no guest', async () => {
  const registration = await registered('hans')
  const jwt = await ofCustomer(registration)
  expect((await send('GET', '/api/basket', bearer(jwt))).status).toBe(200)
  const issuer = shop.processes().find(({ name }) => name === 'issuer')
  process.stderr.write(`the issuer needs ${Math.round(neededMb(issuer?.pid ?? 0))} MB\n`)
  await issuer?.kill()
  expect((await send('GET', '/api/basket', bearer(jwt))).status).toBe(200)
  expect((await send('GET', '/api/basket', {})).status).toBe(200)
})
