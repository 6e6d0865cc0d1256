import { randomUUIDv7 } from 'node:crypto'
import { type Storefront, storefrontThrough } from '@tideshop/clients/storefront'
import { askNobody } from '@tideshop/clients/test/nobody'
import { type AskForPage, askForPage, type Page } from '@tideshop/contracts/storefront'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { openSettings } from './open-settings.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const id = randomUUIDv7()
const cookie = `tideshop-customer=${id}`

/** A door before a storefront that always answers this, or throws it, and what it was asked. */
function door(answer: Page | Error = { status: 200, html: '<p>page</p>' }) {
  const asked: AskForPage[] = []
  const storefront: Storefront = {
    async page(page) {
      asked.push(askForPage.parse(page))
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  const app = gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    storefront,
    newId: () => randomUUIDv7(),
  })
  return { app, asked }
}

function send(app: ReturnType<typeof door>['app'], path: string, form: Record<string, string> = {}) {
  return request(app).post(path).type('form').send(form)
}

test.each([
  '/',
  '/c/lamps',
  '/search',
  '/p/LMP-0101',
  '/basket',
  '/checkout',
  '/orders',
  `/orders/${randomUUIDv7()}`,
])('%s is a page that storefront makes, and nobody may keep', async (path) => {
  const { app, asked } = door()
  const answer = await request(app).get(path).query({ q: 'ä&<' }).set('accept', BROWSER).set('cookie', cookie)
  expect({ status: answer.status, type: answer.type, text: answer.text }).toEqual({
    status: 200,
    type: 'text/html',
    text: '<p>page</p>',
  })
  expect(asked).toEqual([
    {
      method: 'GET',
      path,
      query: { q: 'ä&<' },
      form: {},
      customerId: id,
      notice: { name: 'Tideshop', banner: null, maintenance: null },
      newId: expect.any(String),
      traceparent: expect.stringMatching(/^00-/),
    },
  ])
  expect(answer.headers).toMatchObject({
    'cache-control': 'private, no-store',
    'content-security-policy': expect.stringMatching(
      /^default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; .*frame-ancestors 'none'$/,
    ),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
  })
  expect(answer.headers).not.toHaveProperty('set-cookie')
})

test('who only looks is nobody; who sends a form gets an id, which the cookie keeps when something is kept under it', async () => {
  const { app, asked } = door({ location: '/basket', keptS: 60 })
  const looked = await request(app).get('/basket')
  expect(looked.headers).not.toHaveProperty('set-cookie')
  const sent = await send(app, '/basket', { do: 'put' }).set('x-forwarded-proto', 'https')
  expect({ status: sent.status, location: sent.headers['location'] }).toEqual({
    status: 303,
    location: '/basket',
  })
  const [look, form] = asked
  expect(look).not.toHaveProperty('customerId')
  expect(form).toMatchObject({ method: 'POST', form: { do: 'put' } })
  expect(form?.newId).not.toBe(form?.customerId)
  expect(String(sent.headers['set-cookie'])).toMatch(
    new RegExp(
      `^tideshop-customer=${form?.customerId}; Max-Age=31536000; Path=/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$`,
    ),
  )
})

test('who has an id keeps it', async () => {
  const { app, asked } = door({ location: '/basket', keptS: 60 })
  const sent = await send(app, '/basket').set('cookie', cookie)
  expect(asked[0]?.customerId).toBe(id)
  expect(String(sent.headers['set-cookie'])).toContain(cookie)
  const nothingKept = door({ location: '/basket' })
  expect((await send(nothingKept.app, '/checkout')).headers).not.toHaveProperty('set-cookie')
})

describe('a form of another site', () => {
  const ours = { host: 'shop.example', origin: 'https://shop.example' }

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'https://shop.example.evil.example' },
    { origin: 'null' },
    { origin: 'https://shop.example:8443' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { ...ours, 'sec-fetch-site': 'cross-site' },
  ])('is refused (%j)', async (headers) => {
    const { app, asked } = door()
    for (const path of ['/basket', '/checkout', `/orders/${id}`]) {
      const answer = await send(app, path).set({ host: 'shop.example', cookie, accept: BROWSER, ...headers })
      expect({ status: answer.status, type: answer.type }).toEqual({ status: 403, type: 'text/html' })
    }
    expect(asked).toEqual([])
  })

  test.each([{}, ours, { 'sec-fetch-site': 'same-origin' }, { ...ours, 'sec-fetch-site': 'same-origin' }])(
    'is not what our own pages send, or a program (%j)',
    async (headers) => {
      const { app, asked } = door()
      await send(app, '/basket').set(headers).expect(200)
      expect(asked).toHaveLength(1)
    },
  )
})

test.each<[number, string, string, string]>([
  [413, '/basket', 'application/x-www-form-urlencoded', `a=${'x'.repeat(16 * 1024)}`],
  [400, '/basket', 'application/x-www-form-urlencoded', `a=${'x'.repeat(1001)}`],
  [
    400,
    '/basket',
    'application/x-www-form-urlencoded',
    Array.from({ length: 41 }, (_, nth) => `f${nth}=1`).join('&'),
  ],
  [415, '/basket', 'application/json', '{}'],
  [415, '/basket', 'application/x-www-form-urlencoded; charset=utf-7', 'a=1'],
  [415, '/checkout', 'multipart/form-data; boundary=x', '--x--'],
  [404, '/', 'application/x-www-form-urlencoded', 'a=1'],
  [404, '/orders/1', 'application/x-www-form-urlencoded', 'a=1'],
])(
  '%i: a form to %s of %s that cannot be is refused before it wakes anybody',
  async (status, path, type, body) => {
    const { app, asked } = door()
    const answer = await request(app).post(path).set('content-type', type).send(body)
    expect({ status: answer.status, type: answer.type }).toEqual({ status, type: 'application/problem+json' })
    expect(asked).toEqual([])
  },
)

