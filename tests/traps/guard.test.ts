import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import type { Ports } from '@tideshop/run/dapr-yaml'
import { withMetadata } from '@tideshop/run/render'
import { afterAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { AUDIENCE, fakeIssuer, newKey } from '../../services/apigateway/test/fake-issuer.ts'
import { type Config, openGround, SOON, serve } from './ground.ts'

/*
 * The guard of the door's sidecar, dapr/guarded/: who passes it, and what it does not see.
 */

const ground = await openGround()
const issuer = await fakeIssuer()
afterAll(issuer.close)

/** Calls each second, so few that a test has them soon. */
const RATE = 5

type App = { appId: string; ports: Ports }

function guarded(file: string): string {
  return readFileSync(path.join(root, 'dapr/guarded', `${file}.yaml`), 'utf8')
}

/** A component of dapr/guarded with the values of this test, and for this test's app. */
function component(file: string, values: Record<string, string>): string {
  const { scopes: _door, ...rest } = parse(withMetadata(guarded(file), values))
  return stringify(rest)
}

const { appHttpPipeline } = parse(guarded('config')).spec

async function openApp(name: string, guard?: { components: string[]; config: Config }): Promise<App> {
  const appId = `${name}-${crypto.randomUUID()}`
  const ports = await ground.ports()
  const answer: RequestListener = ({ url }, response) => {
    if (url?.startsWith('/dapr/')) response.writeHead(404)
    response.end('the door')
  }
  await serve(ports.appPort, answer)
  await ground.startSidecar({ appId, ports, ...guard })
  return { appId, ports }
}

function openDoor(rate = RATE): Promise<App> {
  const components = [
    component('bearer', { issuer: issuer.url, audience: AUDIENCE }),
    component('ratelimit', { maxRequestsPerSecond: String(rate) }),
  ]
  return openApp('door', { components, config: { appHttpPipeline } })
}

async function call(from: App, to: App, headers: Record<string, string> = {}, method = 'api/goods') {
  const url = `http://127.0.0.1:${from.ports.daprHttpPort}/v1.0/invoke/${to.appId}/method/${method}`
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}` }
}

test('a call of the door by its sidecar needs a token of the issuer, for the door, signed by a key that it shows', async () => {
  const [door, caller] = [await openDoor(1000), await openApp('caller')]
  const status = async (token: string) => (await call(caller, door, bearer(token))).status
  expect((await call(caller, door)).status).toBe(401)
  expect(await status('x')).toBe(401)
  expect(await status(await issuer.token({ aud: 'urn:other' }))).toBe(401)
  expect(await status(await issuer.token({ iss: 'http://evil.example' }))).toBe(401)
  expect(await status(await issuer.token({}, await newKey()))).toBe(401)
  expect(await status(await issuer.token())).toBe(200)
})

// A token is over for the door itself five seconds after its time (services/apigateway/src/accounts.ts).
test('a token that is over passes the sidecar for five minutes more', async () => {
  const [door, caller] = [await openDoor(1000), await openApp('caller')]
  const status = async (ttlS: number) => {
    return (await call(caller, door, bearer(await issuer.token({}, undefined, ttlS)))).status
  }
  expect([await status(-240), await status(-360)]).toEqual([200, 401])
})

// So an issuer shows a key for a while before it signs with it, as ours does (services/issuer/src/keys.ts).
test('a key that came after the sidecar had started is not known to it', async () => {
  const [door, caller] = [await openDoor(1000), await openApp('caller')]
  const old = await issuer.token()
  expect((await call(caller, door, bearer(old))).status).toBe(200)
  await issuer.rotate()
  expect((await call(caller, door, bearer(await issuer.token()))).status).toBe(401)
  expect((await call(caller, door, bearer(old))).status).toBe(200)
})

test('who calls too often by the sidecar is told so, without a time to come back', async () => {
  const [door, caller] = [await openDoor(), await openApp('caller')]
  const headers = bearer(await issuer.token())
  const answers = await Promise.all(Array.from({ length: 4 * RATE }, () => call(caller, door, headers)))
  const statuses = Map.groupBy(answers, ({ status }) => status)
  expect(statuses.get(200)?.length).toBeGreaterThanOrEqual(RATE)
  expect(statuses.get(429)?.length).toBeGreaterThanOrEqual(RATE)
  expect(statuses.get(429)?.[0]?.headers.get('retry-after')).toBeNull()
  // Each path is counted alone.
  expect((await call(caller, door, headers, 'api/sales')).status).toBe(200)
  await expect.poll(async () => (await call(caller, door, headers)).status, SOON).toBe(200)
})

test('what comes to the door’s own port does not pass the guard, nor does what the door asks of others', async () => {
  const [door, other] = [await openDoor(), await openApp('other')]
  const answers = await Promise.all(Array.from({ length: 4 * RATE }, () => call(door, other)))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect((await fetch(`http://127.0.0.1:${door.ports.appPort}/api/goods`)).status).toBe(200)
})

// PKCE is what our issuer asks of each client, and OpenID Connect's nonce: the door signs people in itself.
test('the middleware for OAuth 2 sends a browser to the issuer, without PKCE', async () => {
  const handlers = [{ name: 'door-sign-in', type: 'middleware.http.oauth2' }]
  const door = await openApp('door', {
    components: [component('oauth2', { authURL: `${issuer.url}/auth`, tokenURL: `${issuer.url}/token` })],
    config: { appHttpPipeline: { handlers } },
  })
  const { status, headers } = await call(await openApp('caller'), door)
  expect(status).toBe(302)
  const asked = new URL(String(headers.get('location'))).searchParams
  expect(asked.get('response_type')).toBe('code')
  expect(asked.get('state')).toBeTruthy()
  expect(asked.get('code_challenge')).toBeNull()
})
