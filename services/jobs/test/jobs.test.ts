import type { FindLowStock, LowGood } from '@tideshop/contracts/catalog'
import { LOW_GOODS_MAX } from '@tideshop/contracts/jobs'
import { EXPIRED_AT_ONCE_MAX } from '@tideshop/contracts/orders'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { jobsApp } from '../src/app.ts'
import { failuresIn } from '../src/failures.ts'
import { daysToCount } from '../src/report.ts'
import { shopThrough } from '../src/shop.ts'
import { memoryFailures } from './memory-failures.ts'
import { memoryReports } from './memory-reports.ts'

const today = '2026-11-21'
const yesterday = '2026-11-20'

/** The shop around jobs, by its contracts: so many orders that are due, so many placed each day, so few of each good. */
function shop(due = 0, stock: readonly number[] = [3, 12]) {
  const around = { due, placed: 4, calls: [] as string[], isAway: false, says: null as object | null }
  const invoke: Invoke = async (appId, method, path) => {
    const [route, query] = path.split('?')
    around.calls.push(`${method} ${appId}/${path}`)
    if (around.isAway) throw new Refusal('uncertain', `${appId} did not answer`)
    if (around.says !== null) return { status: 200, said: around.says }
    const wanted = Object.fromEntries(new URLSearchParams(query))
    switch (`${method} ${appId}/${route}`) {
      case 'POST orders/orders/expire': {
        const expired = Math.min(around.due, EXPIRED_AT_ONCE_MAX)
        around.due -= expired
        return { status: 200, said: { expired } }
      }
      case 'GET orders/orders/statistics': {
        const { placed } = around
        const said = {
          day: wanted['day'],
          placed,
          byStatus: { delivered: placed },
          turnoverCents: placed * 999,
        }
        return { status: 200, said }
      }
      case 'GET catalog/stock/low':
        return { status: 200, said: lowPage(stock, wanted as never) }
      default:
        throw new Error(`nobody knows ${path}`)
    }
  }
  const reports = memoryReports()
  const clock = { now: noon }
  /** Another replica has the same database. */
  const replica = () =>
    jobsApp({
      ...quietParts('jobs'),
      ...nothingFailed(),
      shop: shopThrough(invoke, 0),
      reports,
      lowBelow: 10,
      now: () => clock.now,
    })
  return { app: replica(), replica, around, reports, clock }
}

/** Failures have tests of their own (failures.test.ts). */
function nothingFailed() {
  const nobody = () => expect.unreachable()
  return { failures: failuresIn(memoryFailures()), quarantine: { putBack: nobody, tell: nobody } }
}

/** As catalog answers: of the goods that it looks at, those that are low. */
function lowPage(stock: readonly number[], { below, after, limit }: FindLowStock) {
  const from = after === undefined ? 0 : Number(after.slice(4)) + 1
  const looked = stock.slice(from, from + Number(limit))
  const goods = looked.flatMap((free, nth) => (free < Number(below) ? low(from + nth, free) : []))
  const isLast = from + Number(limit) >= stock.length
  return { goods, next: isLast ? null : low(from + looked.length - 1, 0).sku }
}

function low(nth: number, free: number): LowGood {
  return { sku: `AA1-${nth}`, name: `Good ${nth}`, free }
}

function tick(app: ReturnType<typeof jobsApp>, job: string) {
  return request(app).post(`/jobs/${job}`)
}

