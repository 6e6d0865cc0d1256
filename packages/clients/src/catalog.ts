import {
  type CategoriesPage,
  categoriesPage,
  type GoodsNamed,
  type GoodsPage,
  type GoodView,
  goodsNamed,
  goodsPage,
  goodView,
  type ListGoods,
  type ListSales,
  pictureView,
  type SalesPage,
  salesPage,
} from '@tideshop/contracts/catalog'
import type { Invoke } from '@tideshop/kit/invoke'
import { refusalOf } from '@tideshop/kit/refusal'
import type { ZodType } from 'zod'
import { patient } from './patience.ts'
import { queryOf } from './query.ts'

/** What the door asks of `catalog`. Each rejects with the refusal that its caller should read. */
export type Catalog = {
  goods: (wanted: ListGoods) => Promise<GoodsPage>
  good: (sku: string) => Promise<GoodView>
  /** Those of them that there are, in any order. */
  named: (skus: readonly string[]) => Promise<GoodsNamed>
  /** SVG. */
  picture: (sku: string) => Promise<string>
  categories: () => Promise<CategoriesPage>
  sales: (wanted: ListSales) => Promise<SalesPage>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. Each only reads. */
export function catalogThrough(invoke: Invoke, wakeWaitMs: number): Catalog {
  const ask = patient(invoke, wakeWaitMs)

  async function read<T>(schema: ZodType<T>, path: string, wanted: object = {}): Promise<T> {
    const { status, said } = await ask('catalog', 'GET', `${path}${queryOf(wanted)}`)
    if (status !== 200) throw refusalOf(said) ?? new Error(`catalog answered ${status}`)
    return schema.parse(said)
  }

  return {
    goods: (wanted) => read(goodsPage, 'goods', wanted),
    good: (sku) => read(goodView, 'good', { sku }),
    named: (skus) => read(goodsNamed, 'goods/named', { skus: skus.join(',') }),
    picture: async (sku) => (await read(pictureView, 'picture', { sku })).svg,
    categories: () => read(categoriesPage, 'categories'),
    sales: (wanted) => read(salesPage, 'sales', wanted),
  }
}
