import type { LowStock, OrdersOfDay } from '@tideshop/contracts/jobs'
import { testDatabase } from '@tideshop/kit/test/database'
import { describe, expect, test } from 'vitest'
import type { Reports } from '../src/report.ts'
import { mongoReports } from '../src/store.ts'
import { memoryReports } from './memory-reports.ts'

const database = testDatabase()

async function emptyMongo(): Promise<Reports> {
  await database().dropDatabase()
  return mongoReports(database())
}

function counted(placed: number, hour: string): OrdersOfDay {
  return { takenAt: `2026-11-21T${hour}:00:00.000Z`, placed, byStatus: {}, turnoverCents: 0 }
}
const low: LowStock = { takenAt: '2026-11-21T05:00:00.000Z', below: 10, goods: [], isWhole: true }

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => memoryReports()],
  ['in the database', emptyMongo],
])('reports %s', (_where, open) => {
  test('of a day the word that was taken last is kept, in whatever order they come', async () => {
    const reports = await open()
    await reports.keep('2026-11-21', 'orders', counted(5, '10'))
    await reports.keep('2026-11-21', 'orders', counted(3, '09'))
    await reports.keep('2026-11-21', 'lowStock', low)
    await reports.keep('2026-11-21', 'orders', counted(7, '11'))
    await reports.keep('2026-11-21', 'orders', counted(7, '11'))
    expect(await reports.list({ max: 10 })).toEqual([
      { day: '2026-11-21', orders: counted(7, '11'), lowStock: low },
    ])
  })

  test('two who begin a day at once leave one report of it, with the later word', async () => {
    const reports = await open()
    const hours = ['10', '11', '12', '13']
    await Promise.all(hours.map((hour) => reports.keep('2026-11-21', 'orders', counted(Number(hour), hour))))
    expect(await reports.list({ max: 10 })).toEqual([{ day: '2026-11-21', orders: counted(13, '13') }])
  })

  test('the newest day comes first, and a page has the days before one', async () => {
    const reports = await open()
    for (const day of ['2026-11-20', '2026-11-22', '2026-11-19', '2026-11-21']) {
      await reports.keep(day, 'lowStock', low)
    }
    const days = async (after?: string) => (await reports.list({ after, max: 2 })).map(({ day }) => day)
    expect(await days()).toEqual(['2026-11-22', '2026-11-21'])
    expect(await days('2026-11-21')).toEqual(['2026-11-20', '2026-11-19'])
    expect(await days('2026-11-19')).toEqual([])
    expect([await reports.newest('lowStock'), await reports.newest('orders')]).toEqual(['2026-11-22', null])
  })
})
