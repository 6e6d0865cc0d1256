import type { GoodView, PutGood, StockAnswer } from '@tideshop/contracts/catalog'
import { memoryRows } from '@tideshop/kit/memory'
import { actorSidecar } from '@tideshop/kit/test/actor-sidecar'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { catalogApp } from '../src/app.ts'
import { assortment, categories, weeklySales } from '../src/assortment.ts'
import { stockTurns } from '../src/stock-turns.ts'
import { memoryCatalog } from './memory-catalog.ts'

async function shop() {
  const catalog = memoryCatalog()
  await catalog.open(assortment, weeklySales(noon))
  const sidecar = actorSidecar()
  const clock = { now: noon }
  const app = catalogApp({
    ...quietParts('catalog'),
    sidecar,
    catalog,
    categories,
    allocations: memoryRows(),
    allowances: memoryRows(),
    askStock: stockTurns(sidecar),
    now: () => clock.now,
  })
  return { app, sidecar, clock }
}

type Shop = Awaited<ReturnType<typeof shop>>

test('page after page shows the whole shop', async () => {
  const { app } = await shop()
  const seen: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const { body } = await request(app)
      .get('/goods')
      .query({ limit: 100, ...(next && { after: next }) })
    seen.push(...body.goods.map(({ sku }: GoodView) => sku))
    next = body.next
  }
  expect(seen).toEqual(assortment.map(({ id }) => id).sort())
})

test('a search finds words without case and accents, by their beginnings, and in the name of the shelf', async () => {
  const { app } = await shop()
  const names = async (q: string) => {
    const { body } = await request(app).get('/goods').query({ q, limit: 100 })
    return body.goods.map(({ name }: GoodView) => name)
  }
  expect(await names('LANTÉRN bra')).toEqual(['Harbour Lantern, brass'])
  expect(await names('stationery')).toHaveLength(24)
  expect(await names('...')).toEqual([])
  expect(await names('.*')).toEqual([])
})

test('goods are asked for by name, many at once: those that there are come, with their sales', async () => {
  const { app } = await shop()
  const { body: page } = await request(app).get('/sales')
  const running = page.sales.find(({ state }: { state: string }) => state === 'running')
  const skus = [running.sku, 'LMP-9999', 'LMP-0101'].join(',')
  const { body } = await request(app).get('/goods/named').query({ skus })
  const bySku = new Map<string, GoodView>(body.goods.map((good: GoodView) => [good.sku, good]))
  expect([...bySku.keys()].sort()).toEqual([running.sku, 'LMP-0101'].sort())
  expect(bySku.get(running.sku)?.sale).toEqual(running)
})

test.each([undefined, '', 'LMP', 'LMP-0101,', Array(101).fill('LMP-0101').join(',')])(
  'names that cannot be asked for are refused: %s',
  async (skus) => {
    const { app } = await shop()
    expect((await request(app).get('/goods/named').query({ skus })).status).toBe(400)
  },
)

test('a good on sale shows both prices', async () => {
  const { app } = await shop()
  const { body: page } = await request(app).get('/sales')
  const running = page.sales.find(({ state }: { state: string }) => state === 'running')
  const { body: good } = await request(app).get('/good').query({ sku: running.sku })
  expect(good).toMatchObject({ sku: running.sku, version: 1, sale: running })
  expect(good.sale.priceCents).toBeLessThan(good.priceCents)
  expect(good).not.toHaveProperty('words')
  const { body: picture } = await request(app).get('/picture').query({ sku: running.sku })
  expect(picture.svg).toContain('<svg')
})

test('sales come page by page, as goods do', async () => {
  const { app } = await shop()
  const { body: first } = await request(app).get('/sales').query({ limit: 5 })
  const { body: second } = await request(app).get('/sales').query({ limit: 5, after: first.next })
  expect([...first.sales, ...second.sales]).toHaveLength(8)
  expect(second.next).toBeNull()
})

test.each(['/good', '/good?sku=lamp', '/goods?limit=1000', '/sales?after=%20', '/picture?sku='])(
  '%s is refused',
  async (path) => {
    expect((await request((await shop()).app).get(path)).status).toBe(400)
  },
)

test('there is no good that nobody put there', async () => {
  expect((await request((await shop()).app).get('/good?sku=LMP-9999')).status).toBe(404)
})

