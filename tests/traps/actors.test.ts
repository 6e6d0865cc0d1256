import type { ServerResponse } from 'node:http'
import type { Ports } from '@tideshop/run/dapr-yaml'
import type { Process } from '@tideshop/run/process'
import { expect, test } from 'vitest'
import { openActorGround, SOON, serve } from './ground.ts'

/*
 * Turns of an actor: what becomes of an answer, and who keeps them apart.
 */

const ground = await openActorGround()

/** In memory: the state of a trap need not survive it. */
const store = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: states }
spec:
  type: state.in-memory
  version: v1
  metadata: [{ name: actorStateStore, value: "true" }]
`

type Host = { type: string; ports: Ports; sidecar: Process }

/** An app that hosts one type of actors, and answers its turns so. */
async function openHost(turn: (method: string, response: ServerResponse) => void): Promise<Host> {
  const type = `Actor-${crypto.randomUUID()}`
  const ports = await ground.ports()
  await serve(ports.appPort, ({ url = '' }, response) => {
    const method = url.split('/method/')[1]
    if (url === '/dapr/config') say(response, 200, { entities: [type] })
    else if (method !== undefined) turn(method, response)
    else say(response, url.startsWith('/actors/') ? 200 : 404, {})
  })
  const sidecar = await ground.startSidecar({ appId: type.toLowerCase(), ports, components: [store] })
  return { type, ports, sidecar }
}

function say(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Of actor `a`. */
async function ask({ type, ports }: Host, path: string, init: RequestInit = { method: 'PUT' }) {
  const address = `http://127.0.0.1:${ports.daprHttpPort}/v1.0/actors/${type}/a/${path}`
  const response = await fetch(address, { ...init, signal: AbortSignal.timeout(12_000) })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** Placement has told the sidecar that it hosts actors. */
async function untilHosted(host: Host): Promise<void> {
  await expect.poll(async () => (await ask(host, 'method/hello')).status, SOON).toBe(200)
}

// So an expected no is an answer (packages/kit/src/actor.ts).
test.for([400, 404, 409])(
  'a turn that is answered with %i is an error of the sidecar, 500',
  async (status) => {
    const host = await openHost((method, response) =>
      method === 'hello' ? say(response, 200, {}) : say(response, status, { title: 'sold out' }),
    )
    await untilHosted(host)
    const answer = await ask(host, 'method/buy')
    expect(answer.status).toBe(500)
    expect(answer.text).toContain('ERR_ACTOR_INVOKE_METHOD')
  },
)

test('a state that is read comes without a version by which to guard its next write', async () => {
  const host = await openHost((_method, response) => say(response, 200, {}))
  await untilHosted(host)
  const upsert = [{ operation: 'upsert', request: { key: 'state', value: { pieces: 3 } } }]
  const written = {
    method: 'POST',
    body: JSON.stringify(upsert),
    headers: { 'content-type': 'application/json' },
  }
  expect((await ask(host, 'state', written)).status).toBe(204)
  const read = await ask(host, 'state/state', {})
  expect({ status: read.status, text: read.text, etag: read.headers.get('etag') }).toEqual({
    status: 200,
    text: '{"pieces":3}',
    etag: null,
  })
})

test('one turn of an actor runs at a time', async () => {
  let [running, most] = [0, 0]
  const host = await openHost((_method, response) => {
    running += 1
    most = Math.max(most, running)
    setTimeout(() => {
      running -= 1
      say(response, 200, {})
    }, 20)
  })
  await untilHosted(host)
  await Promise.all(Array.from({ length: 10 }, () => ask(host, 'method/buy')))
  expect(most).toBe(1)
})

// So the kit queues the turns of an actor once more, within the app.
test('but a sidecar that was killed begins the next turn while its app is still in the one before', async () => {
  let running = 0
  const host = await openHost((method, response) => {
    if (method === 'hello') return say(response, 200, {})
    // The first turn never ends.
    running += 1
    if (running > 1) say(response, 200, {})
  })
  await untilHosted(host)
  const first = ask(host, 'method/buy').catch(() => null)
  await expect.poll(() => running, SOON).toBe(1)
  await host.sidecar.kill()
  await host.sidecar.start()
  await first
  await untilHosted(host)
  expect((await ask(host, 'method/buy')).status).toBe(200)
  expect(running).toBe(2)
})
