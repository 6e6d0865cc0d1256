import { testDatabase } from '@tideshop/kit/test/database'
import { noon } from '@tideshop/kit/test/parts'
import { describe, expect, test } from 'vitest'
import { assortment, weeklySales } from '../src/assortment.ts'
import type { Good } from '../src/good.ts'
import { type CatalogStore, mongoCatalog } from '../src/store.ts'
import { memoryCatalog } from './memory-catalog.ts'

const database = testDatabase()
const all = { words: [], max: 1000 }

async function emptyMongo(): Promise<CatalogStore> {
  await database().dropDatabase()
  const catalog = mongoCatalog(database())
  await catalog.prepare()
  return catalog
}

function ids(rows: readonly { id: string }[]): string[] {
  return rows.map(({ id }) => id)
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => memoryCatalog()],
  ['in the database', emptyMongo],
])('the catalog %s', (_where, open) => {
  async function opened(): Promise<CatalogStore> {
    const catalog = await open()
    await catalog.open(assortment, weeklySales(noon))
    return catalog
  }

  test('opening twice opens once, and leaves alone what was changed', async () => {
    const catalog = await opened()
    const cheaper = (row: { body: Good } | null): Good => ({ ...(row?.body as Good), priceCents: 1 })
    await catalog.changeGood('LMP-0101', cheaper)
    await catalog.open(assortment, weeklySales(noon))
    expect(await catalog.goods(all)).toHaveLength(assortment.length)
    expect(await catalog.good('LMP-0101')).toMatchObject({ version: 2, body: { priceCents: 1 } })
  })

  test('page after page shows each good once, in the order of the ids', async () => {
    const catalog = await opened()
    const seen: string[] = []
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await catalog.goods({ words: [], after, max: 50 })
      if (page.length === 0) break
      seen.push(...ids(page))
    }
    expect(seen).toEqual(ids(assortment).sort())
  })

  test('a category shows its own goods', async () => {
    const catalog = await opened()
    const toys = await catalog.goods({ ...all, category: 'toys' })
    expect(toys).toHaveLength(24)
    expect(new Set(toys.map(({ body }) => body.category))).toEqual(new Set(['toys']))
    expect(await catalog.goods({ ...all, category: 'nothing' })).toEqual([])
  })

  test('a search finds words by their beginnings, all of them', async () => {
    const catalog = await opened()
    const found = async (...words: string[]) =>
      (await catalog.goods({ ...all, words })).map(({ body }) => body.name)
    expect(await found('lant')).toHaveLength(4)
    expect(await found('lantern', 'brass')).toEqual(['Harbour Lantern, brass'])
    expect(await found('brass', 'lantern')).toEqual(['Harbour Lantern, brass'])
    expect(await found('antern')).toEqual([])
    expect(await found('lantern', 'nowhere')).toEqual([])
    // Some of its words come after it and others before, but none begins with it.
    expect(await found('lanterz')).toEqual([])
  })

  test('sales are shown until they end, and run from their start on', async () => {
    const catalog = await opened()
    const sales = weeklySales(noon)
    expect(ids(await catalog.sales({ max: 100 }, noon))).toEqual(ids(sales).sort())
    expect(ids(await catalog.sales({ max: 2, after: ids(sales).sort()[5] }, noon))).toEqual(
      ids(sales).sort().slice(6, 8),
    )
    const nextWeek = new Date(noon.getTime() + 7 * 86_400_000)
    expect(await catalog.sales({ max: 100 }, nextWeek)).toHaveLength(4)

    const skus = sales.map(({ body }) => body.sku)
    expect(await catalog.runningSales(skus, noon)).toHaveLength(4)
    expect(await catalog.runningSales(['LMP-0609'], noon)).toEqual([])
  })

  test('of those who change a good at once nobody overwrites what he has not seen', async () => {
    const catalog = await opened()
    const change = (priceCents: number) =>
      catalog
        .changeGood('LMP-0101', (row) => ({ ...(row?.body as Good), priceCents }))
        .then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(change))
    expect([...new Set(outcomes)].filter((one) => one !== 'done' && one !== 'conflict')).toEqual([])
    // Whoever has done it has done it on the version before; how many met is the machine's business.
    const done = outcomes.filter((one) => one === 'done').length
    expect(await catalog.good('LMP-0101')).toMatchObject({ version: 1 + done })
  })

  test('what is not there is not found', async () => {
    expect(await (await opened()).good('LMP-9999')).toBeNull()
  })
})
