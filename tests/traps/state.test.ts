import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { testDatabase } from '@tideshop/kit/test/database'
import { root } from '@tideshop/run/arguments'
import type { Ports } from '@tideshop/run/dapr-yaml'
import { withMetadata } from '@tideshop/run/render'
import { expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { counted } from './counted.ts'
import { openGround, SOON, serve } from './ground.ts'

/*
 * What a state store promises to who keeps something in it, and decides by ETags: the file of components/basket.yaml.
 */

const STORE = 'basket'
const READS_AND_WRITES = 25

const ground = await openGround()
const database = testDatabase()

type App = { appId: string; ports: Ports }
type Kept = { value: { n: number }; etag: string }

async function openApp(component: (appId: string) => string): Promise<App> {
  const appId = `keeper-${crypto.randomUUID()}`
  const ports = await ground.ports()
  await serve(ports.appPort, (_, response) => response.writeHead(404).end())
  await ground.startSidecar({ appId, ports, components: [component(appId)] })
  return { appId, ports }
}

/** The shop's component, on a file of this test. Two sidecars of one app have one name; here they have two. */
function onFile(file: string): (appId: string) => string {
  const shops = parse(
    withMetadata(readFileSync(path.join(root, 'components/basket.yaml'), 'utf8'), { connectionString: file }),
  )
  shops.spec.metadata.push({ name: 'keyPrefix', value: 'none' })
  return (appId) => stringify({ ...shops, scopes: [appId] })
}

function newFile(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-state-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  return path.join(dir, 'basket.db')
}

function ask({ ports }: App, below: string, init: RequestInit = {}): Promise<Response> {
  const url = `http://127.0.0.1:${ports.daprHttpPort}/v1.0/state/${STORE}${below}`
  return fetch(url, { ...init, signal: AbortSignal.timeout(12_000) })
}

async function read(app: App, key: string): Promise<Kept | null> {
  const response = await ask(app, `/${key}`)
  const text = await response.text()
  if (response.status === 204) return null
  expect(response.status, text).toBe(200)
  return { value: JSON.parse(text), etag: response.headers.get('etag') ?? '' }
}

/** With what a basket is written by, but for what `more` says otherwise. */
function tryToWrite(app: App, key: string, n: number, more: object = {}): Promise<Response> {
  const wish = { key, value: { n }, options: { concurrency: 'first-write' }, ...more }
  const headers = { 'content-type': 'application/json' }
  return ask(app, '', { method: 'POST', headers, body: JSON.stringify([wish]) })
}

async function write(app: App, key: string, n: number, more: object = {}): Promise<number> {
  const response = await tryToWrite(app, key, n, more)
  await response.text()
  return response.status
}

test('first-write without an ETag is taken only while there is nothing', async () => {
  const app = await openApp(onFile(newFile()))
  expect(await read(app, 'a')).toBeNull()
  expect(await write(app, 'a', 1)).toBe(204)
  expect(await write(app, 'a', 2)).toBe(409)
  expect((await read(app, 'a'))?.value).toEqual({ n: 1 })
})

test('whoever comes with an ETag that is old, made up, or of something that is gone is told 409', async () => {
  const app = await openApp(onFile(newFile()))
  await write(app, 'a', 1)
  const { etag } = (await read(app, 'a')) as Kept
  expect(await write(app, 'a', 2, { etag })).toBe(204)
  expect(await write(app, 'a', 3, { etag })).toBe(409)
  expect(await write(app, 'a', 3, { etag: 'made up' })).toBe(409)
  expect(await write(app, 'gone', 3, { etag })).toBe(409)
  expect((await read(app, 'a'))?.value).toEqual({ n: 2 })
})

test('without `first-write` the last one wins, whatever happened meanwhile', async () => {
  const app = await openApp(onFile(newFile()))
  await write(app, 'a', 1)
  expect(await write(app, 'a', 2, { options: {} })).toBe(204)
  expect((await read(app, 'a'))?.value).toEqual({ n: 2 })
  // Who brings an ETag is guarded by it all the same.
  expect(await write(app, 'a', 3, { options: {}, etag: 'made up' })).toBe(409)
})

test('what is kept for a second is gone after it, each write begins a new time, and one without keeps for ever', async () => {
  const app = await openApp(onFile(newFile()))
  const keptFor = (s: number) => ({ metadata: { ttlInSeconds: String(s) } })
  await write(app, 'forgotten', 1, keptFor(1))
  await write(app, 'changed', 1, keptFor(1))
  await write(app, 'for ever', 1, keptFor(1))
  expect(await write(app, 'changed', 2, { options: {}, ...keptFor(60) })).toBe(204)
  expect(await write(app, 'for ever', 2, { options: {} })).toBe(204)
  await expect.poll(() => read(app, 'forgotten'), SOON).toBeNull()
  expect((await read(app, 'changed'))?.value).toEqual({ n: 2 })
  expect((await read(app, 'for ever'))?.value).toEqual({ n: 2 })
  expect(await write(app, 'other', 1, { metadata: { ttlInSeconds: 'a day' } })).toBe(500)
  // It counts as nothing, though the file still has it.
  expect(await write(app, 'forgotten', 3)).toBe(204)
})

test('two sidecars on one file: of two that decide on the same state one is told so, and no change is lost', async () => {
  const file = newFile()
  const apps = [await openApp(onFile(file)), await openApp(onFile(file))]
  let conflicts = 0
  const addOne = async (app: App): Promise<void> => {
    const kept = await read(app, 'a')
    const status = await write(app, 'a', (kept?.value.n ?? 0) + 1, kept === null ? {} : { etag: kept.etag })
    if (status === 204) return
    expect(status).toBe(409)
    conflicts += 1
    await addOne(app)
  }
  const manyTimes = async (app: App) => {
    for (let nth = 0; nth < READS_AND_WRITES; nth += 1) await addOne(app)
  }
  await Promise.all(apps.map(manyTimes))
  expect((await read(apps[0] as App, 'a'))?.value).toEqual({ n: 2 * READS_AND_WRITES })
  expect(conflicts).toBeGreaterThan(0)
})

// So a key may name a customer: it would otherwise be a time series of its own.
test('a key is not in the path by which the sidecar counts', async () => {
  const app = await openApp(onFile(newFile()))
  await read(app, 'a-customer')
  const asked = () =>
    counted(app, 'dapr_http_server_request_count', { method: 'GET', path: '/v1.0/state/basket' })
  await expect.poll(asked, SOON).toBe(1)
})

// So the store of a laptop is a file, and MongoDB that of production (decision 14).
test('the stand-in for MongoDB cannot be the store: the component writes by a pipeline', async () => {
  const [host] = database().client.options.hosts
  const settings = { host: String(host), databaseName: 'basket' }
  const metadata = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const app = await openApp((appId) =>
    stringify({
      ...parse(onFile('')(appId)),
      spec: { type: 'state.mongodb', version: 'v1', metadata },
    }),
  )
  const response = await tryToWrite(app, 'a', 1)
  expect({ status: response.status, said: await response.text() }).toEqual({
    status: 500,
    said: expect.stringMatching(/ERR_STATE_SAVE.*error in updating document/),
  })
})
