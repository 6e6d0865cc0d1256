import { defaultSettings, type PutSettings } from '@tideshop/contracts/settings'
import { sidecarOn } from '@tideshop/kit/sidecar'
import type { Replica } from '@tideshop/run/replica'
import { afterAll, expect, test } from 'vitest'
import { settingsThrough } from '../../services/apigateway/src/settings.ts'
import { type Answer, ask, post } from './door.ts'
import { openShop } from './open-shop.ts'

/** Milliseconds until every door knows of a change, and what a busy machine may add to it. */
const KNOWN_WITHIN_MS = 3000 + 2000
const SOON = { timeout: KNOWN_WITHIN_MS, interval: 50 }

const shop = await openShop({ only: ['basket', 'catalog', 'operations'] })
await shop.addReplica('apigateway')
const doors = shop.replicas('apigateway').map((replica) => ({ url: `http://127.0.0.1:${replica.appPort}` }))
const sidecar = sidecarOn(shop.replicas('apigateway')[0]?.daprHttpPort ?? 0)
/** As whoever administers the shop at the first door has them. */
const settings = settingsThrough(sidecar)
afterAll(() => sidecar.close())

const opened: PutSettings = { ...defaultSettings, name: 'Flotsam', banner: { text: 'Ahoy.', level: 'info' } }
const closed: PutSettings = { ...opened, maintenance: { message: 'We are back at eight.' } }

test('two doors that nobody told anything have the name of the shop, and know of a change within seconds', async () => {
  expect(doors).toHaveLength(2)
  for (const door of doors)
    expect((await ask(door, '/api/settings')).body).toMatchObject({ name: 'Tideshop' })
  await settings.change(opened)
  for (const door of doors) {
    const notice = async () => (await ask(door, '/api/settings')).body
    await expect.poll(notice, SOON).toEqual({ name: 'Flotsam', banner: opened.banner, maintenance: null })
  }
})

test('in maintenance no door lets anything be changed, and every door lets look', async () => {
  const { body: user } = await post(shop, { name: 'hans' })
  await settings.change({ ...closed, version: 1 })
  for (const door of doors) {
    // Of a door that does not know yet, a 503 is that of a service which is not warm.
    await expect
      .poll(async () => (await post(door, { name: 'greta' })).body, SOON)
      .toMatchObject({ status: 503, detail: 'We are back at eight.' })
    const { body, headers } = await post(door, { name: 'greta' })
    expect({ detail: body['detail'], retry: headers.get('retry-after') }).toEqual({
      detail: 'We are back at eight.',
      retry: '60',
    })
    expect((await put(door)).status).toBe(503)
    expect((await ask(door, '/api/goods/LMP-0101')).status).toBe(200)
    expect((await ask(door, `/operation/get/${user['uuid']}`)).status).toBe(200)
  }
})

test('a door that starts in maintenance is in maintenance', async () => {
  const [{ app, sidecar: beside, appPort }] = shop.replicas('apigateway').slice(1) as [Replica]
  await Promise.all([app.kill(), beside.kill()])
  await Promise.all([app.start(), beside.start()])
  await expect
    .poll(async () => (await post({ url: `http://127.0.0.1:${appPort}` }, { name: 'greta' })).body, SOON)
    .toMatchObject({ detail: 'We are back at eight.' })
})

test('of two administrators who change something at once one is told so, and who repeats himself is not', async () => {
  const other = settingsThrough(sidecar)
  const wishes = ['Flotsam', 'Jetsam'].map((name) => ({ ...opened, name, version: 2 }))
  const answers = await Promise.allSettled(
    wishes.map((wish, nth) => (nth === 0 ? settings : other).change(wish)),
  )
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } })
  const { version, ...kept } = await other.find()
  expect(version).toBe(3)
  expect(await other.change({ ...kept, version: 1 })).toEqual({ ...kept, version })
})

test('when it is over every door lets change again, and a crowd costs no more reads than its seconds', async () => {
  for (const door of doors) await expect.poll(async () => (await put(door)).status, SOON).toBe(200)
  const [door] = doors as [{ url: string }]
  const [before, began] = [await readsOfSettings(), performance.now()]
  for (let nth = 0; nth < 200; nth += 1) expect((await put(door)).status).toBe(200)
  const seconds = (performance.now() - began) / 1000
  expect((await readsOfSettings()) - before).toBeLessThanOrEqual(Math.ceil(seconds / 2) + 1)
})

function put(door: { url: string }): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return ask(door, '/api/basket/lines/LMP-0101', { method: 'PUT', headers, body: '{"quantity":1}' })
}

async function readsOfSettings(): Promise<number> {
  const port = shop.replicas('apigateway')[0]?.metricsPort
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const line =
    /^dapr_http_server_request_count\{.*method="GET".*path="\/v1\.0\/state\/settings".*\} (\d+)$/m.exec(text)
  if (line === null) throw new Error('nobody has read the settings')
  return Number(line[1])
}