describe('an administrator', () => {
  const wish: PutGood = {
    name: 'Ship in a Bottle',
    description: 'Three masts, folded in by hand.',
    category: 'toys',
    priceCents: 8900,
    tint: '#336699',
    openingPieces: 3,
  }

  function put({ app }: Shop, more: object = {}, sku = 'TOY-0700') {
    return request(app)
      .put(`/admin/good?sku=${sku}`)
      .send({ ...wish, ...more })
  }

  test('puts a new good on a shelf, where it is found; twice is once', async () => {
    const here = await shop()
    expect((await put(here)).body).toMatchObject({ sku: 'TOY-0700', version: 1 })
    expect((await put(here)).body).toMatchObject({ version: 1 })
    const { body } = await request(here.app).get('/goods?q=bottle%20masts')
    expect(body.goods).toMatchObject([{ name: 'Ship in a Bottle' }])
  })

  test('changes a good that he has seen, and not one that somebody changed since', async () => {
    const here = await shop()
    await put(here)
    expect((await put(here, { priceCents: 7900, version: 1 })).body).toMatchObject({
      version: 2,
      priceCents: 7900,
    })
    expect((await put(here, { priceCents: 6900, version: 1 })).status).toBe(409)
    expect((await put(here, { priceCents: 6900 })).status).toBe(409)
    expect((await put(here, { version: 4 }, 'TOY-0701')).status).toBe(404)
  })

  test.each([
    ['an unknown category', { category: 'submarines' }],
    ['a price of nothing', { priceCents: 0 }],
    ['half a cent', { priceCents: 10.5 }],
    ['a colour that is none', { tint: 'red;}' }],
    ['an unknown field', { colour: '#336699' }],
  ])('is refused %s', async (_, more) => {
    expect((await put(await shop(), more)).status).toBe(400)
  })

  test('plans a sale, which customers see when it begins', async () => {
    const { app, clock } = await shop()
    const sale = {
      sku: 'LMP-0102',
      title: 'Long night',
      priceCents: 100,
      startsAt: '2026-11-22T00:00:00Z',
      endsAt: '2026-11-23T00:00:00Z',
      perCustomerMax: 1,
    }
    const plan = (more: object) =>
      request(app)
        .put('/admin/sale?id=long-night')
        .send({ ...sale, ...more })
    expect((await plan({ endsAt: sale.startsAt })).status).toBe(400)
    expect((await plan({ sku: 'LMP-9999' })).status).toBe(400)
    expect((await plan({})).body).toMatchObject({ id: 'long-night', state: 'upcoming', version: 1 })
    const shown = async () => (await request(app).get('/good?sku=LMP-0102')).body.sale?.id
    expect(await shown()).toBeUndefined()
    clock.now = new Date('2026-11-22T00:00:00Z')
    expect(await shown()).toBe('long-night')
  })
})

describe('the stock actor', () => {
  async function ask(here: Shop, method: string, wish: object, sku = 'LMP-0101'): Promise<StockAnswer> {
    const path = `/actors/StockActor/${sku}/method/${method}`
    const { status, body } = await request(here.app).put(path).send(wish)
    expect(status).toBe(200)
    return body
  }
  const hold = { id: 'r-1', count: 2, ttlMs: 60_000 }

  test('is announced to the sidecar', async () => {
    const { body } = await request((await shop()).app).get('/dapr/config')
    expect(body.entities).toEqual(['StockActor'])
  })

  test('begins with the opening pieces, and keeps what was decided', async () => {
    const here = await shop()
    expect(await ask(here, 'read', {})).toEqual({ stock: { free: 120, held: 0, sold: 0, received: 120 } })
    // Looking writes nothing.
    expect(here.sidecar.states.size).toBe(0)
    await ask(here, 'reserve', hold)
    await ask(here, 'reserve', hold)
    await ask(here, 'confirm', { id: 'r-1' })
    await ask(here, 'restock', { id: 'd-1', count: 10 })
    expect(await ask(here, 'read', {})).toEqual({ stock: { free: 128, held: 0, sold: 2, received: 130 } })
  })

  test('says no as an answer', async () => {
    const here = await shop()
    const no = (code: string) => ({ refusal: { code } })
    expect(await ask(here, 'reserve', { ...hold, count: 121 })).toMatchObject(no('conflict'))
    expect(await ask(here, 'reserve', {})).toMatchObject(no('invalid'))
    expect(await ask(here, 'sell', {})).toMatchObject(no('not-found'))
    expect(await ask(here, 'read', {}, 'LMP-9999')).toMatchObject(no('not-found'))
    expect(await ask(here, 'read', {}, 'nonsense')).toMatchObject(no('invalid'))
    expect(here.sidecar.states.size).toBe(0)
  })

  test('sells each piece once, however many come at once', async () => {
    const here = await shop()
    const buyers = Array.from({ length: 200 }, (_, index) => ({ ...hold, id: `r-${index}`, count: 1 }))
    const answers = await Promise.all(buyers.map((wish) => ask(here, 'reserve', wish)))
    expect(answers.filter((answer) => 'reservation' in answer)).toHaveLength(120)
    expect(await ask(here, 'read', {})).toEqual({ stock: { free: 0, held: 120, sold: 0, received: 120 } })
  })

  test('sets one alarm for all that is held, and gives back what is over when it rings', async () => {
    const here = await shop()
    await ask(here, 'reserve', hold)
    const rings = new Date(noon.getTime() + 60_000)
    expect(here.sidecar.reminders).toEqual(new Map([['StockActor/LMP-0101', rings.toISOString()]]))
    here.sidecar.reminders.clear()
    await ask(here, 'reserve', { ...hold, id: 'r-2', ttlMs: 90_000 })
    expect(here.sidecar.reminders.size).toBe(0)

    here.clock.now = rings
    const rung = await request(here.app).put('/actors/StockActor/LMP-0101/method/remind/alarm').send({})
    expect(rung.status).toBe(200)
    // One is over, and the alarm is set for the other.
    expect([...here.sidecar.reminders.values()]).toEqual([new Date(noon.getTime() + 90_000).toISOString()])
    expect(here.sidecar.states.get('StockActor/LMP-0101')).toMatchObject({ body: { held: [{ id: 'r-2' }] } })
  })

  test('reserves also while nobody keeps reminders: what is over is over at its time', async () => {
    const here = await shop()
    here.sidecar.away.add('reminders')
    expect(await ask(here, 'reserve', hold)).toMatchObject({ reservation: { state: 'held' } })
    expect(here.sidecar.states.get('StockActor/LMP-0101')).toMatchObject({ alarmAt: null })
    here.clock.now = new Date(noon.getTime() + 60_000)
    expect(await ask(here, 'confirm', { id: 'r-1' })).toMatchObject({
      refusal: { message: 'the reservation is expired' },
    })
  })

  test('asks for no reminder again for a while when there was none to be had, of any good', async () => {
    const here = await shop()
    here.sidecar.away.add('reminders')
    await ask(here, 'reserve', hold)
    here.sidecar.away.clear()
    await ask(here, 'reserve', hold, 'LMP-0102')
    expect(here.sidecar.reminders.size).toBe(0)
  })

  test('promises nothing that could not be written', async () => {
    const here = await shop()
    here.sidecar.away.add('state')
    const { status } = await request(here.app).put('/actors/StockActor/LMP-0101/method/reserve').send(hold)
    expect(status).toBe(500)
    here.sidecar.away.clear()
    expect(await ask(here, 'read', {})).toMatchObject({ stock: { free: 120 } })
  })
})

