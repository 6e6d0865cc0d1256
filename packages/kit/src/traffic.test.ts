import { once } from 'node:events'
import { Agent, type ClientRequest, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Listener, listenerOf } from './listener.ts'
import { type Patience, watchTraffic } from './traffic.ts'

const PATIENCE: Patience = { quietMs: 100, silentMs: 60_000, mostMs: 120_000 }
/** Longer than it takes to be quiet. */
const WHILE_MS = 400
const LOOPBACK = '127.0.0.1'
/** Where a caller of this machine is no neighbour. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

let listener: Listener
let agent: Agent
let stopping: AbortController
let answerNow: () => void

beforeEach(() => {
  const answered = new Promise<void>((resolve) => {
    answerNow = resolve
  })
  listener = listenerOf(async ({ url }, response) => {
    if (url === '/slow') await answered
    response.end('done')
  })
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
  stopping = new AbortController()
})

afterEach(() => {
  agent.destroy()
  listener.closeConnections()
  listener.server.close()
})

async function serve(patience = PATIENCE): Promise<{ left: () => Promise<void> }> {
  const traffic = watchTraffic(listener, stopping.signal, patience)
  listener.server.listen(0)
  await once(listener.server, 'listening')
  return traffic
}

function stop(traffic: { left: () => Promise<void> }): { hasLeft: () => boolean; left: Promise<void> } {
  let has = false
  stopping.abort()
  const left = traffic.left().then(() => {
    has = true
  })
  return { hasLeft: () => has, left }
}

type Answered = { text: string; connection: string | undefined; keepAlive: unknown; again: boolean }

async function ask(host: string, path = '/', headers: Record<string, string> = {}): Promise<Answered> {
  const { port } = listener.server.address() as AddressInfo
  const asked: ClientRequest = request({ host, port, path, headers, agent }).end()
  const [response] = await once(asked, 'response')
  const { connection, 'keep-alive': keepAlive } = response.headers
  return { text: await text(response), connection, keepAlive, again: asked.reusedSocket }
}

test('it stays until what is under way is answered, and goes when it has been quiet', async () => {
  const traffic = await serve()
  const slow = ask(LOOPBACK, '/slow')
  await once(listener.server, 'request')
  const { hasLeft, left } = stop(traffic)
  await sleep(WHILE_MS)
  expect(hasLeft()).toBe(false)
  answerNow()
  expect(await slow).toMatchObject({ text: 'done' })
  await left
})

test('it does not wait for a neighbour who keeps a connection, nor tells him for how long', async () => {
  const traffic = await serve()
  expect(await ask(LOOPBACK)).toMatchObject({ connection: 'keep-alive', keepAlive: 'timeout=100' })
  await stop(traffic).left
})

test('probes do not hold it', async () => {
  const traffic = await serve()
  const { hasLeft } = stop(traffic)
  const probe = () => ask(LOOPBACK, '/healthz').then(hasLeft)
  await expect.poll(probe, { interval: PATIENCE.quietMs / 5 }).toBe(true)
})

describe.skipIf(outside === undefined)('who is outside', () => {
  const host = outside as string

  test('and keeps a connection is answered on it after a stop, and it ends then', async () => {
    const traffic = await serve()
    await ask(host)
    const { hasLeft, left } = stop(traffic)
    await sleep(WHILE_MS)
    expect(hasLeft()).toBe(false)
    expect(await ask(host)).toMatchObject({ text: 'done', again: true, connection: 'close' })
    await left
  })

  test('and lets go of a connection holds nothing any more', async () => {
    const traffic = await serve()
    await ask(host)
    const { left } = stop(traffic)
    agent.destroy()
    await left
  })

  test('and keeps it for ever is waited for no longer than patience lasts', async () => {
    const traffic = await serve({ ...PATIENCE, silentMs: WHILE_MS })
    await ask(host)
    await stop(traffic).left
  })

  test('and never ends is cut off', async () => {
    const traffic = await serve({ ...PATIENCE, mostMs: WHILE_MS })
    const slow = ask(host, '/slow').catch(String)
    await once(listener.server, 'request')
    await stop(traffic).left
    listener.closeConnections()
    expect(await slow).toContain('socket hang up')
  })

  test('is told for how long a connection may be kept', async () => {
    await serve()
    expect(await ask(host)).toMatchObject({ connection: 'keep-alive', keepAlive: 'timeout=10' })
  })

  test('and wants no connection kept gets it closed', async () => {
    await serve()
    expect(await ask(host, '/', { connection: 'close' })).toMatchObject({
      connection: 'close',
      keepAlive: undefined,
    })
  })
})
