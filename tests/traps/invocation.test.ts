import type { RequestListener } from 'node:http'
import type { Ports } from '@tideshop/run/dapr-yaml'
import type { Process } from '@tideshop/run/process'
import { expect, test } from 'vitest'
import { counted } from './counted.ts'
import { type Config, openGround, SOON, serve } from './ground.ts'

/*
 * Calls from service to service through two sidecars: who repeats them, and who counts them.
 */

const ground = await openGround()

type App = { appId: string; ports: Ports; sidecar: Process }

async function openApp(name: string, answer: RequestListener, config?: Config): Promise<App> {
  const appId = `${name}-${crypto.randomUUID()}`
  const ports = await ground.ports()
  await serve(ports.appPort, (request, response) => {
    // The sidecar asks its app for subscriptions and configuration first: there are none.
    if (request.url?.startsWith('/dapr/')) response.writeHead(404).end()
    else answer(request, response)
  })
  const sidecar = await ground.startSidecar({ appId, ports, ...(config && { config }) })
  return { appId, ports, sidecar }
}

const accepts: RequestListener = (_, response) => {
  response.end()
}

const purchase: RequestInit = { method: 'POST', body: 'x' }

async function call(caller: App, callee: App, request = purchase): Promise<number> {
  const response = await fetch(addressOf(caller, callee), { ...request, signal: AbortSignal.timeout(12_000) })
  await response.text()
  return response.status
}

function addressOf(caller: App, callee: App): string {
  return `http://127.0.0.1:${caller.ports.daprHttpPort}/v1.0/invoke/${callee.appId}/method/buy`
}

test.for([
  { what: 'a POST', request: purchase },
  { what: 'a POST with a key', request: { ...purchase, headers: { 'idempotency-key': 'k' } } },
  { what: 'a GET', request: { method: 'GET' } },
])('a call whose app cuts the connection is not repeated: $what', async ({ request }) => {
  let tries = 0
  const callee = await openApp('callee', ({ socket }, response) => {
    tries += 1
    // The first goes well: what is repeated by HTTP clients is a request on a connection that was used before.
    if (tries === 1) response.end()
    else socket.destroy()
  })
  const caller = await openApp('caller', accepts)

  expect(await call(caller, callee, request)).toBe(200)
  expect(await call(caller, callee, request)).toBe(500)
  expect(tries).toBe(2)
})

test('a call to a sidecar that is away is sent four times before it fails', async () => {
  const callee = await openApp('callee', accepts)
  const caller = await openApp('caller', accepts)
  expect(await call(caller, callee)).toBe(200)
  await callee.sidecar.kill()

  expect(await call(caller, callee)).toBe(500)
  const sent = () => counted(caller, 'dapr_runtime_service_invocation_req_sent_total', {})
  await expect.poll(sent, SOON).toBe(1 + 4)
})

// So whatever changes something needs an id that the caller has chosen: the Idempotency-Key, the operation-id.
test('a call that is on its way when the sidecar of the other side dies arrives twice', async () => {
  let tries = 0
  const callee = await openApp('callee', (_, response) => {
    tries += 1
    if (tries > 1) response.end()
  })
  const caller = await openApp('caller', accepts)

  const called = call(caller, callee)
  await expect.poll(() => tries, SOON).toBe(1)
  await callee.sidecar.kill()
  await callee.sidecar.start()
  expect(await called).toBe(200)
  expect(tries).toBe(2)
})

// So the kit takes for an answer only what is one: JSON, and whole (packages/kit/src/invoke.ts).
test('half an answer of an app that died arrives as a whole one', async () => {
  const callee = await openApp('callee', ({ socket }, response) => {
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{"uuid":"01', () => socket.destroy())
  })
  const caller = await openApp('caller', accepts)

  const response = await fetch(addressOf(caller, callee), purchase)
  expect({ status: response.status, text: await response.text() }).toEqual({
    status: 202,
    text: '{"uuid":"01',
  })
})

const CALLS = 5

test.for([
  { increasedCardinality: true, label: 'the path' },
  { increasedCardinality: false, label: 'no path' },
])(
  'requests are counted where they are asked, not where they go, and with $label if increasedCardinality is $increasedCardinality',
  async ({ increasedCardinality }) => {
    const config = { 'metrics.http.increasedCardinality': increasedCardinality }
    const callee = await openApp('callee', accepts, config)
    const caller = await openApp('caller', accepts, config)
    for (let called = 0; called < CALLS; called += 1) await call(caller, callee)

    const path = increasedCardinality ? `/v1.0/invoke/${callee.appId}/method/buy` : ''
    const asked = (app: App) => counted(app, 'dapr_http_server_request_count', { method: 'POST', path })
    await expect.poll(() => asked(caller), SOON).toBe(CALLS)
    expect(await asked(callee)).toBe(0)
  },
)