test.each<[number, string]>([
  [404, '/p/lmp'],
  [404, '/p/%3Cscript%3E'],
  [404, '/orders/1'],
  [404, '/c/Lamps'],
  [404, `/c/${'x'.repeat(300)}`],
  [404, '/assets/x.js'],
  [404, '/assets/..%2fapp.css'],
  [404, '/nowhere'],
  [400, '/p/%E0%A4%A'],
  [400, `/search?q=${'x'.repeat(1001)}`],
])('%i: %s wakes nobody, and is told a browser in a page', async (status, path) => {
  const { app, asked } = door()
  const answer = await request(app).get(path).set('accept', BROWSER)
  expect({ status: answer.status, type: answer.type }).toEqual({ status, type: 'text/html' })
  expect(answer.text).toContain('<!doctype html>')
  expect(answer.text).not.toContain('<script')
  expect((await request(app).get(path)).type).toBe('application/problem+json')
  expect(asked).toEqual([])
})

test('of a value that comes twice the first counts', async () => {
  const { app, asked } = door()
  await request(app).get('/search?q=a&q=b&__proto__=x&constructor=y').expect(200)
  expect(asked[0]?.query['q']).toBe('a')
})

test('a file is kept for as long as its name says what it holds', async () => {
  const kept = await request(door({ file: 'a{}', type: 'css', lasting: true }).app).get('/assets/x.css')
  expect(kept.headers).toMatchObject({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  })
  const other = await request(door({ file: '<svg/>', type: 'svg', lasting: false }).app).get('/assets/x.svg')
  expect(other.headers).toMatchObject({
    'content-type': 'image/svg+xml; charset=utf-8',
    'cache-control': 'public, max-age=60',
  })
})

test.each<[number, Page | Error]>([
  [503, new Refusal('unavailable', 'the shop does not <answer>')],
  [503, { status: 503, html: '<p>low tide</p>' }],
])('%i: who meets a shop that is away is told when to come back', async (status, answer) => {
  const { app } = door(answer)
  const page = await request(app).get('/').set('accept', BROWSER)
  expect({ status: page.status, retry: page.headers['retry-after'], type: page.type }).toEqual({
    status,
    retry: '1',
    type: 'text/html',
  })
  expect(page.text).not.toContain('<answer>')
})

test('a fault is told nobody', async () => {
  const { app } = door(new Error('secret'))
  const answer = await request(app).get('/').set('accept', BROWSER)
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('secret')
  expect((await request(app).get('/')).body).toEqual({ title: 'internal', status: 500 })
})

test('the reader of the contract may run its scripts, and nothing else may', async () => {
  const { app } = door()
  const policyOf = async (path: string) => (await request(app).get(path)).headers['content-security-policy']
  for (const path of ['/docs', '/docs/']) expect(await policyOf(path)).toContain("script-src 'self'")
  for (const path of ['/', '/nowhere', '/openapi.json', '/api/goods?limit=x'])
    expect(await policyOf(path)).not.toContain('script-src')
})

describe('through the sidecar', () => {
  const asked = {
    method: 'GET',
    path: '/',
    query: {},
    form: {},
    newId: id,
    traceparent: '',
  } satisfies AskForPage

  test('who finds storefront asleep waits, and a form keeps its id', async () => {
    const calls: unknown[] = []
    const invoke: Invoke = async (...call) => {
      calls.push(call)
      if (calls.length < 3) throw new Refusal('uncertain', 'storefront did not answer')
      return { status: 200, said: { status: 200, html: '' } }
    }
    const form = { ...asked, method: 'POST' } as const
    expect(await storefrontThrough(invoke, 2000).page(form)).toEqual({ status: 200, html: '' })
    expect(calls).toEqual(Array(3).fill(['storefront', 'POST', 'page', form]))
  })

  test('nothing is uncertain about a page that was only looked at', async () => {
    const invoke: Invoke = () => Promise.reject(new Refusal('uncertain', 'with the same Idempotency-Key'))
    const storefront = storefrontThrough(invoke, 0)
    await expect(storefront.page(asked)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(storefront.page({ ...asked, method: 'POST' })).rejects.toMatchObject({
      code: 'uncertain',
      message: expect.stringContaining('send the form again'),
    })
  })

  test('what no page is, is a fault', async () => {
    for (const said of [
      { status: 200 },
      { location: '//evil.example' },
      { location: 'https://evil.example' },
    ])
      await expect(storefrontThrough(async () => ({ status: 200, said }), 0).page(asked)).rejects.toThrow()
    const refused = { title: 'invalid', status: 400, detail: 'no' }
    await expect(
      storefrontThrough(async () => ({ status: 400, said: refused }), 0).page(asked),
    ).rejects.toThrow(new Refusal('invalid', 'no'))
  })
})
