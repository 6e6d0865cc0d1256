import type { Row } from '@tideshop/kit/aggregates'
import { memoryRows } from '@tideshop/kit/memory'
import type { Good } from '../src/good.ts'
import type { Sale } from '../src/sale.ts'
import { type CatalogStore, change, type Part } from '../src/store.ts'

/** The store in memory; test/store.test.ts holds it and the real one to the same promises. */
export function memoryCatalog(): CatalogStore {
  const goods = memoryRows<Good>()
  const sales = memoryRows<Sale>()
  return {
    async goods({ category, words, ...part }) {
      return partOf(goods.all(), part, ({ body }) => {
        const found = words.every((word) => body.words.some((one) => one.startsWith(word)))
        return found && (category === undefined || body.category === category)
      })
    },
    named: (skus) => goods.read(skus),
    good: async (sku) => (await goods.read([sku]))[0] ?? null,
    sales: async (part, now) => partOf(sales.all(), part, ({ body }) => body.endsAt > now.toISOString()),
    async runningSales(skus, now) {
      const time = now.toISOString()
      return sales
        .all()
        .filter(({ body }) => skus.includes(body.sku) && body.startsAt <= time && body.endsAt > time)
    },
    changeGood: (sku, decide) => change(goods, sku, decide),
    changeSale: (id, decide) => change(sales, id, decide),
    async open(newGoods, newSales) {
      await goods.write(newGoods.map((row) => ({ ...row, was: 0 })))
      await sales.write(newSales.map((row) => ({ ...row, was: 0 })))
    },
  }
}

function partOf<S>(all: Row<S>[], { after = '', max }: Part, fits: (row: Row<S>) => boolean): Row<S>[] {
  const byId = all.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  return byId.filter((row) => row.id > after && fits(row)).slice(0, max)
}
