import { askNobody } from '@tideshop/clients/test/nobody'
import { defaultSettings, type PutSettings } from '@tideshop/contracts/settings'
import { httpApp } from '@tideshop/kit/http'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import { stateSidecar } from '@tideshop/kit/test/state-sidecar'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { administerSettings, changeSettings, noticeOf, settingsThrough } from '../src/settings.ts'

const asItWas: PutSettings = defaultSettings
const closed: PutSettings = { ...asItWas, maintenance: { message: 'We are back at eight.' } }
const sunday = { text: 'Free shipping until Sunday.', level: 'info' as const }

/** Doors with one store, and a clock of their own. */
function shop() {
  const sidecar = stateSidecar()
  const clock = { ms: 0 }
  let reads = 0
  const counting = {
    ...sidecar,
    send: (asked: Parameters<typeof sidecar.send>[0]) => {
      if (asked.method === 'GET') reads += 1
      return sidecar.send(asked)
    },
  }
  function door() {
    const settings = settingsThrough(counting, () => clock.ms)
    const parts = { ...quietParts('apigateway'), ...askNobody, settings, newId: () => '' }
    return { settings, app: gatewayApp(parts) }
  }
  return { sidecar, clock, door, reads: () => reads }
}

function administration(settings: ReturnType<typeof settingsThrough>) {
  const app = httpApp(quietParts('apigateway'), (routes) => administerSettings(routes, settings))
  const put = (wish: unknown) =>
    request(app)
      .put('/api/admin/settings')
      .send(wish as object)
  return { put, look: () => request(app).get('/api/admin/settings') }
}

describe('what is set', () => {
  test('is that of a new shop until somebody changes it, and then is told to everybody', async () => {
    const { door } = shop()
    const { settings, app } = door()
    const admin = administration(settings)
    expect((await admin.look()).body).toEqual(defaultSettings)
    const { status, body } = await admin.put({ ...asItWas, name: 'Flotsam', banner: sunday })
    expect({ status, body }).toEqual({
      status: 200,
      body: { name: 'Flotsam', banner: sunday, maintenance: null, version: 1 },
    })
    expect((await request(app).get('/api/settings')).body).toEqual({
      name: 'Flotsam',
      banner: sunday,
      maintenance: null,
    })
    expect((await admin.look()).body.version).toBe(1)
  })

  test('is not changed by who has not seen the last change; who says the same again is told the same', async () => {
    const { door } = shop()
    const admin = administration(door().settings)
    const other = administration(door().settings)
    const wish = { ...asItWas, name: 'Flotsam' }
    expect((await admin.put(wish)).body.version).toBe(1)
    expect((await admin.put(wish)).body.version).toBe(1)
    expect((await other.put({ ...asItWas, name: 'Jetsam' })).status).toBe(409)
    expect((await other.put({ ...asItWas, name: 'Jetsam', version: 1 })).body.version).toBe(2)
  })

  test('of two who have seen the same and change it at the same moment one is told to look again', async () => {
    const { door } = shop()
    for (const version of [0, 1]) {
      const answers = await Promise.allSettled(
        [door(), door()].map(({ settings }, nth) =>
          settings.change({ ...asItWas, name: `Shop ${version}.${nth}`, version }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'conflict' },
      })
    }
  })

  test.each([
    ['no name', { name: ' ' }],
    ['a name of two lines', { name: 'a\nb' }],
    [
      'a banner that is over before it begins',
      { banner: { ...sunday, from: '2026-11-22T00:00:00Z', until: '2026-11-21T00:00:00Z' } },
    ],
    ['a level that is none', { banner: { ...sunday, level: 'loud' } }],
    ['maintenance without a word', { maintenance: {} }],
    ['no version', { version: undefined }],
    ['an unknown field', { colour: 'red' }],
  ])('%s is refused', async (_, more) => {
    const { door, sidecar } = shop()
    expect((await administration(door().settings).put({ ...asItWas, ...more })).status).toBe(400)
    expect(sidecar.items.size).toBe(0)
  })

  test('a store that is away is 503: uncertain where something may have been written', async () => {
    const { door, sidecar } = shop()
    const admin = administration(door().settings)
    sidecar.away.add('POST')
    expect((await admin.put({ ...asItWas, name: 'Flotsam' })).body.title).toBe('uncertain')
    sidecar.away.add('GET')
    expect((await admin.put({ ...asItWas, name: 'Flotsam' })).body.title).toBe('unavailable')
  })
})