describe('goods that are running out', () => {
  /** A catalog whose own sidecar leads the turns of its actors back to it. */
  async function withTurns() {
    const here = await shop()
    const keeps = here.sidecar.send
    let running = 0
    const watched = { turns: 0, most: 0, away: '' }
    here.sidecar.send = async (asked) => {
      const [, sku = '', method] = /\/StockActor\/([^/]+)\/method\/(\w+)$/.exec(asked.path) ?? []
      if (method === undefined) return keeps(asked)
      if (sku === watched.away) throw new Error('connect ECONNREFUSED')
      running += 1
      watched.turns += 1
      watched.most = Math.max(watched.most, running)
      const path = `/actors/StockActor/${sku}/method/${method}`
      const { status, body } = await request(here.app)
        .put(path)
        .send(JSON.parse(String(asked.body)))
      running -= 1
      return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) }
    }
    const take = (sku: string, count: number) =>
      request(here.app)
        .put(`/actors/StockActor/${sku}/method/reserve`)
        .send({ id: `r-${count}`, count, ttlMs: 60_000 })
    return { ...here, watched, take }
  }

  test('are found page by page among all goods, a few turns at a time', async () => {
    const { app, watched, take } = await withTurns()
    await take('LMP-0101', 115)
    const expected = new Map(
      assortment.map(({ id, body }) => [id, id === 'LMP-0101' ? 5 : body.openingPieces]),
    )
    const found: [string, number][] = []
    for (let next: string | null = ''; next !== null; ) {
      const { status, body } = await request(app)
        .get('/stock/low')
        .query({ below: 30, limit: 100, ...(next && { after: next }) })
      expect(status).toBe(200)
      found.push(...body.goods.map((good: { sku: string; free: number }) => [good.sku, good.free]))
      next = body.next
    }
    expect(new Map(found)).toEqual(new Map([...expected].filter(([, free]) => free < 30)))
    expect(found).toContainEqual(['LMP-0101', 5])
    expect(watched.turns).toBe(assortment.length)
    expect(watched.most).toBeLessThanOrEqual(8)
  })

  test('a stock that does not answer leaves no page that looks whole', async () => {
    const { app, watched } = await withTurns()
    watched.away = 'LMP-0101'
    const { status, body } = await request(app).get('/stock/low?limit=100&after=LAA-0000')
    expect({ status, title: body.title }).toEqual({ status: 503, title: 'unavailable' })
  })

  test.each(['below=0', 'limit=101', 'after=x', 'sku=LMP-0101'])('?%s is refused', async (query) => {
    expect((await request((await shop()).app).get(`/stock/low?${query}`)).status).toBe(400)
  })
})