describe('orders that nobody paid', () => {
  test.each([
    [0, 1],
    [EXPIRED_AT_ONCE_MAX - 1, 1],
    [EXPIRED_AT_ONCE_MAX, 2],
    [3 * EXPIRED_AT_ONCE_MAX + 1, 4],
  ])('%i of them expire within one call of the clock, by %i of orders', async (due, calls) => {
    const { app, around } = shop(due)
    expect((await tick(app, 'expire')).status).toBe(200)
    expect(around).toMatchObject({ due: 0, calls: Array(calls).fill('POST orders/orders/expire') })
  })

  test('what would take too long is left for the next call', async () => {
    const { app, around } = shop(25 * EXPIRED_AT_ONCE_MAX)
    await tick(app, 'expire')
    expect(around.calls).toHaveLength(20)
    await tick(app, 'expire')
    expect(around.due).toBe(0)
  })

  test('two replicas whose clocks strike at once expire them once', async () => {
    const { app, replica, around } = shop(3 * EXPIRED_AT_ONCE_MAX)
    const answers = await Promise.all([tick(app, 'expire'), tick(replica(), 'expire')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(around.due).toBe(0)
  })

  test('while orders is away, or answers rubbish, the job says so, and does it at its next time', async () => {
    const { app, around } = shop(7)
    around.isAway = true
    expect((await tick(app, 'expire')).status).toBe(503)
    around.isAway = false
    around.says = { expired: 'many' }
    expect((await tick(app, 'expire')).status).toBe(503)
    around.says = null
    expect((await tick(app, 'expire')).status).toBe(200)
    expect(around.due).toBe(0)
  })
})

describe('the report of a day', () => {
  test('is taken of yesterday and of today so far, and anew each time', async () => {
    const { app, around, clock } = shop()
    await tick(app, 'statistics')
    around.placed = 9
    clock.now = new Date(noon.getTime() + 60_000)
    expect((await tick(app, 'statistics')).status).toBe(200)
    const { body } = await request(app).get('/reports')
    const orders = {
      takenAt: clock.now.toISOString(),
      placed: 9,
      byStatus: { delivered: 9 },
      turnoverCents: 8991,
    }
    expect(body).toEqual({
      reports: [
        { day: today, orders },
        { day: yesterday, orders },
      ],
      next: null,
    })
  })

  test('two replicas at once leave one report of each day', async () => {
    const { app, replica, reports } = shop()
    const other = replica()
    await Promise.all([app, other].flatMap((one) => [tick(one, 'statistics'), tick(one, 'restock')]))
    expect([...reports.days.keys()].sort()).toEqual([yesterday, today])
    expect(reports.days.get(today)).toMatchObject({ orders: { placed: 4 }, lowStock: { isWhole: true } })
  })

  test('a day that was missed is made up for, also when its restock report came first', async () => {
    const { app, around, clock } = shop()
    await tick(app, 'statistics')
    around.calls.length = 0
    clock.now = new Date('2026-11-24T00:00:01Z')
    await tick(app, 'restock')
    await tick(app, 'statistics')
    const asked = around.calls.filter((call) => call.startsWith('GET orders'))
    expect(asked.map((call) => call.slice(-10))).toEqual([
      '2026-11-21',
      '2026-11-22',
      '2026-11-23',
      '2026-11-24',
    ])
  })

  test('is kept as it was while orders is away', async () => {
    const { app, around, reports } = shop()
    await tick(app, 'statistics')
    const before = structuredClone(reports.days)
    around.isAway = true
    expect((await tick(app, 'statistics')).status).toBe(503)
    expect(reports.days).toEqual(before)
  })

  test('reports come page by page, the newest first', async () => {
    const { app, clock } = shop()
    for (let day = 10; day < 20; day += 1) {
      clock.now = new Date(`2026-11-${day}T12:00:00Z`)
      await tick(app, 'statistics')
    }
    const seen: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await request(app)
        .get('/reports')
        .query({ limit: 4, ...(next && { after: next }) })
      expect(body.reports.length).toBeLessThanOrEqual(4)
      seen.push(...body.reports.map(({ day }: { day: string }) => day))
      next = body.next
    }
    expect(seen).toEqual(Array.from({ length: 11 }, (_, nth) => `2026-11-${19 - nth}`.replace('-9', '-09')))
  })

  test.each(['limit=0', 'limit=101', 'after=yesterday', 'day=2026-11-21'])(
    '?%s is refused',
    async (query) => {
      expect((await request(shop().app).get(`/reports?${query}`)).status).toBe(400)
    },
  )
})

describe('the restock report', () => {
  test('names the goods that are low, once a day however often the clock strikes, and when somebody asks', async () => {
    const { app, around, clock, reports } = shop()
    for (let times = 0; times < 3; times += 1) await tick(app, 'restock')
    expect(around.calls).toHaveLength(1)
    const goods = [low(0, 3)]
    expect(reports.days.get(today)?.lowStock).toEqual({
      takenAt: noon.toISOString(),
      below: 10,
      goods,
      isWhole: true,
    })
    const { status, body } = await request(app).post('/restock')
    expect({ status, goods: body.goods }).toEqual({ status: 200, goods })
    expect(around.calls).toHaveLength(2)
    clock.now = new Date('2026-11-22T00:00:00Z')
    await tick(app, 'restock')
    expect([...reports.days.keys()].sort()).toEqual([today, '2026-11-22'])
  })

  test('looks through all goods, page by page', async () => {
    const { app, around } = shop(
      0,
      Array.from({ length: 240 }, (_, nth) => (nth % 100 === 99 ? 0 : 50)),
    )
    const { body } = await request(app).post('/restock')
    expect(body).toMatchObject({ goods: [low(99, 0), low(199, 0)], isWhole: true })
    expect(around.calls).toHaveLength(10)
  })

  test('has a bound, and says that there is more', async () => {
    const { app } = shop(0, Array(LOW_GOODS_MAX + 500).fill(0))
    const { body } = await request(app).post('/restock')
    expect({ named: body.goods.length, isWhole: body.isWhole }).toEqual({
      named: LOW_GOODS_MAX,
      isWhole: false,
    })
    const large = shop(0, Array(20_000).fill(50))
    expect((await request(large.app).post('/restock')).body).toMatchObject({ goods: [], isWhole: false })
    expect(large.around.calls).toHaveLength(400)
  })

  test('comes later when catalog is away', async () => {
    const { app, around, reports } = shop()
    around.isAway = true
    expect((await tick(app, 'restock')).status).toBe(503)
    expect((await request(app).post('/restock')).status).toBe(503)
    around.isAway = false
    await tick(app, 'restock')
    expect(reports.days.get(today)?.lowStock?.goods).toHaveLength(1)
  })
})

test('a clock that strikes while the work is under way finds it being done', async () => {
  const { around, reports } = shop()
  const gate = Promise.withResolvers<number>()
  let calls = 0
  const slow = jobsApp({
    ...quietParts('jobs'),
    ...nothingFailed(),
    shop: {
      ...shopThrough(async () => ({ status: 200, said: {} }), 0),
      expireOrders: () => {
        calls += 1
        return gate.promise
      },
    },
    reports,
    lowBelow: 10,
    now: () => noon,
  })
  const first = tick(slow, 'expire').then(({ status }) => status)
  await expect.poll(() => calls).toBe(1)
  expect((await tick(slow, 'expire')).status).toBe(200)
  expect(calls).toBe(1)
  gate.resolve(0)
  expect(await first).toBe(200)
  gate.promise.then(() => undefined)
  expect((await tick(slow, 'expire')).status).toBe(200)
  expect(calls).toBe(2)
  expect(around.calls).toEqual([])
})

test.each([
  ['nothing was counted yet', null, [yesterday, today]],
  ['today was', today, [yesterday, today]],
  ['yesterday was', yesterday, [yesterday, today]],
  ['the last was two days ago', '2026-11-19', ['2026-11-19', yesterday, today]],
  ['the clock went back', '2026-12-24', [yesterday, today]],
])('when %s, the days to count are known', (_, newest, days) => {
  expect(daysToCount(newest, noon)).toEqual(days)
})

test('after a long absence the last month is made up for, and no more', () => {
  const days = daysToCount('2020-02-29', noon)
  expect([days.length, days[0], days.at(-1)]).toEqual([32, '2026-10-21', today])
})
