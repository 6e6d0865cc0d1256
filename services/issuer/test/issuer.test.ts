import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OperationView } from '@tideshop/contracts/operations'
import { quietParts } from '@tideshop/kit/test/parts'
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { issuerApp } from '../src/app.ts'
import { AUDIENCE, DOOR_CLIENT, REGISTRATION_GRANT, STAFF_SECRET } from '../src/provider.ts'
import { registrationsAt } from '../src/registrations.ts'

const TTL_S = 3600
const uuid = '0199aaaa-0000-7000-8000-00000000000a'
const userId = '0199aaaa-0000-7000-8000-00000000000b'

const approved: OperationView = {
  uuid,
  type: 'user-create',
  state: 'completed',
  data: { name: 'hans', uuid: userId, approved: 'true' },
  response: { state: 'completed' },
}

async function keyMadeAt(madeAt: number) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { jwk: { ...(await exportJWK(privateKey)), kid: `key-${madeAt}`, alg: 'ES256', use: 'sig' }, madeAt }
}

/** An issuer at a port of its own, and the shop that it asks. */
async function open(operation: OperationView | null = approved) {
  const door = await listening((_request, response) => {
    response.writeHead(operation === null ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(operation))
  })
  const server = createServer()
  const url = await listeningAt(server)
  const issuer = issuerApp({
    ...quietParts('issuer'),
    issuer: url,
    doorUrls: ['http://127.0.0.1:8080'],
    tokenTtlS: TTL_S,
    registered: registrationsAt(door),
    cookieKey: 'secret',
    firstKeys: [await keyMadeAt(0), await keyMadeAt(1)],
  })
  server.on('request', issuer.app)
  const token = async (form: Record<string, string>, secret?: string) => {
    const response = await fetch(`${url}/token`, {
      method: 'POST',
      headers: { ...(secret && { authorization: `Basic ${btoa(secret)}` }) },
      body: new URLSearchParams(form),
    })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }
  const claims = async (jwt: string, audience = AUDIENCE) => {
    const keys = createRemoteJWKSet(new URL(`${url}/jwks`))
    const { payload, protectedHeader } = await jwtVerify(jwt, keys, { issuer: url, audience })
    return { ...payload, kid: protectedHeader.kid }
  }
  return { url, token, claims, rotate: issuer.rotate }
}

async function listening(app: RequestListener): Promise<string> {
  return listeningAt(createServer(app))
}

async function listeningAt(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A browser: it keeps cookies and shows each answer. */
function browser() {
  const jar = new Map<string, string>()
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? []
      jar.set(name, value)
    }
    return response
  }
}

const verifier = 'v'.repeat(43)
const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString(
  'base64url',
)

function authorization(url: string, more: Record<string, string> = {}): string {
  return `${url}/auth?${new URLSearchParams({
    client_id: DOOR_CLIENT,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'http://127.0.0.1:8080/sign-in/return',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'state',
    nonce: 'nonce',
    ...more,
  })}`
}

function placeOf(url: string, response: Response): string {
  return new URL(String(response.headers.get('location')), url).href
}

async function signIn(url: string, form: Record<string, string>) {
  const visit = browser()
  const page = placeOf(url, await visit(authorization(url, { login_hint: '"<b>' })))
  const shown = await (await visit(page)).text()
  const sent = await visit(page, { method: 'POST', body: new URLSearchParams(form) })
  if (sent.status !== 303) return { shown, status: sent.status, text: await sent.text(), code: null }
  const back = new URL(placeOf(url, await visit(placeOf(url, sent))))
  return { shown, status: 303, text: '', code: back.searchParams.get('code'), back }
}

test('a registered user signs in by the number of the registration, and the door gets an ID token for it', async () => {
  const { url, token, claims } = await open()
  const { code, back, shown } = await signIn(url, { registration: uuid })
  expect(shown).toContain('For development only')
  expect(shown).not.toContain('<b>')
  expect(back?.href).toMatch(/^http:\/\/127\.0\.0\.1:8080\/sign-in\/return\?/)
  const redirect_uri = 'http://127.0.0.1:8080/sign-in/return'
  const wish = { grant_type: 'authorization_code', client_id: DOOR_CLIENT, code: String(code), redirect_uri }
  expect((await token({ ...wish, code_verifier: 'w'.repeat(43) })).status).toBe(400)

  const again = await signIn(url, { registration: uuid })
  const { body } = await token({ ...wish, code: String(again.code), code_verifier: verifier })
  expect(await claims(String(body['id_token']), DOOR_CLIENT)).toMatchObject({
    sub: userId,
    name: 'hans',
    roles: ['customer'],
    nonce: 'nonce',
  })
})

