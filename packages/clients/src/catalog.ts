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
  type PutGood,
  type PutSale,
  pictureView,
  type SalesPage,
  type SaleView,
  salesPage,
  saleView,
} from '@tideshop/contracts/catalog'
import type { Invoke } from '@tideshop/kit/invoke'
import type { ZodType } from 'zod'
import { answerIn } from './answer.ts'
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
  putGood: (sku: string, wish: PutGood) => Promise<GoodView>
  putSale: (id: string, wish: PutSale) => Promise<SaleView>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. What is put may come twice: the same content again is no change. */
export function catalogThrough(invoke: Invoke, wakeWaitMs: number): Catalog {
  const ask = patient(invoke, wakeWaitMs)

  async function read<T>(schema: ZodType<T>, path: string, wanted: object = {}): Promise<T> {
    return answerIn('catalog', schema, await ask('catalog', 'GET', `${path}${queryOf(wanted)}`))
  }

  async function put<T>(schema: ZodType<T>, path: string, wish: object): Promise<T> {
    return answerIn('catalog', schema, await ask('catalog', 'PUT', path, wish))
  }

  return {
    goods: (wanted) => read(goodsPage, 'goods', wanted),
    good: (sku) => read(goodView, 'good', { sku }),
    named: (skus) => read(goodsNamed, 'goods/named', { skus: skus.join(',') }),
    picture: async (sku) => (await read(pictureView, 'picture', { sku })).svg,
    categories: () => read(categoriesPage, 'categories'),
    sales: (wanted) => read(salesPage, 'sales', wanted),
    putGood: (sku, wish) => put(goodView, `admin/good${queryOf({ sku })}`, wish),
    putSale: (id, wish) => put(saleView, `admin/sale${queryOf({ id })}`, wish),
  }
}