describe('a door', () => {
  test('knows of a change at another within three seconds, with one read in two', async () => {
    const { door, clock, reads } = shop()
    const [one, other] = [door(), door()]
    expect(await other.settings.known()).toEqual(defaultSettings)
    await one.settings.change({ ...asItWas, name: 'Flotsam' })
    const before = reads()
    let askedFor = 0
    for (clock.ms = 1; clock.ms < 1999; clock.ms += 100) {
      askedFor += 1
      expect(other.settings.known()).toEqual(defaultSettings)
    }
    expect([askedFor, reads() - before]).toEqual([20, 0])
    clock.ms = 2000
    // It looks, and lets nobody wait for it.
    expect(other.settings.known()).toEqual(defaultSettings)
    expect(reads() - before).toBe(1)
    await expect.poll(() => other.settings.known()).toMatchObject({ name: 'Flotsam' })
    expect(reads() - before).toBe(1)
  })

  test('where nobody was for a while asks before it answers', async () => {
    const { door, clock } = shop()
    const [one, other] = [door(), door()]
    await other.settings.known()
    await one.settings.change({ ...asItWas, name: 'Flotsam' })
    clock.ms = 3_600_000
    expect(await other.settings.known()).toMatchObject({ name: 'Flotsam' })
  })

  test('goes by the last known word while the store is away, and does not ask for each caller', async () => {
    const { door, clock, sidecar, reads } = shop()
    const { settings } = door()
    await settings.change(closed)
    sidecar.away.add('GET')
    clock.ms = 10_000
    const before = reads()
    for (let times = 0; times < 10; times += 1) {
      expect(await settings.known()).toMatchObject({ version: 1, maintenance: closed.maintenance })
    }
    expect(reads() - before).toBe(1)
    const fresh = door()
    expect(await fresh.settings.known()).toEqual(defaultSettings)
  })

  test('goes by the last known word when what is kept makes no sense', async () => {
    const { door, clock, sidecar } = shop()
    const { settings } = door()
    await settings.change(closed)
    sidecar.items.set('shop', { value: { name: 7 }, etag: 'x', ttlInSeconds: undefined })
    clock.ms = 10_000
    expect(await settings.known()).toMatchObject({ version: 1 })
  })

  test('does not take an old word that comes after a newer one', async () => {
    const sidecar = stateSidecar()
    const clock = { ms: 0 }
    const late = Promise.withResolvers<void>()
    let isLate = false
    const slow = {
      ...sidecar,
      send: async (asked: Parameters<typeof sidecar.send>[0]) => {
        const answer = await sidecar.send(asked)
        if (isLate) {
          isLate = false
          await late.promise
        }
        return answer
      },
    }
    const settings = settingsThrough(slow, () => clock.ms)
    await settings.known()
    clock.ms = 2000
    isLate = true
    settings.known()
    clock.ms = 2001
    await settings.change(closed)
    late.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await settings.known()).toMatchObject({ version: 1 })
  })
})

describe('in maintenance', () => {
  test.each([
    ['POST', '/operation/create/user-create'],
    ['PUT', '/api/basket/lines/LMP-0101'],
    ['DELETE', '/api/basket'],
    ['POST', '/api/orders'],
    ['POST', '/checkout'],
    ['PUT', '/API/ADMIN/settings'],
  ])('%s %s changes nothing, and is told when to come back', async (method, path) => {
    const { door } = shop()
    const { app, settings } = door()
    await settings.change(closed)
    const { status, body, headers } = await (method === 'POST'
      ? request(app).post(path).send({})
      : method === 'PUT'
        ? request(app).put(path).send({ quantity: 1 })
        : request(app).delete(path))
    expect({ status, detail: body.detail, retry: headers['retry-after'] }).toEqual({
      status: 503,
      detail: 'We are back at eight.',
      retry: '60',
    })
  })

  test('looking goes on, and so do prices and administration', async () => {
    const { door } = shop()
    const { app, settings } = door()
    await settings.change(closed)
    expect((await request(app).get('/api/settings')).body.maintenance).toEqual(closed.maintenance)
    expect((await request(app).get('/api/basket')).status).toBe(200)
    expect((await request(app).post('/api/prices/quote').send({})).status).toBe(400)
    expect((await request(app).put('/api/admin/none').send({})).status).toBe(404)
    await settings.change({ ...asItWas, version: 1 })
    expect((await request(app).post('/operation/create/nothing').send({})).status).toBe(404)
  })

  test('who looks asks for no settings', async () => {
    const { door, reads } = shop()
    await request(door().app).get('/openapi.json')
    expect(reads()).toBe(0)
  })
})

test.each([
  [{}, true],
  [{ from: '2026-11-21T12:00:00Z' }, true],
  [{ from: '2026-11-21T12:00:01Z' }, false],
  [{ until: '2026-11-21T12:00:00Z' }, false],
  [{ until: '2026-11-21T12:00:01Z' }, true],
])('at noon a banner with %j is shown: %s', (period, isShown) => {
  const { banner } = noticeOf({ ...defaultSettings, banner: { ...sunday, ...period } }, noon)
  expect(banner).toEqual(isShown ? sunday : null)
})

test('a change counts up, by one', () => {
  const current = { ...defaultSettings, version: 41 }
  expect(changeSettings(current, { ...current, name: 'Flotsam' })).toMatchObject({ version: 42 })
  expect(changeSettings(current, { ...current })).toBe(current)
})