test('a key that changes while somebody signs in keeps nobody out', async () => {
  const { url, token, rotate } = await open()
  const visit = browser()
  const page = placeOf(url, await visit(authorization(url)))
  rotate(await keyMadeAt(2))
  const sent = await visit(page, { method: 'POST', body: new URLSearchParams({ registration: uuid }) })
  expect(sent.status).toBe(303)
  rotate(await keyMadeAt(3))
  const back = new URL(placeOf(url, await visit(placeOf(url, sent))))
  rotate(await keyMadeAt(4))
  const { status } = await token({
    grant_type: 'authorization_code',
    client_id: DOOR_CLIENT,
    code: String(back.searchParams.get('code')),
    redirect_uri: 'http://127.0.0.1:8080/sign-in/return',
    code_verifier: verifier,
  })
  expect(status).toBe(200)
})

test('nobody is sent on without PKCE, and nobody to another place than the door', async () => {
  const { url } = await open()
  const visit = browser()
  const without = await visit(authorization(url, { code_challenge: '', code_challenge_method: '' }))
  expect(placeOf(url, without)).toContain('error=invalid_request')
  const elsewhere = await visit(authorization(url, { redirect_uri: 'http://evil.example/' }))
  expect({ status: elsewhere.status, location: elsewhere.headers.get('location') }).toEqual({
    status: 400,
    location: null,
  })
})

test.each<[string, OperationView | null, string, RegExp]>([
  ['is not approved', { ...approved, state: 'failed', error: 'on the deny list' }, uuid, /on the deny list/],
  ['waits for approval', { ...approved, state: 'pending' }, uuid, /still being looked at/],
  ['is not registered', null, uuid, /nobody is registered/],
  ['has no such number', approved, 'hans', /UUIDv7/],
])('who %s cannot sign in, by the page or by a script', async (_, operation, registration, why) => {
  const { url, token } = await open(operation)
  const { status, text } = await signIn(url, { registration })
  expect({ status, text }).toEqual({ status: 403, text: expect.stringMatching(why) })
  const { status: refused, body } = await token({
    grant_type: REGISTRATION_GRANT,
    client_id: DOOR_CLIENT,
    registration,
  })
  expect(refused).toBe(400)
  expect(body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringMatching(why) })
})

test('the staff signs in without a number', async () => {
  const { url } = await open()
  expect((await signIn(url, { staff: 'administrator' })).code).toBeTruthy()
  expect((await signIn(url, { staff: 'constructor' })).status).toBe(403)
})

test('a script gets a token for the staff, and one for a customer', async () => {
  const { token, claims } = await open()
  const staff = await token({ grant_type: 'client_credentials' }, `administrator:${STAFF_SECRET}`)
  expect(staff.body).toMatchObject({ token_type: 'Bearer', expires_in: TTL_S })
  expect(await claims(String(staff.body['access_token']))).toMatchObject({
    sub: 'administrator',
    roles: ['admin'],
  })
  expect((await token({ grant_type: 'client_credentials' }, 'administrator:wrong')).status).toBe(401)

  const grant = { grant_type: REGISTRATION_GRANT, client_id: DOOR_CLIENT, registration: uuid }
  const customer = await token(grant)
  expect(await claims(String(customer.body['access_token']))).toMatchObject({
    sub: userId,
    roles: ['customer'],
  })
})

test('a new key is shown before it signs, and an old one until its last token is over', async () => {
  const { url, token, claims, rotate } = await open()
  const staff = async () => {
    const wish = { grant_type: 'client_credentials' }
    return (await token(wish, `administrator:${STAFF_SECRET}`)).body['access_token'] ?? ''
  }
  const kids = async () => {
    const { keys } = (await (await fetch(`${url}/jwks`)).json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }
  const old = await staff()
  expect(await claims(old)).toMatchObject({ kid: 'key-0' })
  rotate(await keyMadeAt(1000))
  expect(await claims(await staff())).toMatchObject({ kid: 'key-1' })
  expect(await claims(old)).toMatchObject({ kid: 'key-0' })
  expect(await kids()).toEqual(['key-1', 'key-1000', 'key-0'])
  const last = 1001 + TTL_S * 1000
  rotate(await keyMadeAt(last))
  expect(await kids()).toEqual(['key-1000', `key-${last}`, 'key-1'])
  await expect(claims(old)).rejects.toThrow(/no applicable key/)
})

test('whoever asks from within is told the way within, but for where browsers go', async () => {
  const { url } = await open()
  const { port } = new URL(url)
  const found = await (await fetch(`http://localhost:${port}/.well-known/openid-configuration`)).json()
  expect(found).toMatchObject({
    issuer: url,
    authorization_endpoint: `${url}/auth`,
    token_endpoint: `http://localhost:${port}/token`,
    jwks_uri: `http://localhost:${port}/jwks`,
  })
})
